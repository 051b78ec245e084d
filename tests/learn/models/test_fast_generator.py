"""FastGAN's generator: sizes worked out by hand, and how it is told a type."""

from __future__ import annotations

import pytest
import torch

from smearlab.errors import UsageError
from smearlab.learn.models.fast_generator import (
    FastGenerator,
    TypedFastConfig,
    TypedFastGenerator,
)
from smearlab.learn.train.checkpoints import parameter_count


def test_parameters_are_those_of_the_blocks() -> None:
    """Width 16 at 64 px: maps of 256, 128, 64, 32 and 32 channels; the last is excited."""
    sides = [(256, 128), (128, 64), (64, 32), (32, 32)]
    norms = [2 * 256, *(2 * high for _, high in sides)]
    start = 96 * 32 + 32 + 32 * 512 * 16
    ups = sum(9 * low * 2 * high for low, high in sides)
    skips = 16 * 256 * 32 + 32 * 32
    picture = 9 * 32 * 3 + 3
    with torch.device("meta"):
        plain = FastGenerator(64, 16, 96)
        typed = TypedFastGenerator(TypedFastConfig())
    assert parameter_count(plain) == start + ups + skips + picture + sum(2 * n for n in norms)
    assert parameter_count(typed) == start + ups + skips + picture + sum(9 * 2 * n for n in norms)


@pytest.mark.parametrize("size_px", [16, 32, 64, 128])
def test_pictures_follow_latents_and_types(size_px: int) -> None:
    torch.manual_seed(0)
    network = TypedFastGenerator(TypedFastConfig(3, size_px, 2, 4))  # by the batch's statistics
    latent, types = torch.randn(2, 4)[[0, 0, 0, 1]], torch.eye(3)[[0, 1, 2, 0]]
    made = network(latent, types).detach()
    assert made.shape == (4, 3, size_px, size_px)
    assert float(made.min()) >= 0 and float(made.max()) <= 1
    for other in made[1:]:
        assert float((made[0] - other).abs().max()) > 1e-3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size_px": 96}, "size_px must be one of 16, 32, 64, 128, 256; received 96"),
        ({"width": 1}, "width must be at least 2; received 1"),
        ({"latent_size": 0}, "latent_size must be at least 1; received 0"),
        ({"classes": 1}, "classes must be at least 2; received 1"),
    ],
)
def test_bad_sizes_are_refused(settings: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TypedFastConfig(**settings)
