"""Diversity of pictures: means over pairs within and across types."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.evaluation.diversity import diversity, ms_ssim_of_pairs, pair_figures


def apart(pictures: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Difference of the first value of each picture."""
    return np.abs(pictures[left, 0, 0, 0].astype(float) - pictures[right, 0, 0, 0])


def shown(levels: list[int], side: int = 12) -> np.ndarray:
    return np.array(levels, np.uint8)[:, None, None, None] * np.ones((1, side, side, 3), np.uint8)


def test_means_within_and_across_types() -> None:
    pictures, types = shown([0, 10, 100, 140]), np.array(["a", "a", "b", "b"])
    found = pair_figures(apart, pictures, types, np.array(list("wxyz")))
    assert found["types"]["a"]["value"] == 10 and found["types"]["b"]["value"] == 40
    assert found["within"]["value"] == 25
    assert found["across"]["value"] == pytest.approx((100 + 140 + 90 + 130) / 4)
    assert (found["across"]["n_pairs"], found["across"]["n"]) == (4, 4)


def test_a_type_of_one_picture_has_no_diversity() -> None:
    found = pair_figures(apart, shown([1, 2, 9]), np.array(["a", "a", "b"]), np.array(list("xyz")))
    assert np.isnan(found["types"]["b"]["value"])
    assert found["types"]["b"]["n_pairs"] == 0


def test_collapse_is_seen() -> None:
    rng = np.random.default_rng(0)
    types, groups = np.array(["a"] * 6), np.arange(6).astype(str)
    real = rng.integers(0, 256, (6, 24, 24, 3)).astype(np.uint8)
    made = np.repeat(real[:1], 6, axis=0)
    found = diversity((real, types, groups), (made, types, groups), apart, "first value", pairs=5)
    assert found["ms_ssim"]["scales"] == 2
    assert found["ms_ssim"]["synthetic"]["within"]["value"] == pytest.approx(1)
    assert found["ms_ssim"]["real"]["within"]["value"] < 0.2
    assert found["lpips"]["network"] == "first value"
    assert found["lpips"]["synthetic"]["within"]["value"] == 0
    assert found["lpips"]["real"]["within"]["n_pairs"] == 5


def test_small_pictures_and_no_network() -> None:
    types, groups = np.array(["a", "a"]), np.array(["x", "y"])
    small = (shown([1, 2], 8), types, groups)
    assert diversity(small, small, None, "") == {"lpips": None, "ms_ssim": None}
    assert ms_ssim_of_pairs(shown([3, 3]), np.array([0]), np.array([1])) == pytest.approx([1.0])
