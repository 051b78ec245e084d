"""How far views look, and paper B's eight versions as numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import smearlab.learn  # noqa: F401  (makes torchvision importable)
from smearlab.errors import UsageError
from smearlab.io.quick_jpeg import Reduced
from smearlab.learn.transforms.affine_ranges import (
    PAPER_A,
    PAPER_D,
    TURNED,
    AffineRanges,
    EightVersionRanges,
)
from smearlab.learn.transforms.paper_augmentations import EightVersions
from smearlab.learn.transforms.picture_views import cut_view

tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")


def test_without_changes_a_view_looks_at_its_window() -> None:
    assert AffineRanges().reach == EightVersionRanges().reach == 0.5
    # cos 15° + sin 15°, half a side and a tenth, a shear of 0.2, a zoom of 0.8
    assert PAPER_D.reach == pytest.approx(0.6 * 1.22474487 * 1.2 / 0.8)


@pytest.mark.parametrize("ranges", [PAPER_A, PAPER_D, TURNED, EightVersionRanges()])
@given(seed=st.integers(0, 10_000))
def test_no_view_looks_further_than_its_reach(
    ranges: AffineRanges | EightVersionRanges, seed: int
) -> None:
    affine = ranges.draw(np.random.default_rng(seed))
    corners = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)])
    seen = (corners - affine.shift) @ np.linalg.inv(affine.linear).T
    assert np.abs(seen).max() <= ranges.reach + 1e-9


class Scripted:
    """Stands for a generator whose draws are known."""

    def __init__(self, version: int, chance: tuple[float, float, float]) -> None:
        self.version, self.chance = version, chance

    def integers(self, high: int) -> int:
        assert high == 8
        return self.version

    def random(self, n: int) -> np.ndarray:
        return np.array(self.chance[:n])


@pytest.mark.parametrize("version", range(8))
def test_the_eight_versions_are_those_of_the_transform(version: int) -> None:
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 255, (8, 8, 3)).astype(np.uint8)
    pixels = coarse.repeat(8, 0).repeat(8, 1)
    ranges = EightVersionRanges((0.75, 0.75))
    affine = ranges.draw(Scripted(version, (0.5, 0.25, 1.0)))  # type: ignore[arg-type]
    view = cut_view(Reduced(pixels, 64, 64), (0, 0, 64, 64), 64, affine)
    if version < 6:
        image = tv_tensors.Image(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())
        whole = EightVersions(np.random.default_rng(0), version)(image)
        np.testing.assert_array_equal(view, whole.permute(1, 2, 0).numpy())
        return
    # The crop of three quarters begins at a quarter of the spare 16 px across, and at all down.
    cropped = (pixels[:, ::-1] if version == 7 else pixels)[16:64, 4:52]
    expected = cut_view(Reduced(np.ascontiguousarray(cropped), 48, 48), (0, 0, 48, 48), 64,
                        AffineRanges().draw(rng))  # fmt: skip
    assert np.abs(view[4:-4, 4:-4].astype(int) - expected[4:-4, 4:-4]).max() <= 2


@pytest.mark.parametrize("crop", [(0.0, 0.9), (0.9, 0.7), (0.7, 1.1)])
def test_a_crop_is_a_rising_range_of_shares(crop: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="crop must be a rising range"):
        EightVersionRanges(crop)
