"""Each method on known answers, and beside torchstain and scikit-image."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import nnls
from skimage.exposure import match_histograms

from drawn_smears import CREAM, PINK, Dyes, smear
from smearlab.errors import UnknownNameError
from smearlab.metrics.stain import lab_of
from smearlab.stain import histogram, macenko, reinhard, vahadane
from smearlab.stain.density import WHITE, density, light_of, transmittance
from smearlab.stain.fitting import measure_look
from smearlab.stain.methods import METHODS, TRAINED, method_called
from smearlab.stain.normaliser import ReferenceNormaliser
from smearlab.stain.stains import TooPlainError, amounts, most, ordered, positive_amounts


def stained(dyes: Dyes) -> np.ndarray:
    """Transmittances of stained pixels over the ground."""
    through = transmittance(smear(dyes).reshape(-1, 3), light_of(np.array(dyes.ground)))
    return through[density(through).mean(-1) >= 0.15]


def two_dyes(seed: int, azure: tuple[float, ...], eosin: tuple[float, ...]) -> np.ndarray:
    """A picture of gamma-distributed amounts of two dyes under the light 240, as of tissue."""
    rng = np.random.default_rng(seed)
    held = rng.gamma(2.0, 0.35, (48, 48, 2)) * (rng.random((48, 48, 2)) < 0.7)
    stains = np.stack([np.array(v) / np.linalg.norm(v) for v in (azure, eosin)], 1)
    noise = rng.normal(0, 1, (48, 48, 3))
    return np.clip(240 * np.exp(-held @ stains.T) + noise, 0, 255).astype(np.uint8)


#: What torchstain 1.4.1 (MIT, numpy backend) says when fitted to the second picture: the stains of
#: MacenkoNormalizer.HERef and maxCRef, the means and deviations of ReinhardNormalizer; and of the
#: first picture normalised by each, the mean of every channel and five pixels of row 5.
SOURCE = two_dyes(0, (0.60, 0.70, 0.40), (0.25, 0.90, 0.30))
TARGET = two_dyes(1, (0.75, 0.60, 0.30), (0.40, 0.85, 0.20))
COLUMNS = [0, 11, 22, 33, 44]
TORCHSTAIN = {
    "stains": [[0.753889268, 0.407095487], [0.584065375, 0.889728689], [0.300863107, 0.206533591]],
    "most": [2.081469175, 2.168453299],
    "mean": [58.252808, 19.154121, -28.415537],
    "deviation": [20.783155, 14.410437, 14.957589],
}
NORMALISED = {
    "macenko": (
        [148.11372, 131.79905, 190.10894],
        [[242, 237, 240], [240, 240, 240], [229, 215, 234], [59, 46, 132], [241, 240, 240]],
    ),
    "reinhard": (
        [146.49826, 131.62934, 189.43403],
        [[235, 240, 233], [234, 241, 232], [223, 217, 233], [54, 47, 127], [235, 241, 232]],
    ),
}


def test_macenko_has_the_stains_of_torchstain() -> None:
    """In the other order: there the first is haematoxylin, here azure, which lets blue pass."""
    found = measure_look([TARGET], "macenko", "published").numbers
    assert found["stains"][:, ::-1] == pytest.approx(np.array(TORCHSTAIN["stains"]), abs=2e-6)
    assert found["most"][::-1] == pytest.approx(TORCHSTAIN["most"], abs=2e-6)


def test_reinhard_has_the_moments_of_torchstain() -> None:
    """But for its Lab, which is rounded to eight bits there."""
    found = measure_look([TARGET], "reinhard", "published").numbers
    for name in ("mean", "deviation"):
        assert found[name] == pytest.approx(TORCHSTAIN[name], abs=0.1)


@pytest.mark.parametrize(("method", "levels"), [("macenko", 1), ("reinhard", 2)])
def test_pictures_are_those_of_torchstain(method: str, levels: int) -> None:
    """One level: it cuts off what is rounded here; two where its Lab is rounded besides."""
    target = measure_look([TARGET], method, "published")
    found = ReferenceNormaliser(method, method, target, ground="published").apply(SOURCE)
    means, pixels = NORMALISED[method]
    assert found.mean((0, 1)) == pytest.approx(means, abs=0.6)
    assert np.abs(found[5, COLUMNS].astype(int) - pixels).max() <= levels


def test_histograms_are_those_of_scikit_image() -> None:
    target = measure_look([TARGET], "histogram", "published")
    found = ReferenceNormaliser("h", "histogram", target, ground="published").apply(SOURCE)
    wanted = match_histograms(SOURCE, TARGET, channel_axis=-1)
    assert np.abs(found.astype(float) - wanted).max() <= 1


@pytest.mark.parametrize("method", [macenko, vahadane])
@pytest.mark.parametrize("dyes", [CREAM, PINK])
def test_stains_that_were_drawn_are_found(method: object, dyes: Dyes) -> None:
    """Every pixel holds one dye alone, so both are to be found, but for rounding to levels."""
    found = method.measure(stained(dyes))["stains"]  # type: ignore[attr-defined]
    cosines = (found * dyes.stains).sum(0)
    assert np.degrees(np.arccos(cosines.clip(-1, 1))).max() < 3


@pytest.mark.parametrize("name", ["macenko", "vahadane"])
def test_a_picture_takes_the_dyes_of_the_target(name: str) -> None:
    """The same cells drawn with the target's dyes are what should come out."""
    target = measure_look([smear(CREAM, seed) for seed in (1, 2)], name)
    made = ReferenceNormaliser(name, name, target).apply(smear(PINK))
    wanted = smear(CREAM).astype(int)
    before = np.abs(smear(PINK) - wanted).mean()
    assert np.abs(made - wanted).mean() < 2.5 < 30 < before


@pytest.mark.parametrize("name", METHODS)
def test_a_picture_in_the_targets_stain_stays(name: str) -> None:
    pixels = smear(CREAM)
    made = ReferenceNormaliser(name, name, measure_look([pixels], name)).apply(pixels)
    # Rounding moves densities out of the plane of two dyes, which macenko and vahadane leave out.
    assert np.abs(made.astype(int) - pixels).max() <= {"macenko": 9, "vahadane": 9}.get(name, 1)
    assert np.abs(made.astype(int) - pixels).mean() < 1


def test_reinhard_gives_mean_and_deviation_of_the_target() -> None:
    rng = np.random.default_rng(0)
    source = rng.normal((150, 120, 140), 12, (40, 40, 3)).astype(np.uint8)
    target = rng.normal((130, 140, 120), 20, (40, 40, 3)).astype(np.uint8)
    numbers = [reinhard.measure(transmittance(x, np.full(3, WHITE))) for x in (source, target)]
    made = reinhard.carry(transmittance(source, np.full(3, WHITE)), *numbers) * WHITE - 1
    found, wanted = lab_of(made.reshape(-1, 3)), lab_of(target.reshape(-1, 3))
    assert found.mean(0) == pytest.approx(wanted.mean(0), abs=0.1)
    assert found.std(0) == pytest.approx(wanted.std(0), abs=0.1)


def test_a_distribution_is_carried_over() -> None:
    numbers = [histogram.measure(transmittance(x, np.full(3, WHITE))) for x in (SOURCE, TARGET)]
    made = histogram.carry(transmittance(SOURCE, np.full(3, WHITE)), *numbers) * WHITE - 1
    for k in range(3):
        quantiles = [np.quantile(x[..., k], [0.1, 0.5, 0.9]) for x in (made, TARGET)]
        assert quantiles[0] == pytest.approx(quantiles[1], abs=3)


def test_positive_amounts_are_the_least_squares_of_scipy() -> None:
    rng = np.random.default_rng(0)
    optical = rng.normal(0.4, 0.5, (50, 3)).astype(np.float32)
    found = positive_amounts(optical, CREAM.stains)
    wanted = np.array([nnls(CREAM.stains, row)[0] for row in optical.astype(float)])
    assert found == pytest.approx(wanted, abs=1e-5)
    assert (wanted == 0).any(0).all() and (wanted > 0).all(1).any()  # each case occurs


def test_a_price_makes_the_sparsest_of_the_best() -> None:
    """Beside every point of a fine grid."""
    rng = np.random.default_rng(1)
    axis = np.arange(0, 1.2, 0.01)
    grid = np.array(list(itertools.product(axis, repeat=2)))
    for row in rng.uniform(0, 0.6, (12, 3)).astype(np.float32):
        left = row[:, None] - CREAM.stains @ grid.T
        cost = (left**2).sum(0) / 2 + 0.1 * grid.sum(1)
        found = positive_amounts(row[None], CREAM.stains, 0.1)[0]
        assert found == pytest.approx(grid[cost.argmin()], abs=0.012)


def test_amounts_are_least_squares() -> None:
    held = np.array([[0.7, 0.2], [-0.1, 0.4]], np.float32)
    assert amounts(held @ CREAM.stains.T.astype(np.float32), CREAM.stains) == pytest.approx(
        held, abs=1e-5
    )


@pytest.mark.parametrize("dyes", [CREAM, PINK])
def test_azure_is_the_same_stain_in_every_smear(dyes: Dyes) -> None:
    """Also where red cells take up more red light than nuclei do, as those of the pink smear."""
    numbers = macenko.measure(stained(dyes))
    assert numbers["stains"][2, 0] < numbers["stains"][2, 1]
    assert numbers["most"][0] > 1.5 > 1 > numbers["most"][1]


def test_azure_comes_first_and_points_to_where_it_absorbs() -> None:
    azure, eosin = CREAM.stains.T
    assert ordered(-2 * eosin, azure) == pytest.approx(CREAM.stains)
    with pytest.raises(TooPlainError, match=r"1\.6 degrees apart"):
        ordered(azure, azure + np.array([0, 0.05, 0]))


def test_what_shows_too_little_is_said() -> None:
    with pytest.raises(TooPlainError, match="5 of its pixels are stained"):
        macenko.measure(np.full((5, 3), 0.5, np.float32))
    with pytest.raises(TooPlainError, match="5 of its pixels are stained"):
        histogram.measure(np.full((5, 3), 0.5, np.float32))
    with pytest.raises(TooPlainError, match="do not vary"):
        reinhard.measure(np.full((50, 3), 0.5, np.float32))
    one = np.exp(-np.linspace(0.2, 1, 90)[:, None] * CREAM.stains[:, 0]).astype(np.float32)
    for method in (macenko, vahadane):
        with pytest.raises(TooPlainError, match="one stain"):
            method.measure(one)
    with pytest.raises(TooPlainError, match="no eosin"):
        most(np.array([[0.4, 0.0]] * 9, np.float32))


def test_methods_by_name() -> None:
    assert method_called("macenko") is METHODS["macenko"]
    with pytest.raises(UnknownNameError, match="did you mean 'macenko'"):
        method_called("macenco")
    for name in TRAINED:
        with pytest.raises(UnknownNameError, match=f"smearlab train {name}"):
            method_called(name)
