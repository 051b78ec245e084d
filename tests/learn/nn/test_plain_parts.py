"""Plain convolutional parts: sizes, order, and VGG's numbering."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.learn.nn.normalise import SYMMETRIC, Normalise
from smearlab.learn.nn.plain import conv_pool, dense, vgg_features, vgg_stage_starts


def test_a_convolution_keeps_the_size_and_its_pool_halves_it() -> None:
    block = conv_pool(3, 5, dropout=0.4)
    assert [type(m) for m in block] == [nn.Conv2d, nn.MaxPool2d, nn.ReLU, nn.Dropout]
    assert block(torch.rand(1, 3, 8, 6)).shape == (1, 5, 4, 3)
    assert len(conv_pool(3, 5)) == 3


def test_dense_layers_have_the_widths_asked_for() -> None:
    layers = dense((7, 4, 2), dropout=0.5)
    assert [type(m) for m in layers] == [nn.Linear, nn.ReLU, nn.Dropout] * 2
    assert layers(torch.rand(3, 7)).shape == (3, 2)
    assert len(dense((7, 4, 2))) == 4


@pytest.mark.parametrize(("depth", "starts"), [(16, (5, 10, 17, 24)), (19, (5, 10, 19, 28))])
def test_vggs_stages_begin_after_its_pools(depth: int, starts: tuple[int, ...]) -> None:
    with torch.device("meta"):
        features = vgg_features(depth)
    assert sum(isinstance(m, nn.Conv2d) for m in features) == depth - 3
    assert vgg_stage_starts(depth) == tuple(f"features.{n}" for n in starts)
    for index in starts:
        assert isinstance(features[index - 1], nn.MaxPool2d)
        assert isinstance(features[index], nn.Conv2d)


def test_symmetric_colours_lie_between_minus_one_and_one() -> None:
    x = torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)
    assert Normalise(SYMMETRIC)(x).flatten().tolist() == [-1.0, 0.0, 1.0]
    assert not Normalise().state_dict()
