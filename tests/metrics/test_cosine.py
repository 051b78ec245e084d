"""Mean cosine similarity: brute force over pairs of different groups."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearlab.metrics.cosine import directions_of, similarity_across, similarity_within


def brute(vectors: np.ndarray, units: np.ndarray) -> float:
    x = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    values = [x[i] @ x[j] for i in range(len(x)) for j in range(len(x)) if units[i] != units[j]]
    return float(np.mean(values))


def test_pairs_of_one_group_do_not_count() -> None:
    rng = np.random.default_rng(0)
    x, units = rng.normal(0.5, 1, (9, 4)), np.array([0, 0, 1, 2, 2, 2, 3, 4, 4])
    found = similarity_within(x, units, np.ones((1, 5)))
    assert found[0] == pytest.approx(brute(x, units))


def test_a_resample_is_that_of_repeated_groups() -> None:
    rng = np.random.default_rng(1)
    x, units = rng.normal(0.5, 1, (5, 3)), np.array([0, 1, 1, 2, 3])
    rows = np.array([0, 0, 1, 2, 3])  # group 0 twice: its copies are still one group
    found = similarity_within(x, units, np.array([[2, 1, 1, 0]]))
    assert found[0] == pytest.approx(brute(x[rows], units[rows]))


def test_across_is_the_mean_over_all_pairs() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    expected = (directions_of(a) @ directions_of(b).T).mean()
    found = similarity_across(a, b, np.ones((1, 4)), np.ones((1, 6)))
    assert found[0] == pytest.approx(expected)


def test_known_angles() -> None:
    ones = np.ones((1, 2))
    turned = np.array([[1.0, 0.0], [1.0, 1.0]])
    assert similarity_within(turned, np.arange(2), ones)[0] == pytest.approx(math.sqrt(0.5))
    assert math.isnan(similarity_within(turned, np.zeros(2, int), np.ones((1, 1)))[0])
    assert directions_of(np.zeros((1, 2))).tolist() == [[0.0, 0.0]]
