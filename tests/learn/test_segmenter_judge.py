"""Figures of a segmenter on tiles, against counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from smearlab.learn.element_samples import Tiles
from smearlab.learn.models.rwp_generator import RWPGenerator, RWPGeneratorConfig
from smearlab.learn.models.unet import UNet, UNetConfig
from smearlab.learn.nn.picture_norm import PictureNorm, Statistics, use_statistics
from smearlab.learn.segmenter_graphs import GeneratedGraph, MaskedGraph, graph_of
from smearlab.learn.segmenter_judge import TileJudge
from smearlab.segment.segmented_picture import probability_of


class Fixed(nn.Module):
    """Answers the same picture whatever it is shown."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = nn.Parameter(answer)

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """(N, 3, S, S)."""
        return (1 * self.answer).expand(len(x), -1, -1, -1)


def tiles(mask: np.ndarray, known: np.ndarray | None = None) -> Tiles:
    """One grey tile of 8×8 in which the element is where ``mask`` is."""
    pixels = np.full((1, 8, 8, 3), 102, np.uint8)  # 0.4
    mask = mask[None]
    known = np.ones_like(mask) if known is None else known[None]
    return Tiles(pixels, pixels * mask[..., None], mask, known)


def left_half() -> np.ndarray:
    mask = np.zeros((8, 8), np.bool_)
    mask[:, :4] = True
    return mask


def answer() -> Tensor:
    """The upper half as bright as the picture, the rest black."""
    picture = torch.zeros(1, 3, 8, 8)
    picture[:, :, :4] = 0.4
    return picture


def test_figures_are_those_of_a_count_by_hand() -> None:
    """A quarter is right of what is shown and of what is found, a quarter is right in being
    black; the picture is wrong by 0.4 on half of it."""
    figures = TileJudge(tiles(left_half()))(Fixed(answer()))
    assert figures["pixel_accuracy"] == 0.5
    assert figures["dice"] == 2 * 16 / (32 + 32)
    assert figures["l1"] == pytest.approx(0.2, abs=1e-6)
    assert figures["loss"] == pytest.approx(1 - 33 / 65)
    assert "loss" not in TileJudge(tiles(left_half()), chooses=False)(Fixed(answer()))


def test_what_is_not_known_does_not_count() -> None:
    known = np.zeros((8, 8), np.bool_)
    known[:4, :4] = True
    figures = TileJudge(tiles(left_half(), known))(Fixed(answer()))
    assert (figures["pixel_accuracy"], figures["dice"]) == (1, 1)
    assert figures["l1"] == pytest.approx(0, abs=1e-6)


def test_an_element_that_is_not_there_has_no_dice() -> None:
    black = Fixed(torch.zeros(1, 3, 8, 8))
    figures = TileJudge(tiles(np.zeros((8, 8), np.bool_)))(black)
    assert math.isnan(figures["dice"])
    assert (figures["pixel_accuracy"], figures["l1"], figures["loss"]) == (1, 0, 0)


class Normed(Fixed):
    """Bright where its norm leaves the picture as it is, which only running statistics do."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__(answer)
        self.norm = PictureNorm(3)

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """(N, 3, S, S)."""
        as_it_is = (self.norm(x) - x).abs().mean() < 0.01
        return super().forward(x) * as_it_is


@pytest.mark.parametrize("at_first", ["own", "running"])
def test_the_better_statistics_are_chosen(at_first: Statistics) -> None:
    picture = torch.zeros(1, 3, 8, 8)
    picture[..., :4] = 0.4
    model = Normed(picture).eval()
    use_statistics(model, at_first)
    judge = TileJudge(tiles(left_half()))
    figures = judge(model)
    assert (figures["dice"], figures["dice_running"], figures["dice_own"]) == (1, 1, 0)
    assert figures["loss"] == 0
    assert model.norm.statistics == at_first, "judging changes nothing"
    assert judge.better_statistics(model) == "running" == model.norm.statistics
    silent = TileJudge(tiles(left_half()), chooses=False)
    assert silent.better_statistics(model) is None
    assert set(silent(model)) == {"pixel_accuracy", "dice", "l1"}
    assert judge.better_statistics(Fixed(picture)) is None


def test_a_generators_picture_says_where_the_element_is() -> None:
    """The same constants as at the bench."""
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 8, 8) * 0.6
    classes, segmented = GeneratedGraph(Fixed(picture))(torch.zeros(1, 8, 8, 3, dtype=torch.uint8))
    assert torch.allclose(segmented.detach(), picture.permute(0, 2, 3, 1))
    wanted = probability_of(picture.permute(0, 2, 3, 1).numpy())
    assert np.allclose(classes[..., 1].detach().numpy(), wanted, atol=1e-6)
    assert torch.allclose(classes.sum(-1), torch.ones(1, 8, 8))


def test_a_mask_shows_the_picture_where_it_is() -> None:
    pixels = torch.randint(1, 256, (1, 8, 8, 3), dtype=torch.uint8)
    logits = torch.full((1, 1, 8, 8), -3.0)
    logits[..., :4] = 2.0
    classes, segmented = MaskedGraph(Fixed(logits))(pixels)
    assert torch.allclose(segmented[:, :, :4], pixels[:, :, :4].float() / 255)
    assert not segmented[:, :, 4:].any()
    assert float(classes[0, 0, 0, 1].detach()) == pytest.approx(1 / (1 + math.exp(-2)))


def test_each_network_has_its_graph() -> None:
    small = RWPGeneratorConfig((4, 4), input_px=8, dropped_blocks=1)
    assert isinstance(graph_of(RWPGenerator(small)), GeneratedGraph)
    assert isinstance(graph_of(UNet(UNetConfig((4, 4)))), MaskedGraph)
