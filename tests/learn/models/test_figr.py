"""FIGR's networks: sizes and shapes."""

from __future__ import annotations

import pytest
import torch

from smearlab.errors import UsageError
from smearlab.learn.models.figr import FIGRConfig, FIGRCritic, FIGRGenerator
from smearlab.learn.train.checkpoints import parameter_count


@pytest.mark.parametrize("size", [8, 64])
def test_shapes(size: int) -> None:
    config = FIGRConfig(size, 4, 6)
    generator, critic = FIGRGenerator(config), FIGRCritic(config)
    made = generator(torch.randn(2, 6), torch.ones(2, 1))
    assert made.shape == (2, 3, size, size)
    assert torch.equal(made, made.clamp(0, 1))
    logits, rebuilt = critic(made)
    assert (logits.shape, rebuilt) == ((2, 1), None)


def test_sizes() -> None:
    with torch.device("meta"):
        generator, critic = FIGRGenerator(FIGRConfig(64, 32)), FIGRCritic(FIGRConfig(64, 32))
    assert (parameter_count(generator), parameter_count(critic)) == (2_335_427, 2_395_777)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size_px": 48}, "size_px must be one of 8, 16, 32, 64, 128, 256; received 48"),
        ({"width": 0}, "width must be at least 1; received 0"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        FIGRConfig(**given)
