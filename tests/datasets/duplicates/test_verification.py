"""How two pictures lie on each other, and whether they agree there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from altered_pictures import Pixels, altered, augmented, turned
from smearlab.datasets.duplicates.candidates import candidate_pairs
from smearlab.datasets.duplicates.fingerprints import MAX_POINTS, UNKNOWN, fingerprint
from smearlab.datasets.duplicates.verification import compare
from smearlab.datasets.simulator import SmearConfig, simulate_field

FIELD = simulate_field(5, SmearConfig(height_px=160, width_px=200, rbc_diameter_px=40)).field.pixels


@pytest.mark.parametrize("turn", range(8))
def test_every_turn_and_mirroring_is_the_same_picture(turn: int) -> None:
    likeness = compare(fingerprint(FIELD), fingerprint(turned(FIELD, turn)))
    assert likeness.similarity > 0.93
    assert likeness.everywhere > 0.8
    assert likeness.overlap > 0.97


@given(st.integers(0, 10_000))
def test_any_mild_alteration_is_the_same_picture(seed: int) -> None:
    likeness = compare(fingerprint(FIELD), fingerprint(altered(FIELD, seed)))
    assert likeness.similarity > 0.75
    assert likeness.everywhere > 0.45


def test_half_of_a_picture_overlaps_by_what_it_is() -> None:
    left, right = FIELD[:, :140].copy(), FIELD[:, 60:].copy()
    assert compare(fingerprint(left), fingerprint(right)).overlap == pytest.approx(
        80 / 140, abs=0.04
    )
    whole, part = fingerprint(FIELD), fingerprint(FIELD[30:130, 40:160].copy())
    assert compare(whole, part).overlap == pytest.approx(1, abs=0.02)
    assert compare(part, whole).overlap == pytest.approx(1, abs=0.02)


def test_other_fields_are_not_alike(look_alikes: list[Pixels]) -> None:
    prints = [fingerprint(pixels) for pixels in look_alikes]
    for n, one in enumerate(prints):
        for other in prints[:n]:
            found = compare(one, other)
            assert math.isnan(found.similarity) or found.similarity < 0.6


def test_black_corners_are_no_part_of_the_picture() -> None:
    found = fingerprint(augmented(FIELD, 20, 0))
    assert found.detail[0, 0] == UNKNOWN
    assert found.detail[48, 48] != UNKNOWN
    assert 0.02 < (found.detail == UNKNOWN).mean() < 0.2
    assert (fingerprint(FIELD).detail != UNKNOWN).all()


def test_a_black_picture_has_nothing() -> None:
    found = fingerprint(np.zeros((50, 60, 3), np.uint8))
    assert found.is_plain
    assert (found.detail == UNKNOWN).all()
    assert math.isnan(compare(found, fingerprint(FIELD)).similarity)


def test_a_fingerprint_is_small() -> None:
    found = fingerprint(FIELD)
    assert len(found.points) == len(found.descriptors) <= MAX_POINTS
    assert found.points.nbytes + found.descriptors.nbytes + found.detail.nbytes < 20_000


def test_copies_are_the_first_candidates(look_alikes: list[Pixels]) -> None:
    copies = [altered(pixels, seed) for seed, pixels in enumerate(look_alikes)]
    shares: list[float] = []
    found = candidate_pairs(
        [fingerprint(p) for p in (*look_alikes, *copies)], advance=shares.append
    )
    n = len(look_alikes)
    assert {(i, j) for i, j, _ in found[:n].tolist()} == {(i, i + n) for i in range(n)}
    assert (found[:, 0] < found[:, 1]).all()
    assert (np.diff(found[:, 2]) <= 0).all()
    assert sum(shares) == pytest.approx(1)


def test_no_pictures_have_no_candidates() -> None:
    assert candidate_pairs([]).shape == (0, 3)
    assert candidate_pairs([fingerprint(np.zeros((50, 60, 3), np.uint8))] * 2).shape == (0, 3)
