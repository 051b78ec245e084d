"""The cell-centre network: size, shapes, ranges, and that it looks only so far."""

from __future__ import annotations

import pytest
import torch

from smearlab.errors import UsageError
from smearlab.learn.models.cell_centres import CellCentres, CellCentresConfig
from smearlab.learn.recipes import RECIPES
from smearlab.learn.train.checkpoints import parameter_count

SMALL = CellCentresConfig(widths=(4, 6, 8, 10), blocks=(1, 1, 1), head=6)


def test_its_size_is_known() -> None:
    assert parameter_count(CellCentres()) == 3_126_583
    assert parameter_count(RECIPES["shipped"].stage("cell_centres").model()) == 3_495_991


def test_shapes_and_ranges() -> None:
    model = CellCentres(SMALL).eval()
    with torch.inference_mode():
        heat, sides, classes = model(torch.rand(2, 3, 64, 96))
    assert heat.shape == (2, 3, 16, 24)
    assert sides.shape == (2, 4, 16, 24)
    assert classes.shape == (2, 4, 32, 48)
    assert float(sides.min()) > 0
    # At first, about one step in a hundred is thought a centre, and cells reach about 16 px.
    assert float(heat.sigmoid().mean()) == pytest.approx(0.01, rel=0.3)
    assert float(sides.median()) == pytest.approx(16, rel=0.2)


@pytest.mark.parametrize("name", ["cell_centres_first", "cell_centres"])
def test_it_looks_no_farther_than_the_card_says(name: str) -> None:
    """A tile needs ``context_px`` around it to give the numbers of the whole field."""
    torch.manual_seed(1)
    stage = RECIPES["shipped"].stage(name)
    model = stage.model().eval()
    for module in model.modules():  # fresh residual blocks are identities: wake them
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    x = torch.rand(1, 3, 32, 704, requires_grad=True)
    heat, sides, classes = model(x)
    middle = heat[..., 88].sum() + sides[..., 88].sum() + classes[..., 176].sum()
    middle.backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad.abs().sum((0, 1, 2)))[:, 0]
    reach = max(352 - int(seen.min()), int(seen.max()) - 352)
    assert 0.8 * stage.card["context_px"] < reach <= stage.card["context_px"]


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="widths needs four positive numbers and blocks three"):
        CellCentresConfig(widths=(4, 8, 16, 0))
