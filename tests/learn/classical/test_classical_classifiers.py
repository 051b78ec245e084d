"""The five classifiers against what can be calculated, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from smearlab.errors import UsageError
from smearlab.learn.classical.classifiers import (
    CLASSIFIERS,
    BayesConfig,
    ForestConfig,
    LdaConfig,
    NeighboursConfig,
    SvmConfig,
    TrainingPart,
    fit_classifier,
    fitted_numbers,
)
from smearlab.learn.classical.recipes import CLASSICAL_RECIPES


def blobs(n: int = 60, apart: float = 6.0, seed: int = 0, features: int = 4) -> TrainingPart:
    """Three classes whose middles lie ``apart`` standard deviations from each other."""
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % 3
    middles = np.eye(3, features) * apart
    values = middles[targets] + rng.normal(0, 1, (n, features))
    return TrainingPart(values.astype(np.float32), targets.astype(np.int64), np.arange(n))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_what_lies_apart_is_told_apart(name: str) -> None:
    fitted = fit_classifier(CLASSIFIERS[name](), blobs())
    fresh = blobs(90, seed=1)
    shares = fitted.predict_proba(fresh.features)
    assert (shares.argmax(1) == fresh.targets).mean() > 0.97
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
    alike = blobs(90, apart=0.0, seed=1)
    mixed = fit_classifier(CLASSIFIERS[name](), blobs(apart=0.0)).predict_proba(alike.features)
    assert (mixed.argmax(1) == alike.targets).mean() < 0.6


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_what_is_undefined_and_the_unit_do_not_matter(name: str) -> None:
    """A feature that is NaN for all, or measured in other units, changes nothing."""
    part = blobs()
    there = part.features.copy()
    there[::7, 0] = np.nan
    one = fit_classifier(CLASSIFIERS[name](), TrainingPart(there, part.targets, part.groups))
    scaled = there * np.array([1, 1000, 0.001, 50], np.float32)
    other = fit_classifier(CLASSIFIERS[name](), TrainingPart(scaled, part.targets, part.groups))
    factors = np.array([1, 1000, 0.001, 50])
    a, b = one.predict_proba(there), other.predict_proba(there * factors)
    assert not np.isnan(a).any()
    np.testing.assert_allclose(a, b, atol=2e-2 if name in ("svm", "forest") else 1e-4)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    part = blobs(apart=1.0)
    one, two = (
        fit_classifier(CLASSIFIERS[name](), part, seed=3, jobs=jobs).predict_proba(part.features)
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_bayes_is_bayes() -> None:
    """One feature, two classes: posterior of two normal densities with the priors."""
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1], [90, 30])
    values = np.where(targets == 0, rng.normal(0, 1, 120), rng.normal(2, 0.5, 120))
    part = TrainingPart(values[:, None].astype(np.float32), targets, np.arange(120))
    fitted = fit_classifier(BayesConfig(components=1, var_smoothing=1e-12), part)
    at = np.linspace(-2, 4, 13)
    dense = np.stack(
        [
            share * norm.pdf(at, values[targets == k].mean(), values[targets == k].std())
            for k, share in ((0, 0.75), (1, 0.25))
        ],
        axis=1,
    )
    expected = dense / dense.sum(1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(at[:, None]), expected, atol=2e-3)
    assert fitted_numbers(fitted) == 2 + 2 + 2


def test_neighbours_weigh_by_their_distance() -> None:
    """At 1 from a 0 and at 3 from a 1: 1 / (1 + 1/3) for the first."""
    values = np.array([[0.0], [4.0], [40.0], [44.0]], np.float32)
    part = TrainingPart(values, np.array([0, 1, 2, 2]), np.arange(4))
    fitted = fit_classifier(NeighboursConfig(neighbours=2, components=1), part)
    np.testing.assert_allclose(fitted.predict_proba([[1.0]]), [[0.75, 0.25, 0]], atol=1e-6)
    assert fitted_numbers(fitted) == 4


def test_lda_finds_the_line_between() -> None:
    """Equal covariances and priors: half way between the means both are as likely."""
    part = blobs(600)
    fitted = fit_classifier(LdaConfig(), part)
    means = [part.features[part.targets == k].mean(0) for k in (0, 1)]
    shares = fitted.predict_proba([(means[0] + means[1]) / 2])[0]
    assert shares[0] == pytest.approx(0.5, abs=0.02)
    assert fitted_numbers(fitted) == 3 * 4 + 3


def test_sizes_of_svm_and_forest() -> None:
    part = blobs()
    forest = fit_classifier(ForestConfig(trees=3), part)
    nodes = sum(tree.tree_.node_count for tree in forest[-1].estimators_)
    assert fitted_numbers(forest) == nodes * (2 + 3)
    machine = fit_classifier(SvmConfig(), part)
    inner = machine[-1].calibrated_classifiers_[0].estimator
    n = len(inner.support_vectors_)
    assert fitted_numbers(machine) == n * 4 + n * 2 + 3


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SvmConfig(C=0), "C must be above 0; received 0"),
        (lambda: SvmConfig(gamma_scale=-1), "gamma_scale must be above 0; received -1"),
        (lambda: BayesConfig(components=0), "components must be at least 1; received 0"),
        (lambda: BayesConfig(var_smoothing=0), "var_smoothing must be above 0; received 0"),
        (lambda: NeighboursConfig(neighbours=0), "neighbours must be at least 1; received 0"),
        (lambda: ForestConfig(trees=0), "trees must be at least 1; received 0"),
        (lambda: ForestConfig(share=1.5), r"share must lie within \(0, 1\]; received 1.5"),
        (lambda: LdaConfig(2.0), "shrinkage must lie in 0 to 1, or be None; received 2.0"),
    ],
)
def test_settings_out_of_range_are_refused(build: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build()


def test_parts_that_teach_nothing_are_refused() -> None:
    part = blobs(9)
    with pytest.raises(UsageError, match="at least two classes; the training part has 1"):
        TrainingPart(part.features, part.targets * 0, part.groups)
    with pytest.raises(UsageError, match="must be as many"):
        TrainingPart(part.features, part.targets[:5], part.groups)
    one_group = TrainingPart(
        part.features, part.targets, np.where(part.targets == 0, -1, np.arange(9))
    )
    with pytest.raises(UsageError, match=r"at least two groups of every class .* the rarest has 1"):
        fit_classifier(SvmConfig(), one_group)


def test_every_classifier_has_a_recipe() -> None:
    kinds = {type(recipe.classifier) for recipe in CLASSICAL_RECIPES.values()}
    assert kinds == set(CLASSIFIERS.values())
    assert list(CLASSICAL_RECIPES) == [f"classical_{name}" for name in CLASSIFIERS]
    assert all(recipe.name == name for name, recipe in CLASSICAL_RECIPES.items())
