"""Samples of two stains: partners of one type, made pairs, taught pairs; and patches."""

from __future__ import annotations

import numpy as np
import pytest
from two_stains import STAINS, write_two_stains

from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.errors import DataError, UsageError
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.stain_samples import (
    JitteredSamples,
    TaughtSamples,
    UnpairedSamples,
    matched_places,
    pictures_at,
    shared_types,
)
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.patch_ranges import STAIN_PATCHES, PatchRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

CLASSES = ("lymphocyte", "neutrophil", "erythrocyte")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    kinds = {"cream": CLASSES, "pink": CLASSES[:2]}
    found = read_manifest(write_two_stains(tmp_path_factory.mktemp("cells"), types=kinds))
    return found.with_columns(type=found.column("label").tolist())


def samples(
    manifest: Manifest, stain: str, types: tuple[str, ...] = CLASSES, ranges: object = None
) -> ManifestSamples:
    chosen = (manifest.column("source") == stain) & np.isin(manifest.column("type"), types)
    view = PictureViewConfig(16, None, ranges or AffineRanges())  # type: ignore[arg-type]
    return ManifestSamples(manifest, CLASSES, view, rows=np.flatnonzero(chosen))


def test_partners_are_of_one_type_and_the_larger_set_is_gone_through(manifest: Manifest) -> None:
    cream, pink = (samples(manifest, stain) for stain in STAINS)
    assert len(cream) > len(pink) == 20
    assert shared_types(cream, pink) == CLASSES[:2]
    pairs = UnpairedSamples(cream, pink)
    assert len(pairs) == 20, "erythrocytes of one stain alone are left out"
    rng = np.random.default_rng(0)
    views = {one: pictures_at(of, range(len(of))) for one, of in (("a", cream), ("b", pink))}

    def place(which: str, picture: np.ndarray) -> int:
        (found,) = np.flatnonzero((views[which] == picture).all((1, 2, 3)))
        return int(found)

    partners = set()
    for index in range(len(pairs)):
        drawn = pairs.sample(index, rng)
        a, b = place("a", drawn["pixels_a"]), place("b", drawn["pixels_b"])
        assert cream.targets[a] == pink.targets[b]
        assert f"row {cream.rows[a] + 1} " in pairs.describe(index)
        partners.add(b)
    assert len(partners) > 5, "they are drawn"
    other = UnpairedSamples(pink, cream).sample(0, rng)
    place("a", other["pixels_b"]), place("b", other["pixels_a"])  # both are found: A stays A


def test_the_same_chance_gives_the_same_sample(manifest: Manifest) -> None:
    pairs = UnpairedSamples(*(samples(manifest, stain, ranges=STAIN_PATCHES) for stain in STAINS))
    one, same, other = (pairs.sample(3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one["pixels_a"], same["pixels_a"])
    assert np.array_equal(one["pixels_b"], same["pixels_b"])
    assert not np.array_equal(one["pixels_a"], other["pixels_a"])


def test_stains_without_a_shared_type_are_refused(manifest: Manifest) -> None:
    cream, pink = samples(manifest, "cream", CLASSES[:1]), samples(manifest, "pink", CLASSES[1:])
    with pytest.raises(DataError, match="one shows lymphocyte, the other neutrophil; a difference"):
        UnpairedSamples(cream, pink)


def test_judged_pictures_are_as_many_of_each_type(manifest: Manifest) -> None:
    cream, pink = (samples(manifest, stain) for stain in STAINS)
    for most, wanted in ((100, 10), (8, 4), (1, 1)):
        a, b = matched_places(cream, pink, most)
        for one, places in ((cream, a), (pink, b)):
            assert len(set(places)) == len(places)
            assert np.bincount(one.targets[places], minlength=3).tolist() == [wanted, wanted, 0]


def test_jittered_pairs_differ_in_stain_alone(manifest: Manifest) -> None:
    pairs = JitteredSamples(samples(manifest, "pink"), strength=1.0)
    found = pairs.sample(2, np.random.default_rng(0))
    assert np.array_equal(found["target"], pictures_at(pairs.target, [2])[0])
    moved = found["pixels"].astype(int) - found["target"]
    assert np.abs(moved).mean() > 3
    still = JitteredSamples(pairs.target, 0.0).sample(2, np.random.default_rng(0))
    assert np.abs(still["pixels"].astype(int) - still["target"]).max() <= 1
    assert len(pairs) == 20 and "row " in pairs.describe(2)


def test_a_teacher_is_asked_once(manifest: Manifest) -> None:
    asked: list[int] = []

    def negative(pictures: np.ndarray) -> np.ndarray:
        asked.append(len(pictures))
        return 255 - pictures

    pairs = TaughtSamples(samples(manifest, "cream"), negative)
    for _ in range(2):
        found = pairs.sample(1, np.random.default_rng(0))
        assert np.array_equal(found["target"], 255 - found["pixels"])
    assert asked == [1]


def test_patches_keep_cells_round_at_any_magnification() -> None:
    rng = np.random.default_rng(0)
    ranges = PatchRanges(zoom=(0.5, 8.0))
    zooms = np.array([ranges.draw(rng).zoom for _ in range(400)])
    assert np.array_equal(zooms[:, 0], zooms[:, 1])
    assert zooms.min() >= 0.5 and zooms.max() <= 8.0
    assert np.median(zooms) == pytest.approx(2.0, rel=0.25), "even in the logarithm"


def test_patches_lie_anywhere_in_the_square_and_never_beyond() -> None:
    """A view's corners in sides of an unchanged one, from its middle."""
    rng, ranges = np.random.default_rng(1), PatchRanges(zoom=(0.6, 2.0), mirrored=0.5)
    corners = np.array([[x, y] for x in (-0.5, 0.5) for y in (-0.5, 0.5)])
    seen = []
    for _ in range(400):
        change = ranges.draw(rng)
        seen.append((corners - change.shift) @ np.linalg.inv(change.linear).T)
    assert ranges.reach == pytest.approx(0.5 / 0.6)
    assert np.abs(seen).max() <= ranges.reach + 1e-9
    assert np.abs(seen).max() > 0.98 * ranges.reach
    middles = np.array(seen).mean(1)
    assert np.abs(middles.mean(0)).max() < 0.05 and np.abs(middles).max() > 0.4
    with pytest.raises(UsageError, match="patches have no turn of their own"):
        PatchRanges(turn=(-90.0, 90.0))
