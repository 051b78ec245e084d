"""The eight ways a picture can lie, and answers that are the same for all of them."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from smearlab.learn.nn.ways import OverWays, lain, one_way


class Corner(nn.Module):
    """Its answer is the first pixel, which differs between all ways."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Identity())
        self.head = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x[:, :, 0, 0])


def test_the_ways_are_the_quarter_turns_and_those_of_the_mirrored_picture() -> None:
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    for way in range(4):
        assert torch.equal(lain(x, way), torch.rot90(x, way, (2, 3)))
        assert torch.equal(lain(x, way + 4), torch.rot90(x.flip(3), way, (2, 3)))
    for one, other in itertools.combinations(range(8), 2):
        assert not torch.equal(lain(x, one), lain(x, other))


def test_an_answer_in_use_is_the_mean_over_the_ways_and_in_training_it_is_not() -> None:
    model, x = OverWays(Corner()), torch.rand(2, 3, 5, 5)
    corners = x[:, :, [0, 0, -1, -1], [0, -1, 0, -1]].mean(2)
    assert torch.equal(model.train()(x), x[:, :, 0, 0])
    torch.testing.assert_close(model.eval()(x), corners)


class Flat(nn.Module):
    """A linear layer over all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Flatten())
        self.head = nn.Linear(3 * 16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


@pytest.mark.parametrize("way", range(1, 8))
def test_a_turned_or_mirrored_picture_gets_the_same_answer(way: int) -> None:
    torch.manual_seed(0)
    inner, x = Flat().eval(), torch.rand(3, 3, 4, 4)
    model = OverWays(inner).eval()
    torch.testing.assert_close(model(lain(x, way)), model(x))
    assert not torch.allclose(inner(lain(x, way)), inner(x))
    assert model.head is inner.head


def test_the_network_inside_is_had_again() -> None:
    inner = Flat()
    assert one_way(OverWays(inner)) is inner
    assert one_way(inner) is inner
