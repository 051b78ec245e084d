"""Precision, recall, density, coverage, neighbours and memorisation: brute force, known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from smearlab.metrics.manifolds import (
    density_coverage,
    distances,
    memorisation,
    nearest,
    nearest_version,
    precision_recall,
    radii,
)


def sets(seed: int = 0, n: int = 40, m: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)), rng.normal(0.7, 1.1, size=(m, 3))


def plain_radii(members: np.ndarray, k: int) -> np.ndarray:
    return np.sort(cdist(members, members), axis=1)[:, k]


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_by_brute_force(k: int) -> None:
    real, fake = sets()
    apart = cdist(real, fake)
    found = precision_recall(real, fake, k)
    inside = (apart <= plain_radii(real, k)[:, None]).any(0)
    assert found.fake_inside.tolist() == inside.tolist()
    assert found.recall == (apart <= plain_radii(fake, k)).any(1).mean()
    assert 0 < found.precision < 1


def test_density_and_coverage_by_brute_force() -> None:
    real, fake = sets(1)
    near = cdist(real, fake) <= plain_radii(real, 4)[:, None]
    found = density_coverage(real, fake, 4)
    assert found.densities == pytest.approx(near.sum(0) / 4)
    assert found.coverage == near.any(1).mean()
    assert 0 < found.coverage < 1


def test_disjoint_and_identical_sets() -> None:
    real, _ = sets()
    far = precision_recall(real, real + 100)
    assert far.precision == far.recall == 0
    apart = density_coverage(real, real + 100)
    assert apart.density == apart.coverage == 0
    same = precision_recall(real, real)
    assert same.precision == same.recall == 1
    assert density_coverage(real, real).coverage == 1


def test_one_mode_of_two_has_precision_but_half_the_recall() -> None:
    rng = np.random.default_rng(2)
    modes = rng.normal(size=(200, 2))
    modes[100:] += 50
    found = precision_recall(modes, rng.normal(size=(200, 2)))
    assert found.precision > 0.9
    assert found.recall == pytest.approx(0.5, abs=0.05)
    assert density_coverage(modes, rng.normal(size=(200, 2))).coverage == pytest.approx(
        0.5, abs=0.05
    )


def test_expectations_for_one_distribution() -> None:
    """Naeem et al., section 3.3: density 1, coverage 1 - Π (N - i) / (2N - i), i = 1 to k."""
    n, k = 60, 5
    rng = np.random.default_rng(5)
    found = [
        density_coverage(rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), k) for _ in range(60)
    ]
    steps = np.arange(1, k + 1)
    expected = 1 - np.prod((n - steps) / (2 * n - steps))
    assert np.mean([one.density for one in found]) == pytest.approx(1, abs=0.05)
    assert np.mean([one.coverage for one in found]) == pytest.approx(expected, abs=0.015)


def test_distances_far_from_the_origin_keep_their_digits() -> None:
    real, fake = sets()
    assert distances(real + 1e6, fake + 1e6) == pytest.approx(cdist(real, fake), abs=1e-5)


def test_radii_of_copies_are_zero() -> None:
    members = np.array([[0.0], [0.0], [3.0]])
    assert radii(members, 1).tolist() == [0.0, 0.0, 3.0]
    with pytest.raises(ValueError, match="within 1 to 2, one less than the pictures; received 3"):
        radii(members, 3)


def test_more_members_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = sets()
    whole = radii(real, 3), precision_recall(real, fake), density_coverage(real, fake)
    monkeypatch.setattr("smearlab.metrics.manifolds._BLOCK", 7)
    assert radii(real, 3) == pytest.approx(whole[0])
    assert precision_recall(real, fake).fake_inside.tolist() == whole[1].fake_inside.tolist()
    assert density_coverage(real, fake).covered.tolist() == whole[2].covered.tolist()


def test_nearest() -> None:
    places, apart = nearest(np.array([[0.0, 0.0], [9.0, 9.0]]), np.array([[9.0, 8.0], [3.0, 4.0]]))
    assert places.tolist() == [1, 0]
    assert apart.tolist() == [5.0, 1.0]


def test_copies_are_memorised_and_new_pictures_are_not() -> None:
    rng = np.random.default_rng(0)
    train, held_out, fresh = (rng.normal(size=(400, 2)) for _ in range(3))
    copied = memorisation(train, train[:50] + 1e-6, held_out, 0.05)
    assert copied.rate == 1
    assert copied.places.tolist() == list(range(50))
    new = memorisation(train, fresh, held_out, 0.05)
    assert new.rate == pytest.approx(0.05, abs=0.03)
    assert new.threshold == pytest.approx(np.quantile(cdist(held_out, train).min(1), 0.05))


def test_the_nearest_version_counts() -> None:
    real, fake = sets()
    mirrored = real[:5] * [-1, 1, 1]
    version, places, apart = nearest_version([mirrored + 3, mirrored * [-1, 1, 1], mirrored], real)
    assert places.tolist() == list(range(5)) and apart == pytest.approx(np.zeros(5), abs=1e-6)
    assert version.tolist() == [1] * 5
    one = nearest_version([fake], real)
    assert np.array_equal(one[1], nearest(fake, real)[0]) and not one[0].any()
    with pytest.raises(ValueError, match="no version"):
        nearest_version([], real)


@pytest.mark.parametrize("quantile", [0.0, 1.0])
def test_memorisation_refuses(quantile: float) -> None:
    real, fake = sets()
    with pytest.raises(ValueError, match="quantile"):
        memorisation(real, fake, real, quantile)
    with pytest.raises(ValueError, match="received none"):
        memorisation(real, fake, real[:0])
