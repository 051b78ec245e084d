"""Geometry with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearlab.datasets.simulated_shapes import (
    crenate,
    cut,
    disc_outline,
    dots,
    ellipse_distance,
    flatten,
    grain,
    join,
    make_tile,
    reach_towards,
    strand_distance,
)


def test_a_disc_has_the_area_of_a_disc() -> None:
    radii = disc_outline(np.random.default_rng(0), 40, 1.0, 0.0)
    assert radii == pytest.approx(40)
    tile = make_tile(radii, 100.3, 50.7)
    assert tile.mask.sum() == pytest.approx(math.pi * 40**2, rel=0.005)
    assert tile.cover().sum() == pytest.approx(math.pi * 40**2, rel=0.005)


def test_an_ellipse_keeps_the_area_and_has_its_axes() -> None:
    radii = disc_outline(np.random.default_rng(1), 40, 2.25, 0.0)
    assert radii.max() == pytest.approx(60, rel=1e-3)
    assert radii.min() == pytest.approx(40 / 1.5, rel=1e-3)
    assert make_tile(radii, 0, 0).mask.sum() == pytest.approx(math.pi * 40**2, rel=0.01)


def test_the_tile_knows_its_place() -> None:
    radii = disc_outline(np.random.default_rng(0), 5.2, 1.0, 0.0)
    tile = make_tile(radii, 20.5, 30.5)
    ys, xs = np.nonzero(tile.mask)
    assert (xs.mean() + tile.x0, ys.mean() + tile.y0) == (20, 30)  # the centre of pixel (20, 30)


def test_reach_is_periodic() -> None:
    radii = disc_outline(np.random.default_rng(2), 10, 1.5, 0.1)
    for angle in (0.0, 1.0, 3.0):
        assert reach_towards(radii, angle) == reach_towards(radii, angle + 2 * math.pi)
        assert reach_towards(radii, angle) == reach_towards(radii, angle - 2 * math.pi)


def test_crenation_makes_ten_to_sixteen_spikes() -> None:
    for seed in range(20):
        radii = crenate(np.random.default_rng(seed), np.full(720, 30, np.float32), 0.15)
        peaks = (radii > np.roll(radii, 1)) & (radii >= np.roll(radii, -1))
        assert 10 <= peaks.sum() <= 16


def test_flattening_takes_a_little_off_and_adds_nothing() -> None:
    round_one = np.full(720, 40, np.float32)
    assert np.array_equal(flatten(np.random.default_rng(0), round_one, 0), round_one)
    for seed in range(20):
        flat = flatten(np.random.default_rng(seed), round_one, 2)
        assert flat.max() <= 40 + 1e-3
        assert 0.8 * 40 < flat.min() < 0.985 * 40


def test_distances_vanish_on_the_outline_and_are_negative_inside() -> None:
    u = np.array([0, 0.5, 0.7, 0.0], np.float32)
    v = np.array([0, 0.0, 0.0, 0.3], np.float32)
    distance = ellipse_distance(u, v, (0.0, 0.0), (0.5, 0.3), 0.0)
    assert distance[0] == pytest.approx(-0.3)
    assert distance[[1, 3]] == pytest.approx(0, abs=1e-6)
    assert distance[2] > 0
    along = strand_distance(u, v, (0.0, 0.0), (0.6, 0.0), 0.1)
    assert along == pytest.approx([-0.1, -0.1, 0.0, 0.2], abs=1e-6)


def test_union_and_difference() -> None:
    a, b = np.array([-0.2, 0.3, 0.4]), np.array([0.5, -0.1, 0.4])
    assert join([a, b], 0.01) == pytest.approx([-0.2, -0.1, 0.4], abs=0.01)
    assert cut(a, b) == pytest.approx([-0.2, 0.3, 0.4])
    assert cut(np.array([-0.5]), np.array([-0.1])) == pytest.approx([0.1])


def test_grain_has_about_unit_variance_at_every_scale() -> None:
    for scale in (1, 3, 10):
        noise = grain(np.random.default_rng(0), (400, 400), scale)
        assert noise.shape == (400, 400)
        assert 0.6 < noise.std() < 1.5
        assert abs(noise.mean()) < 0.15


def test_dots_stay_within_the_scale() -> None:
    drawn = dots(np.random.default_rng(0), (100, 120), 10, 3)
    assert drawn.shape == (100, 120)
    assert 0 < drawn.mean() < 0.1
    assert drawn.min() == 0 and drawn.max() <= 1
    assert dots(np.random.default_rng(0), (10, 10), 0, 3).sum() == 0
