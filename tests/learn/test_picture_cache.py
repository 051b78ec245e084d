"""Pictures in memory: the same views as from the files, and never more than fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
from smearlab.datasets.manifest.table import Manifest
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.picture_cache import PictureCache
from smearlab.learn.transforms.affine_ranges import PAPER_D, AffineRanges, EightVersionRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

N = 6


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    rng = np.random.default_rng(3)
    rows = []
    for n in range(N):
        pixels = rng.integers(0, 255, (12, 12, 3)).astype(np.uint8).repeat(12, 0).repeat(12, 1)
        name = f"{n}.{'jpg' if n % 2 else 'png'}"
        Image.fromarray(pixels).save(tmp_path / name)
        rows.append({"path": name, "dataset": "drawn", "type": "ab"[n % 2]})
    return Manifest.from_rows(rows, tmp_path, "test")


def views(samples: ManifestSamples) -> np.ndarray:
    return np.stack([samples.sample(n, np.random.default_rng(n))["pixels"] for n in range(N)])


@pytest.mark.parametrize("ranges", [PAPER_D, AffineRanges(), EightVersionRanges()])
def test_kept_pictures_give_the_same_views(manifest: Manifest, ranges: AffineRanges) -> None:
    config = PictureViewConfig(24, 60, ranges, colour=0.5)
    fresh = ManifestSamples(manifest, "ab", config)
    kept = ManifestSamples(manifest, "ab", config, cache=PictureCache(10**9))
    kept.keep()
    assert len(kept.cache) == N
    assert kept.cache.n_bytes == sum(kept.prepared(n).pixels.nbytes for n in range(N))
    for path in manifest.column("path"):
        manifest.file(path).rename(manifest.file(path).with_suffix(".away"))
    kept_views = views(kept)  # without the files
    for path in manifest.column("path"):
        manifest.file(path).with_suffix(".away").rename(manifest.file(path))
    np.testing.assert_array_equal(kept_views, views(fresh))


def test_no_more_is_kept_than_fits(manifest: Manifest) -> None:
    config = PictureViewConfig(24, 60, AffineRanges())
    one = ManifestSamples(manifest, "ab", config).prepared(0).pixels.nbytes
    samples = ManifestSamples(manifest, "ab", config, cache=PictureCache(int(2.5 * one)))
    samples.keep()
    assert len(samples.cache) == 2 and samples.cache.n_bytes <= 2.5 * one
    np.testing.assert_array_equal(views(samples), views(ManifestSamples(manifest, "ab", config)))


def test_views_without_augmentation_share_what_is_kept(manifest: Manifest) -> None:
    config = PictureViewConfig(24, 60, PAPER_D, colour=1.0)
    samples = ManifestSamples(manifest, "ab", config, cache=PictureCache(10**9))
    samples.keep()
    still = samples.without_augmentation()
    assert all(still.cache.get(still.key(n)) is not None for n in range(N))
    plain = ManifestSamples(manifest, "ab", PictureViewConfig(24, 60, AffineRanges()))
    np.testing.assert_array_equal(views(still), views(plain))
    assert (views(samples) != views(plain)).any()


def test_rows_of_another_scale_show_another_square(manifest: Manifest) -> None:
    config = PictureViewConfig(24, 60, AffineRanges())
    crops = np.array([60, 60, 120, 0, 60, 60])
    samples = ManifestSamples(manifest, "ab", config, crops=crops)
    plain = {
        crop: ManifestSamples(manifest, "ab", PictureViewConfig(24, crop, AffineRanges()))
        for crop in (60, 120, None)
    }
    for n, crop in enumerate(crops.tolist()):
        rng = np.random.default_rng(0)
        expected = plain[crop or None].sample(n, rng)["pixels"]
        np.testing.assert_array_equal(samples.sample(n, rng)["pixels"], expected)
