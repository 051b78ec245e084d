"""Figures of stain networks: known answers, and which there are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearlab.evaluation.stain_figures import StainedPictures, defined, stain_figures


class MeanColour:
    """The mean red, green and blue of a picture, in levels."""

    name = "mean colour"

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        return np.asarray(pictures.astype(np.float64).mean((1, 2)))


def noisy(level: int, n: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (level + rng.integers(0, 20, (n, 12, 12, 3))).astype(np.uint8)


def groups(n: int = 6) -> np.ndarray:
    return np.array([f"group {k}" for k in range(n)])


def test_distances_are_those_of_shifted_sets() -> None:
    """A shift of all features by 40 levels is a distance of 3 · 40²; what is the same has 0."""
    a, b = noisy(60), noisy(60) + 40
    figures = stain_figures(
        StainedPictures(a, groups(), made=b, back=a, same=a + 10),
        StainedPictures(b, groups(), made=a + 4, back=b - 2, same=b),
        MeanColour(),
    )
    assert figures["fid_raw"].value == pytest.approx(3 * 40**2)
    assert figures["fid_made_b"].value == pytest.approx(0, abs=1e-6)
    assert figures["fid_made_a"].value == pytest.approx(3 * 4**2)
    assert figures["fid_back_a"].value == pytest.approx(0, abs=1e-6)
    assert figures["fid_back_b"].value == pytest.approx(3 * 2**2)
    assert figures["ssim_back_a"].value == 1 and figures["ssim_back_b"].value < 1
    assert figures["l1_same_a"].value == pytest.approx(10 / 255)
    assert figures["l1_same_b"].value == 0
    low, high = figures["fid_raw"].interval
    assert low < 3 * 40**2 < high
    assert "ssim_taught" not in figures


def test_intervals_take_whole_groups() -> None:
    """Six pictures of one group are one: a resample has no spread."""
    a, b = noisy(60), noisy(100, seed=1)
    one = np.full(6, "the same")
    alone = stain_figures(StainedPictures(a, one), StainedPictures(b, one), MeanColour())
    assert set(alone) == {"fid_raw"}
    low, high = alone["fid_raw"].interval
    assert low == pytest.approx(high)
    apart = stain_figures(StainedPictures(a, groups()), StainedPictures(b, groups()), MeanColour())
    low, high = apart["fid_raw"].interval
    assert high - low > 1


def test_a_pupil_is_compared_with_its_teacher() -> None:
    a, b = noisy(60), noisy(100)
    pupil = StainedPictures(a, groups(), made=a + 3, taught=a + 8)
    figures = stain_figures(pupil, StainedPictures(b, groups()), MeanColour(), resamples=0)
    assert figures["l1_taught"].value == pytest.approx(5 / 255)
    assert 0.5 < figures["ssim_taught"].value < 1
    assert math.isnan(figures["l1_taught"].interval[0]), "no resample, no interval"
    assert set(figures) == {"fid_raw", "fid_made_b", "ssim_taught", "l1_taught"}


def test_what_is_undefined_is_left_out_of_the_plain_figures() -> None:
    alone = StainedPictures(noisy(60, n=1), groups(1))
    figures = stain_figures(alone, StainedPictures(noisy(9), groups()), MeanColour(), resamples=0)
    assert math.isnan(figures["fid_raw"].value)
    assert defined(figures) == {}


class DarkOrBright(MeanColour):
    """Answers one of two types, by the mean level."""

    def both(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bright = (self(pictures).mean(1) > 100).astype(np.float64)
        return self(pictures), np.stack([1 - bright, bright], 1)


def test_inception_scores_where_types_are_answered() -> None:
    """1 where all are of one type; 2 where each half is of another for certain."""
    dark, mixed = noisy(20, 200), np.concatenate([noisy(20, 100), noisy(200, 100)])
    a, b = StainedPictures(dark, groups(200), made=mixed), StainedPictures(dark, groups(200))
    figures = stain_figures(a, b, DarkOrBright(), resamples=20)
    assert figures["is_real_b"].value == pytest.approx(1)
    # A mean over ten parts, of which few have just as many of each type.
    assert 1.9 < figures["is_made_b"].value <= 2
    assert figures["is_made_b"].interval[1] <= 2
    assert "is_made_a" not in figures
