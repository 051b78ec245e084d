"""Normalisation by a picture's own mean and deviation."""

from __future__ import annotations

import torch

from smearlab.learn.nn.normalise import OwnNormalise


def test_each_picture_has_mean_zero_and_deviation_one() -> None:
    generator = torch.Generator().manual_seed(1)
    pictures = torch.rand(3, 3, 5, 7, generator=generator) * torch.tensor([0.2, 0.5, 1.0]).view(
        3, 1, 1, 1
    )
    found = OwnNormalise()(pictures)
    torch.testing.assert_close(found.mean((1, 2, 3)), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(found.std((1, 2, 3), correction=0), torch.ones(3))


def test_light_and_contrast_do_not_count_but_hues_do() -> None:
    picture = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    found = OwnNormalise()(torch.cat([picture, 0.5 * picture + 0.3, picture.flip(1)]))
    torch.testing.assert_close(found[0], found[1])
    assert not torch.allclose(found[0], found[2], atol=0.1)


def test_an_even_picture_becomes_zero() -> None:
    assert not OwnNormalise()(torch.full((2, 3, 4, 4), 0.7)).abs().gt(1e-3).any()
