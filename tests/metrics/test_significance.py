"""Tests between two models, against scipy and known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from smearlab.metrics.resampling import draw_weights
from smearlab.metrics.significance import holm, mcnemar, paired_difference


@pytest.mark.parametrize(("first", "second"), [(0, 1), (3, 3), (12, 4), (40, 70), (0, 0)])
def test_mcnemar_is_a_binomial_test_of_where_they_differ(first: int, second: int) -> None:
    one = [True] * first + [False] * second + [True] * 5 + [False] * 2
    other = [False] * first + [True] * second + [True] * 5 + [False] * 2
    result = mcnemar(one, other)
    assert result[:2] == (first, second)
    differ = first + second
    expected = binomtest(first, differ, 0.5).pvalue if differ else 1.0
    assert result.p == pytest.approx(expected)
    assert mcnemar(other, one).p == result.p
    with pytest.raises(ValueError, match="1 answers of one model, 2 of the other"):
        mcnemar([True], [True, False])


def test_the_bootstrap_test_agrees_with_the_normal_one() -> None:
    rng = np.random.default_rng(1)
    gain = rng.choice([-1, 0, 1], 400, p=[0.1, 0.75, 0.15])
    draws = draw_weights(400, resamples=4000) @ gain / 400
    result = paired_difference(float(gain.mean()), draws)
    error = gain.std() / math.sqrt(400)
    assert result.interval == pytest.approx(
        (gain.mean() - 1.96 * error, gain.mean() + 1.96 * error), abs=0.004
    )
    expected = 2 * norm.sf(abs(gain.mean()) / error)
    assert result.p == pytest.approx(expected, rel=0.25)


def test_equal_models_do_not_differ() -> None:
    result = paired_difference(0.0, np.zeros(99))
    assert result.p == 1
    assert result.interval == (0, 0)


def test_p_is_never_smaller_than_the_resamples_can_tell() -> None:
    assert paired_difference(0.3, np.full(999, 0.3)).p == pytest.approx(2 / 1000)
    assert math.isnan(paired_difference(0.3, np.full(9, np.nan)).p)


def test_holm_by_hand() -> None:
    """Smallest times three, next times two, last once, never falling."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    raised = holm([0.02, math.nan, 0.01])
    assert raised[0] == pytest.approx(0.02) and raised[2] == pytest.approx(0.02)
    assert math.isnan(raised[1])
    assert holm([]) == []
