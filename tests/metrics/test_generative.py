"""FID, KID, inception score and PSI: known answers, torchmetrics on the same features."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor, nn

import smearlab.learn  # noqa: F401  (makes torchvision, which torchmetrics imports, importable)
from smearlab.metrics.generative import (
    centred_interval,
    frechet_distance,
    inception_score,
    kernel_discrepancy,
    kernel_distance,
    kernel_draws,
    paired_distances,
    score_draws,
)
from smearlab.metrics.resampling import draw_weights

from torchmetrics.image.fid import FrechetInceptionDistance  # isort: skip
from torchmetrics.image.inception import InceptionScore  # isort: skip
from torchmetrics.image.kid import KernelInceptionDistance  # isort: skip


#: What torchmetrics says whenever such a metric is made.
buffered = pytest.mark.filterwarnings("ignore:Metric .* will save all extracted features")


class AsTheyAre(nn.Module):
    """In the place of a feature network: features are given."""

    num_features = 6

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def clouds(n: int = 60, m: int = 50, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(d, d))
    return rng.normal(size=(n, d)) @ mixed, rng.normal(0.5, 1.3, size=(m, d))


def with_moments(n: int, mean: np.ndarray, deviation: np.ndarray, seed: int) -> np.ndarray:
    """Rows whose sample mean and covariance are exactly those of an axis-parallel Gaussian."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    x -= x.mean(0)
    white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    return mean + white * deviation


def test_frechet_distance_of_gaussians_has_a_closed_form() -> None:
    """|Δμ|² + Σ (σa - σb)² where the axes are the same."""
    mean_a, mean_b = np.array([0.0, 1.0, 2.0]), np.array([3.0, 1.0, 1.0])
    spread_a, spread_b = np.array([1.0, 2.0, 0.5]), np.array([2.0, 2.0, 3.0])
    a = with_moments(40, mean_a, spread_a, 1)
    b = with_moments(70, mean_b, spread_b, 2)
    expected = 9 + 1 + 1 + 0 + 2.5**2
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_identical_and_of_shifted_sets() -> None:
    a, _ = clouds()
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + 2.0) == pytest.approx(6 * 4.0)
    assert math.isnan(frechet_distance(a[:1], a))


def test_frechet_distance_with_fewer_pictures_than_dimensions() -> None:
    """There the covariances are singular; two roots that are not agree with the general one."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(5, 9)), rng.normal(1, 2, size=(7, 9))
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(cov_a)
    half = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(half @ cov_b @ half), 0)).sum()
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a + cov_b) - 2 * shared
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_equals_torchmetrics_and_scipy() -> None:
    a, b = clouds()
    theirs = FrechetInceptionDistance(feature=AsTheyAre())
    theirs.set_dtype(torch.float64)
    theirs.update(torch.from_numpy(a), real=True)
    theirs.update(torch.from_numpy(b), real=False)
    assert frechet_distance(a, b) == pytest.approx(float(theirs.compute()), rel=1e-4)
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    traces = np.trace(cov_a + cov_b - 2 * np.real(sqrtm(cov_a @ cov_b)))
    expected = np.square(a.mean(0) - b.mean(0)).sum() + traces
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_counts_are_repeated_rows() -> None:
    a, b = clouds(12, 9)
    wa, wb = draw_weights(12, resamples=2, seed=4), draw_weights(9, resamples=2, seed=5)
    repeated = np.repeat(a, wa[0], axis=0), np.repeat(b, wb[0], axis=0)
    assert frechet_distance(a, b, wa[0], wb[0]) == pytest.approx(frechet_distance(*repeated))
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 9)
    ones = np.ones((1, 9))
    again = score_draws(np.repeat(probabilities, wb[0], axis=0), ones)
    assert score_draws(probabilities, wb)[0] == pytest.approx(again[0])


@buffered
def test_kernel_distance_equals_torchmetrics() -> None:
    a, b = clouds(40, 40)
    theirs = KernelInceptionDistance(feature=AsTheyAre(), subsets=1, subset_size=40)
    theirs.set_dtype(torch.float64)
    theirs.update(torch.from_numpy(a), real=True)
    theirs.update(torch.from_numpy(b), real=False)
    mean, _ = theirs.compute()
    assert kernel_discrepancy(a, b) == pytest.approx(float(mean), rel=1e-5)
    whole = kernel_distance(a, b, subsets=1, size=40)
    assert whole.value == pytest.approx(float(mean), rel=1e-5)
    assert math.isnan(whole.deviation)


def test_kernel_distance_is_unbiased() -> None:
    """Two sets of one distribution: the mean over many draws is 0, whatever their size."""
    rng = np.random.default_rng(7)
    found = [
        kernel_discrepancy(rng.normal(size=(8, 3)), rng.normal(size=(8, 3))) for _ in range(900)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / 30


def test_kernel_distance_by_hand() -> None:
    """One feature: k(x, y) = (xy + 1)³."""
    a, b = np.array([[0.0], [1.0]]), np.array([[2.0], [0.0]])
    # within a: k(0, 1) = 1; within b: k(2, 0) = 1; across: 1, 1, 27, 1.
    assert kernel_discrepancy(a, b) == pytest.approx(1 + 1 - 2 * 30 / 4)


def test_resamples_of_the_kernel_distance_pair_no_picture_with_its_copy() -> None:
    a = np.array([[0.0], [1.0], [5.0]])
    weights = np.array([[2, 1, 0]])
    # Of the three rows 0, 0, 1 only the pairs of 0 with 1 count: k = 1.
    within = kernel_draws(a, a, weights, weights)[0] + 2 * (
        (weights[0] @ (a @ a.T + 1) ** 3 @ weights[0]) / 9
    )
    assert within == pytest.approx(2.0)


@pytest.mark.parametrize("size", [1, 41])
def test_kernel_distance_refuses_sizes(size: int) -> None:
    a, b = clouds(40, 40)
    with pytest.raises(ValueError, match=f"2 to 40; received 100 and {size}"):
        kernel_distance(a, b, size=size)


def test_subsets_follow_the_seed() -> None:
    a, b = clouds()
    one, other = (kernel_distance(a, b, subsets=5, size=20, seed=seed) for seed in (1, 2))
    assert one == kernel_distance(a, b, subsets=5, size=20, seed=1)
    assert one.value != other.value and one.deviation > 0
    assert kernel_distance(a, b).size == 25


def test_inception_score_of_certain_answers_is_the_number_of_classes() -> None:
    certain = np.eye(5)[np.arange(50) % 5]
    assert inception_score(certain, splits=1).value == pytest.approx(5)
    assert inception_score(np.full((20, 5), 0.2), splits=1).value == pytest.approx(1)
    assert inception_score(np.eye(5)[np.zeros(9, int)], splits=1).value == pytest.approx(1)


@buffered
@pytest.mark.filterwarnings("ignore:std")
def test_inception_score_equals_torchmetrics() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (40, 6))
    theirs = InceptionScore(feature=AsTheyAre(), splits=1)
    theirs.set_dtype(torch.float64)
    theirs.update(torch.from_numpy(logits))
    mean = float(theirs.compute()[0])
    probabilities = torch.from_numpy(logits).softmax(1).numpy()
    assert inception_score(probabilities, splits=1).value == pytest.approx(mean, rel=1e-5)


def test_inception_score_refuses() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        inception_score(np.ones((4, 3)))
    with pytest.raises(ValueError, match="within 1 to 4, the pictures; received 10"):
        inception_score(np.full((4, 2), 0.5))


def test_paired_distances() -> None:
    a, b = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, 4.0], [1.0, 1.0]])
    assert paired_distances(a, b).tolist() == [5.0, 0.0]
    with pytest.raises(ValueError, match="one shape"):
        paired_distances(a, b[:1])


def test_the_interval_of_a_raised_figure_holds_it() -> None:
    a, b = clouds(30, 30)
    value = frechet_distance(a, b)
    weights = draw_weights(30, resamples=40, seed=0), draw_weights(30, resamples=40, seed=1)
    draws = np.array([frechet_distance(a, b, x, y) for x, y in zip(*weights, strict=True)])
    assert draws.mean() > value
    low, high = centred_interval(draws, value, floor=0.0)
    assert 0 <= low < value < high
    assert all(map(math.isnan, centred_interval(np.empty(0), 1.0)))


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"received \(3, 2\) and \(3, 4\)"):
        frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance(np.full((3, 2), np.nan), np.zeros((3, 2)))
