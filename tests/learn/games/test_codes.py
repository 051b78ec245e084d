"""Codes get the types they stand for most often, every type once."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from smearlab.errors import UsageError
from smearlab.learn.games.codes import name_codes


def test_codes_that_agree_fully_are_found() -> None:
    types = np.array([0, 0, 1, 1, 2, 2])
    named = name_codes(np.array([1, 1, 2, 2, 0, 0]), types, 3)
    assert named.types == (2, 0, 1)
    assert named.agreement == 1.0


def test_two_codes_of_one_type_are_parted() -> None:
    """Both read mostly type 0; only one can have it, and the whole agreement decides which."""
    codes = np.array([0] * 10 + [1] * 10)
    types = np.array([0] * 9 + [1] * 1 + [0] * 6 + [1] * 4)
    named = name_codes(codes, types, 2)
    assert named.types == (0, 1)
    assert named.agreement == 13 / 20


def test_no_other_naming_agrees_more() -> None:
    rng = np.random.default_rng(0)
    codes, types = rng.integers(0, 4, (2, 60))
    named = name_codes(codes, types, 4)
    shares = [np.mean(np.array(order)[codes] == types) for order in permutations(range(4))]
    assert sorted(named.types) == [0, 1, 2, 3]
    assert named.agreement == pytest.approx(max(shares))
    assert np.mean(np.array(named.types)[codes] == types) == pytest.approx(max(shares))


def test_a_code_that_nothing_reads_gets_the_type_that_is_left() -> None:
    assert name_codes(np.array([2, 2]), np.array([1, 1]), 3).types[2] == 1


def test_nothing_to_name_is_refused() -> None:
    with pytest.raises(UsageError, match="received 0 and 0"):
        name_codes(np.array([], int), np.array([], int), 3)
    with pytest.raises(UsageError, match="received 1 and 2"):
        name_codes(np.array([0]), np.array([0, 1]), 3)
