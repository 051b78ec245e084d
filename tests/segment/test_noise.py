"""Factors of dropout that the bench draws."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.segment.noise import draw_noise, no_noise

CARD = {"noise": {"size": 40_000, "keep": 0.8}}


def test_without_noise_all_factors_are_one() -> None:
    factors = no_noise(CARD)
    assert factors.shape == (1, 40_000)
    assert factors.dtype == np.float32
    assert (factors == 1).all()


def test_factors_are_zero_or_one_over_keep_and_one_on_average() -> None:
    factors = draw_noise(CARD, seed=3, draw=0)
    assert factors.dtype == np.float32
    assert set(np.unique(factors)) == {np.float32(0), np.float32(1.25)}
    assert float(factors.mean()) == pytest.approx(1, abs=4 * 1.25 * (0.8 * 0.2 / 40_000) ** 0.5)


def test_a_draw_depends_on_its_seed_and_number_only() -> None:
    first = draw_noise(CARD, 3, 1)
    draw_noise(CARD, 9, 9)
    np.testing.assert_array_equal(first, draw_noise(CARD, 3, 1))
    assert (first != draw_noise(CARD, 3, 2)).any()
    assert (first != draw_noise(CARD, 4, 1)).any()


def test_nothing_is_dropped_where_all_is_kept() -> None:
    assert (draw_noise({"noise": {"size": 9, "keep": 1.0}}, 0, 0) == 1).all()
