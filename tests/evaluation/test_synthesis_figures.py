"""Figures of generated pictures: which sets they tell apart, their intervals, their notes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smearlab.evaluation.synthesis_figures import (
    Figure,
    SeenPictures,
    by_type,
    mean_figure,
    psi_of_types,
    synthesis_figures,
)
from smearlab.metrics.generative import frechet_distance


def seen(n: int, shift: float = 0.0, seed: int = 0, types: int = 2) -> SeenPictures:
    """Features of ``types`` clouds, ten apart."""
    rng = np.random.default_rng(seed)
    place = np.arange(n) % types
    features = rng.normal(size=(n, 3)) + 10 * place[:, None] + shift
    probabilities = np.eye(2)[place % 2] * 0.9 + 0.05
    names = np.array(["basophil", "monocyte"])[place % 2]
    return SeenPictures(features, names, np.arange(n).astype(str), probabilities)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    return synthesis_figures(seen(60), seen(50, 0.5, 1), resamples=40)


def test_every_figure_lies_in_its_interval(figures: dict[str, Figure]) -> None:
    assert set(figures) == {
        "fid", "kid", "inception_score", "psi", "wasserstein_sliced", "wasserstein_feature",
        "precision", "recall", "density", "coverage",
    }  # fmt: skip
    for name, one in figures.items():
        assert one.interval[0] <= one.value <= one.interval[1], name
        assert one.interval[0] < one.interval[1], name
    assert figures["kid"].deviation is not None and figures["inception_score"].deviation is not None


def test_values_are_those_of_the_metrics(figures: dict[str, Figure]) -> None:
    real, fake = seen(60).features, seen(50, 0.5, 1).features
    assert figures["fid"].value == frechet_distance(real, fake)
    assert 1 < figures["inception_score"].value < 2


def test_a_shifted_set_is_further_than_one_of_the_same_distribution() -> None:
    near, far = (synthesis_figures(seen(60), seen(60, s, 1), resamples=0) for s in (0.0, 3.0))
    for name in ("fid", "kid", "psi", "wasserstein_sliced", "wasserstein_feature"):
        assert far[name].value > near[name].value, name
    for name in ("precision", "recall", "density", "coverage"):
        assert far[name].value < near[name].value, name
    assert math.isnan(near["fid"].interval[0])


def test_resamples_take_whole_groups() -> None:
    real = seen(8)
    grouped = SeenPictures(real.features, real.types, np.array(list("aabbccdd")))
    draws = grouped.draws(20, 0)
    assert (draws[:, 0::2] == draws[:, 1::2]).all()
    assert set(draws.sum(1)) == {8}


def test_pairs_of_the_psi_are_of_one_type() -> None:
    """Types are ten apart, so a pair across types would be far."""
    assert psi_of_types(seen(40), seen(40, 0, 1)).value < 5


def test_what_is_alike_has_no_interval() -> None:
    assert mean_figure(np.zeros(5)).interval != mean_figure(np.arange(5.0)).interval
    assert math.isnan(mean_figure(np.zeros(5)).interval[0])
    assert math.isnan(mean_figure(np.empty(0)).value)


def test_by_type_counts_and_says_what_is_missing() -> None:
    fake = seen(20, 0.0, 1)
    only = fake.take(fake.types == "monocyte")
    asked: list[str] = []
    found = by_type(
        seen(60), only, seen(30, seed=2), "a network", resamples=5, advance=asked.append
    )
    assert asked == ["all", "monocyte"]
    assert found["features"] == "a network"
    assert (found["dimensions"], found["classes_of_network"]) == (3, 2)
    part = found["parts"]["monocyte"]
    assert (part["n_real"], part["n_synthetic"], part["n_beside"]) == (30, 10, 15)
    assert part["figures"]["fid"]["real"] < part["figures"]["fid"]["value"] + 5
    few = by_type(seen(60), only.take(np.arange(3)), seen(30, seed=2), "a network", resamples=5)
    notes = " ".join(few["parts"]["monocyte"]["notes"])
    assert "not more than the 3 features" in notes and "too few for neighbours" in notes
    assert math.isnan(few["parts"]["monocyte"]["figures"]["recall"]["value"])
