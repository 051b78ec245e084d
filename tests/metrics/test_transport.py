"""Wasserstein distances: scipy, shifts and directions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from smearlab.metrics.resampling import draw_weights
from smearlab.metrics.transport import (
    directions,
    per_feature_wasserstein,
    sliced_wasserstein,
    wasserstein_draws,
)


def sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 4)), rng.exponential(size=(21, 4))


def test_each_feature_equals_scipy() -> None:
    a, b = sets()
    theirs = [wasserstein_distance(x, y) for x, y in zip(a.T, b.T, strict=True)]
    assert per_feature_wasserstein(a, b) == pytest.approx(theirs)


def test_resamples_equal_scipy_with_weights() -> None:
    a, b = sets()
    wa, wb = draw_weights(30, resamples=3, seed=1), draw_weights(21, resamples=3, seed=2)
    theirs = wasserstein_distance(a[:, 2], b[:, 2], wa[1], wb[1])
    assert wasserstein_draws(a, b, wa, wb)[1, 2] == pytest.approx(theirs)


def test_a_shift_costs_its_length() -> None:
    a, _ = sets()
    step = np.array([3.0, 0.0, 0.0, 4.0])
    assert per_feature_wasserstein(a, a + step) == pytest.approx(step)
    # Along a direction u the shift is |step · u|; the mean of |cos| in four dimensions is 4 / 3π.
    found = sliced_wasserstein(a, a + step, n_directions=4000)
    assert found == pytest.approx(5 * 4 / (3 * np.pi), rel=0.03)
    assert sliced_wasserstein(a, a) == pytest.approx(0, abs=1e-12)


def test_directions_have_length_one() -> None:
    found = directions(7, 50, seed=3)
    assert found.shape == (7, 50)
    assert np.linalg.norm(found, axis=0) == pytest.approx(np.ones(50))


def test_an_empty_set_is_refused() -> None:
    a, _ = sets()
    with pytest.raises(ValueError, match="in both sets"):
        per_feature_wasserstein(a, a[:0])
