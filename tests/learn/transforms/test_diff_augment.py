"""DiffAugment: each change beside its value by hand; gradients; chance."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck

from smearlab.errors import UnknownNameError
from smearlab.learn.transforms.diff_augment import (
    AUGMENTATIONS,
    DiffAugment,
    brightened,
    contrasted,
    cut_out,
    saturated,
    translated,
)

TWO = torch.arange(2 * 3 * 8 * 8, dtype=torch.float64).reshape(2, 3, 8, 8) / 384


def test_colours_change_as_the_paper_says() -> None:
    by = torch.tensor([0.25, -0.125], dtype=torch.float64)
    assert torch.allclose(brightened(TWO, by)[1], TWO[1] - 0.125)
    grey = saturated(TWO, torch.zeros(2, dtype=torch.float64))
    assert torch.allclose(grey[:, 0], TWO.mean(1)) and torch.allclose(grey[:, 2], TWO.mean(1))
    strong = saturated(TWO, 2 * torch.ones(2, dtype=torch.float64))
    assert torch.allclose(strong, 2 * TWO - grey)
    flat = contrasted(TWO, torch.tensor([0.0, 1.5], dtype=torch.float64))
    assert torch.allclose(flat[0], TWO[0].mean().expand(3, 8, 8))
    assert torch.allclose(flat[1] - TWO[1].mean(), 1.5 * (TWO[1] - TWO[1].mean()))


def test_pictures_are_shifted_each_by_its_own_and_grey_comes_in() -> None:
    moved = translated(TWO, torch.tensor([2, -1]), torch.tensor([0, 3]))
    assert torch.equal(moved[0, :, :, 2:], TWO[0, :, :, :-2])
    assert torch.equal(moved[0, :, :, :2], torch.full((3, 8, 2), 0.5, dtype=torch.float64))
    assert torch.equal(moved[1, :, 3:, :-1], TWO[1, :, :-3, 1:])
    assert torch.equal(moved[1, :, :3], torch.full((3, 3, 8), 0.5, dtype=torch.float64))
    assert torch.equal(translated(TWO, torch.zeros(2, dtype=int), torch.zeros(2, dtype=int)), TWO)


def test_a_square_of_half_the_side_is_cut_out() -> None:
    cut = cut_out(TWO, torch.tensor([4, 0]), torch.tensor([4, 7]))
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[2:6, 2:6] = True
    assert torch.equal(cut[0, :, inside], torch.full((3, 16), 0.5, dtype=torch.float64))
    assert torch.equal(cut[0, :, ~inside], TWO[0, :, ~inside])
    assert int((cut[1, 0] != TWO[1, 0]).sum()) == 6  # two columns and three rows are left of it


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_pass_through(name: str) -> None:
    def changed(pictures: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return DiffAugment((name,))(pictures)

    pictures = torch.rand(1, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    assert gradcheck(changed, (pictures,))


def test_each_picture_has_its_own_chance_which_is_torchs() -> None:
    alike = torch.rand(1, 3, 16, 16).repeat(4, 1, 1, 1)
    torch.manual_seed(0)
    one = DiffAugment()(alike)
    torch.manual_seed(0)
    assert torch.equal(one, DiffAugment()(alike))
    assert not torch.equal(one, DiffAugment()(alike))
    assert len({picture.sum().item() for picture in one}) == 4
    assert torch.equal(DiffAugment(())(alike), alike)


def test_chance_keeps_to_the_papers_ranges() -> None:
    """On a flat picture saturation and contrast change nothing, and brightness shows."""
    torch.manual_seed(0)
    flat = torch.full((500, 3, 16, 16), 0.25)
    levels = DiffAugment(("colour",))(flat)[:, 0, 0, 0] - 0.25
    assert -0.25 <= float(levels.min()) < -0.24 and 0.24 < float(levels.max()) <= 0.25
    shifted = (DiffAugment(("translation",))(flat) == 0.5).any(1).any(2).sum(1)
    assert set(shifted.tolist()) <= {0, 1, 2, 16}  # rows that have come in; 16 when a column has
    hidden = (DiffAugment(("cutout",))(flat) == 0.5)[:, 0].sum((1, 2))
    assert int(hidden.max()) == 64 and int(hidden.min()) >= 16


def test_unknown_augmentations_are_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown augmentation 'color'; did you mean 'col"):
        DiffAugment(("color",))
