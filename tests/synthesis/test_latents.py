"""Latents follow from seed, type and index alone; ways between them are arcs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm

from smearlab.errors import UsageError
from smearlab.synthesis.latents import between, draw_latents


@given(
    index=st.integers(0, 2**20),
    seed=st.integers(0, 2**40),
    others=st.lists(st.integers(0, 50), max_size=4),
)
def test_a_latent_does_not_depend_on_what_else_is_asked(
    index: int, seed: int, others: list[int]
) -> None:
    alone = draw_latents("monocyte", [index], seed, 7)[0]
    among = draw_latents("monocyte", [*others, index, *others], seed, 7)[len(others)]
    assert (alone == among).all()


def test_seed_type_and_index_each_give_other_latents() -> None:
    first = draw_latents("a", [0], 0, 50)
    for other in (("a", [1], 0), ("b", [0], 0), ("a", [0], 1), ("a", [0], 2**32)):
        assert abs(np.corrcoef(first[0], draw_latents(*other, 50)[0])[0, 1]) < 0.6
        assert (first != draw_latents(*other, 50)).all()


def test_latents_are_normal() -> None:
    drawn = draw_latents("basophil", range(400), 3, 20)
    assert drawn.dtype == np.float32
    assert kstest(drawn.ravel(), norm.cdf).pvalue > 0.01
    assert np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1] == pytest.approx(0, abs=0.15)


@pytest.mark.parametrize("limit", [0.5, 2.0])
def test_truncated_latents_have_their_known_variance(limit: float) -> None:
    drawn = draw_latents("basophil", range(400), 3, 20, truncation=limit).astype(float)
    assert np.abs(drawn).max() <= limit
    assert np.abs(drawn).max() > 0.98 * limit
    # variance of the normal distribution truncated at ± t: 1 - 2 t φ(t) / (2 Φ(t) - 1)
    expected = 1 - 2 * limit * norm.pdf(limit) / (2 * norm.cdf(limit) - 1)
    assert drawn.var() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seed": -1}, "at least 0; received -1"),
        ({"indices": [3, -2]}, r"received 0 and \[3, -2\]"),
        ({"truncation": 0.0}, "truncation must be above 0; received 0"),
        ({"truncation": float("nan")}, "received nan"),
    ],
)
def test_latents_out_of_range_are_refused(asked: dict[str, object], said: str) -> None:
    given_ = {"kind": "a", "indices": [0], "seed": 0, "size": 2, **asked}
    with pytest.raises(UsageError, match=said):
        draw_latents(**given_)  # type: ignore[arg-type]


def test_a_way_keeps_its_length_and_its_ends() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 30)).astype(np.float32)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    path = between(a, b, 7)
    assert (path[0] == a).all() and (path[-1] == b).all()
    assert np.linalg.norm(path, axis=1) == pytest.approx(np.full(7, np.linalg.norm(a)), rel=1e-5)
    unit = path / np.linalg.norm(path, axis=1, keepdims=True)
    angles = np.arccos((unit[1:] * unit[:-1]).sum(1))
    assert angles == pytest.approx(np.full(6, angles.mean()), rel=1e-3)


def test_the_way_along_one_direction_is_straight() -> None:
    a = np.array([1, 2], np.float32)
    assert between(a, 3 * a, 3)[1] == pytest.approx(2 * a)
    assert between(0 * a, a, 3)[1] == pytest.approx(a / 2)
    assert np.isfinite(between(a, -a, 5)).all()
    with pytest.raises(UsageError, match="at least 2 steps; received 1"):
        between(a, a, 1)
