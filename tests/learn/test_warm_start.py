"""Starting from a bundle: the same answers, and a network that trains on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.export import CentresGraph, TypesGraph, freeze, write_bundle
from smearlab.learn.models.cell_centres import CellCentres, CellCentresConfig
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.recipes import RECIPES
from smearlab.learn.warm_start import bundle_weights, start_from_bundle, take_over

SMALL = CellCentresConfig(widths=(8, 12, 16, 20), blocks=(1, 1, 1), head=12)
GROWN = CellCentresConfig(widths=(8, 12, 16, 20), blocks=(2, 3, 1), head=12)
CARD: dict[str, Any] = {"kind": "segmenter", "name": "t", **RECIPES["shipped"].stages[0].card}


def awake(model: nn.Module) -> nn.Module:
    """Every batch norm does something."""
    torch.manual_seed(2)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    return model.eval()


def images(n: int = 8) -> torch.Tensor:
    return torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, nn.Module]:
    model = freeze(awake(CellCentres(SMALL)))
    example = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    folder = tmp_path_factory.mktemp("warm") / "bundle"
    write_bundle(folder, CentresGraph(model), example, CARD)
    return str(folder), model


@pytest.mark.parametrize("config", [SMALL, GROWN])
def test_it_answers_as_the_bundle(bundle: tuple[str, nn.Module], config: CellCentresConfig) -> None:
    """The same network, and one with more residual blocks, which begin as the identity."""
    folder, source = bundle
    model = CellCentres(config)
    assert start_from_bundle(model, "segmenter", folder, [images()]) is model
    assert model.training
    with torch.inference_mode():
        for mine, theirs in zip(model.eval()(images(3)), source(images(3)), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_in_training_its_norms_fit_the_data(bundle: tuple[str, nn.Module]) -> None:
    """On the images they were measured on, batch statistics give the same answers."""
    model = CellCentres(SMALL)
    start_from_bundle(model, "segmenter", bundle[0], [images()])
    with torch.no_grad():
        trained, shown = model(images()), model.eval()(images())
    for mine, theirs in zip(trained, shown, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=2e-2, atol=2e-2)


def test_a_classifier_starts_the_same_way(tmp_path: Path) -> None:
    config = CellTypesConfig(classes=3, widths=(16, 24, 32), blocks=(1, 1))
    source = freeze(awake(CellTypes(config)))
    card = {
        "kind": "classifier",
        "name": "t",
        "classes": ["neutrophil", "monocyte", "basophil"],
        "input_px": 64,
        "context": 1.3,
        "threshold": 0.3,
    }
    example = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    write_bundle(tmp_path / "b", TypesGraph(source), example, card)
    model = start_from_bundle(CellTypes(config), "classifier", str(tmp_path / "b"), [images()])
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images(2)), source(images(2)), rtol=1e-4, atol=1e-4)


def test_the_bundle_that_ships_can_be_started_from() -> None:
    weights = bundle_weights("segmenter", "default")
    assert sum(value.numel() for value in weights.values()) > 1_000_000
    stage = RECIPES["shipped"].stage("cell_centres")
    model = start_from_bundle(stage.model(), "segmenter", "default", [images(2)])
    assert all(bool(torch.isfinite(value).all()) for value in model.state_dict().values())


def test_a_bundle_of_another_network_is_refused(bundle: tuple[str, nn.Module]) -> None:
    wide = CellCentres(CellCentresConfig(widths=(8, 12, 16, 24), blocks=(1, 1, 1), head=12))
    with pytest.raises(UsageError, match=r"another network: \S+ has shape .* in it and is .* here"):
        start_from_bundle(wide, "segmenter", bundle[0], [images(2)])
    shallow = CellCentres(CellCentresConfig(widths=(8, 12, 16, 20), blocks=(0, 1, 1), head=12))
    with pytest.raises(UsageError, match="not there"):
        start_from_bundle(shallow, "segmenter", bundle[0], [images(2)])


def test_missing_weights_are_named() -> None:
    model = CellCentres(SMALL)
    weights = model.state_dict()
    del weights["heat.bias"]
    with pytest.raises(UsageError, match=r"the run r lacks heat\.bias"):
        take_over(CellCentres(SMALL), weights, "the run r")


def test_growing_keeps_the_answers() -> None:
    source = awake(CellCentres(SMALL))
    grown = CellCentres(GROWN)
    take_over(grown, source.state_dict(), "a run")
    with torch.inference_mode():
        for mine, theirs in zip(grown.eval()(images(2)), source(images(2)), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)
