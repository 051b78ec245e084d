"""Bundles: what the bench computes is what torch computes; weights half as large; checksummed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from smearlab.errors import BundleError, SmearlabError
from smearlab.io.bundles import Bundle
from smearlab.learn.export import (
    BundleGraph,
    CentresGraph,
    ForegroundGraph,
    MirroredCentresGraph,
    TypesGraph,
    freeze,
    write_bundle,
)
from smearlab.learn.models.cell_centres import CellCentres, CellCentresConfig
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.models.lwcnn import LWCNN, LWCNNConfig
from smearlab.learn.models.unet import UNet, UNetConfig
from smearlab.learn.recipes import RECIPES

SEGMENTER: dict[str, Any] = {
    "kind": "segmenter",
    "name": "test",
    **RECIPES["shipped"].stage("cell_centres").card,
}
CLASSIFIER = {
    "kind": "classifier",
    "name": "test",
    "classes": ["neutrophil", "monocyte", "basophil"],
    "input_px": 48,
    "context": 1.3,
    "threshold": 0.3,
}


def trained(model: nn.Module) -> nn.Module:
    """A model whose every number has moved, as after training."""
    torch.manual_seed(4)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            assert module.running_mean is not None and module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, nn.Conv2d) and float(module.weight.detach().std()) < 0.02:
            nn.init.normal_(module.weight, std=0.5)  # heads that begin near zero
    return model.eval()


def centres() -> CellCentres:
    return CellCentres(CellCentresConfig(widths=(16, 24, 32, 48), blocks=(1, 1, 1), head=24))


def types() -> CellTypes:
    return CellTypes(CellTypesConfig(classes=3, widths=(16, 24, 32), blocks=(1, 1)))


KINDS: dict[str, tuple[Callable[[], BundleGraph], dict[str, Any], list[tuple[int, ...]]]] = {
    "centres": (
        lambda: CentresGraph(freeze(trained(centres()))),
        SEGMENTER,
        [(1, 32, 32, 3), (1, 64, 96, 3)],
    ),
    "mirrored centres": (
        lambda: MirroredCentresGraph(freeze(trained(centres()))),
        SEGMENTER,
        [(1, 32, 32, 3), (1, 64, 96, 3)],
    ),
    "foreground": (
        lambda: ForegroundGraph(freeze(trained(UNet(UNetConfig(widths=(8, 16, 24)))))),
        {
            "kind": "segmenter",
            "name": "test",
            **RECIPES["bloodcell_net"].stage("bloodcell_unet").card,
        },
        [(1, 32, 32, 3), (1, 48, 80, 3)],
    ),
    "types": (
        lambda: TypesGraph(freeze(trained(types())), temperature=1.7),
        CLASSIFIER,
        [(1, 48, 48, 3), (5, 48, 48, 3)],
    ),
    "types of paper A": (
        lambda: TypesGraph(freeze(trained(LWCNN(LWCNNConfig(classes=3, input_px=48))))),
        CLASSIFIER,
        [(1, 48, 48, 3), (4, 48, 48, 3)],
    ),
}


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def torch_answers(graph: BundleGraph, pixels: np.ndarray) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        answers = graph.eval()(torch.from_numpy(pixels))
    return {name: value.numpy() for name, value in zip(graph.outputs, answers, strict=True)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_bench_gets_torchs_numbers(kind: str, tmp_path: Path) -> None:
    build, card, (example, other) = KINDS[kind]
    graph = build()
    write_bundle(tmp_path, graph, torch.zeros(example, dtype=torch.uint8), card)
    bundle = Bundle(tmp_path, card["kind"])
    for shape in (example, other):  # other sizes than the one that was traced, too
        pixels = pictures(*shape)
        found, expected = bundle.run(pixels=pixels), torch_answers(graph, pixels)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name].dtype == np.float32
            relative = 1e-4 if name == "sides" else 0
            np.testing.assert_allclose(found[name], value, rtol=relative, atol=1e-4)
            assert value.std() > 1e-3, "an answer that is the same everywhere proves nothing"


def test_segmenters_answer_in_the_contracts_shapes(tmp_path: Path) -> None:
    build, card, (example, _) = KINDS["centres"]
    write_bundle(tmp_path, build(), torch.zeros(example, dtype=torch.uint8), card)
    answer = Bundle(tmp_path, "segmenter").run(pixels=pictures(1, 64, 96, 3))
    assert answer["classes"].shape == (1, 32, 48, 4)
    assert answer["heat"].shape == (1, 16, 24, 3)
    assert answer["sides"].shape == (1, 16, 24, 4)
    np.testing.assert_allclose(answer["classes"].sum(-1), 1, atol=1e-5)
    assert answer["heat"].min() >= 0 and answer["heat"].max() <= 1
    assert answer["sides"].min() > 0


def test_a_mirrored_field_gets_mirrored_answers() -> None:
    model = trained(centres())
    pixels = pictures(1, 64, 96, 3)
    there = torch_answers(MirroredCentresGraph(model), pixels)
    back = torch_answers(MirroredCentresGraph(model), np.ascontiguousarray(pixels[:, :, ::-1]))
    for name, value in there.items():
        mirrored = value[:, :, ::-1]
        if name == "sides":  # left and right change places
            mirrored = mirrored[..., [2, 1, 0, 3]]
        np.testing.assert_allclose(back[name], mirrored, rtol=1e-4, atol=1e-5)
    # Which the network alone does not give, so it is the graph that does it.
    one_way = torch_answers(CentresGraph(model), pixels)["heat"]
    other = torch_answers(CentresGraph(model), np.ascontiguousarray(pixels[:, :, ::-1]))["heat"]
    assert np.abs(other - one_way[:, :, ::-1]).max() > 1e-4
    assert np.abs(one_way - there["heat"]).max() > 1e-5


def test_a_temperature_softens_without_changing_the_order() -> None:
    model = trained(types())
    pixels = pictures(6, 48, 48, 3)
    (sharp,), (soft,) = (
        torch_answers(TypesGraph(model, heat), pixels).values() for heat in (1.0, 3.0)
    )
    np.testing.assert_array_equal(sharp.argmax(1), soft.argmax(1))
    assert (soft.max(1) < sharp.max(1)).all()
    logarithms = np.log(sharp) / 3
    expected = np.exp(logarithms) / np.exp(logarithms).sum(1, keepdims=True)
    np.testing.assert_allclose(soft, expected, atol=1e-5)


@pytest.mark.parametrize("build", [centres, types])
def test_freezing_folds_batch_norms_and_hardly_changes_answers(
    build: Callable[[], nn.Module],
) -> None:
    wrap = CentresGraph if build is centres else TypesGraph
    pixels = pictures(1, 64, 64, 3)
    model = trained(build())
    before = torch_answers(wrap(model), pixels)
    assert freeze(model) is model
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    for name, value in torch_answers(wrap(model), pixels).items():
        np.testing.assert_allclose(value, before[name], rtol=1e-2, atol=1e-2)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, tensor.half().float()), name


def test_what_is_frozen_is_what_is_stored(tmp_path: Path) -> None:
    model = freeze(trained(centres()))
    graph = CentresGraph(model)
    write_bundle(tmp_path, graph, torch.zeros(1, 32, 32, 3, dtype=torch.uint8), SEGMENTER)
    stored = [
        numpy_helper.to_array(t) for t in onnx.load(tmp_path / "model.onnx").graph.initializer
    ]
    kernels = [v.numpy() for v in model.state_dict().values() if v.ndim == 4]
    assert kernels
    for kernel in kernels:
        same = [s for s in stored if s.shape == kernel.shape and np.array_equal(s, kernel)]
        assert len(same) == 1
        assert same[0].dtype == np.float16


def test_half_floats_halve_the_file(tmp_path: Path) -> None:
    size = []
    for name, model in (("whole", trained(centres())), ("half", freeze(trained(centres())))):
        example = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
        write_bundle(tmp_path / name, CentresGraph(model), example, SEGMENTER)
        size.append((tmp_path / name / "model.onnx").stat().st_size)
    assert size[1] < 0.56 * size[0]


def test_weights_beyond_half_floats_are_refused() -> None:
    model = types()
    with torch.no_grad():
        model.head[1].weight[0, 0] = 7e4
    with pytest.raises(SmearlabError, match=r"head.1.weight reaches 70000, which half floats"):
        freeze(model)


def test_the_card_is_written_and_checked(tmp_path: Path) -> None:
    build, card, (example, _) = KINDS["types"]
    folder = write_bundle(
        tmp_path / "a" / "b", build(), torch.zeros(example, dtype=torch.uint8), card
    )
    written = json.loads((folder / "card.json").read_text())
    assert {key: written[key] for key in card} == card
    model = folder / "model.onnx"
    assert written["bytes"] == model.stat().st_size
    assert Bundle(folder, "classifier").sha256 == written["sha256"]
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    with pytest.raises(BundleError, match="the file is damaged or was exchanged"):
        Bundle(folder, "classifier")


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    build, card, (example, _) = KINDS["types"]
    for name in ("a", "b"):
        write_bundle(tmp_path / name, build(), torch.zeros(example, dtype=torch.uint8), card)
    assert (tmp_path / "a/model.onnx").read_bytes() == (tmp_path / "b/model.onnx").read_bytes()
