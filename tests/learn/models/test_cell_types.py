"""The classifier that ships: size, shapes, and that a turned cell gets the same answer."""

from __future__ import annotations

import pytest
import torch

from smearlab.errors import UsageError
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.train.checkpoints import parameter_count

SMALL = {"classes": 4, "widths": (4, 6, 8), "blocks": (1, 1)}


def woken(model: CellTypes) -> CellTypes:
    """Fresh residual blocks are identities: give them something to say."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model.eval()


def test_its_size_is_known() -> None:
    assert parameter_count(CellTypes(CellTypesConfig(classes=9))) == 3_532_697


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_it_gives_a_logit_a_class(turns: int) -> None:
    model = CellTypes(CellTypesConfig(**SMALL, turns=turns))
    with torch.inference_mode():
        assert model.train()(torch.rand(3, 3, 32, 32)).shape == (3, 4)
        assert model.eval()(torch.rand(3, 3, 32, 32)).shape == (3, 4)


def test_a_turned_cell_gets_the_same_answer() -> None:
    torch.manual_seed(0)
    model = woken(CellTypes(CellTypesConfig(**SMALL)))
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        straight = model(x)
        for quarters in (1, 2, 3):
            turned = model(torch.rot90(x, quarters, (2, 3)))
            torch.testing.assert_close(turned, straight, rtol=1e-4, atol=1e-5)


def test_without_averaging_a_turn_does_change_the_answer() -> None:
    torch.manual_seed(0)
    model = woken(CellTypes(CellTypesConfig(**SMALL, turns=1)))
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        assert float((model(x) - model(torch.rot90(x, 1, (2, 3)))).abs().max()) > 1e-3


def test_the_average_is_over_four_different_views() -> None:
    torch.manual_seed(0)
    averaged = woken(CellTypes(CellTypesConfig(**SMALL)))
    single = CellTypes(CellTypesConfig(**SMALL, turns=1)).eval()
    single.load_state_dict(averaged.state_dict())
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        views = torch.stack([single(torch.rot90(x, q, (2, 3))) for q in range(4)])
        torch.testing.assert_close(averaged(x), views.mean(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"classes": 1}, "classes must be at least 2; received 1"),
        ({"dropout": 1.0}, r"dropout must lie within \[0, 1\); received 1.0"),
        ({"turns": 3}, "turns must be 1, 2 or 4; received 3"),
        ({"widths": (4, 8), "blocks": (1, 1)}, "widths needs one number more than blocks"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CellTypesConfig(**given)  # type: ignore[arg-type]
