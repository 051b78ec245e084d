"""Samples from a manifest: the right picture with the right class; what is wrong names its row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import ManifestError, UnknownNameError, UsageError
from smearlab.learn.manifest_samples import ManifestSamples, rows_of_fold, rows_of_split
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.sampling import batches
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.stain.ground import on_ground

CLASSES = ("neutrophil", "monocyte", "platelet")
STILL = PictureViewConfig(size_px=24, crop_px=40, ranges=AffineRanges())
N = 12


def write_pictures(folder: Path) -> list[dict[str, Any]]:
    """Twelve pictures; the grey level of picture n is 20 n, its class n mod 3."""
    rows = []
    for n in range(N):
        name = f"cells/{n:02}.{'png' if n % 4 == 0 else 'jpg'}"
        (folder / "cells").mkdir(exist_ok=True)
        size = (50 + n, 60 - n)  # sizes differ; the middle is the same
        Image.new("RGB", size, (20 * n,) * 3).save(folder / name, quality=95)
        kind = CLASSES[n % 3]
        rows.append(
            {"path": name, "dataset": "drawn", "type": kind, "label": kind.upper(), "split": "train"
             if n < 8 else "val" if n < 10 else "test", "fold": None if n == 0 else n % 2,
             "width_px": size[0], "height_px": size[1], "synthetic": n == 0}
        )  # fmt: skip
    return rows


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    return write_pictures(tmp_path)


def manifest_of(rows: list[dict[str, Any]], root: Path) -> Manifest:
    return Manifest.from_rows(rows, root, "test")


def grey(samples: ManifestSamples, index: int) -> int:
    pixels = samples.sample(index, np.random.default_rng(0))["pixels"]
    return round(float(pixels.mean()) / 20)


def test_every_picture_comes_with_its_class(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    samples = ManifestSamples(manifest_of(rows, tmp_path), CLASSES, STILL)
    assert len(samples) == N
    for n in range(N):
        sample = samples.sample(n, np.random.default_rng(0))
        assert sample["pixels"].shape == (24, 24, 3)
        assert sample["pixels"].dtype == np.uint8
        assert sample["target"] == n % 3
        assert grey(samples, n) == n


def test_parts_come_from_the_columns(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    manifest = manifest_of(rows, tmp_path)
    for split, expected in (("train", range(8)), ("val", (8, 9)), ("test", (10, 11))):
        part = rows_of_split(manifest, split)  # type: ignore[arg-type]
        assert part.tolist() == list(expected)
        samples = ManifestSamples(manifest, CLASSES, STILL, rows=part)
        assert [grey(samples, i) for i in range(len(samples))] == list(expected)
        assert [int(t) for t in samples.targets] == [n % 3 for n in expected]
    held, rest = (rows_of_fold(manifest, 1, held_out=one).tolist() for one in (True, False))
    assert held == [1, 3, 5, 7, 9, 11]
    assert rest == [0, 2, 4, 6, 8, 10]  # 0 has no fold: it trains in every one
    assert rows_of_fold(manifest, 0, held_out=True).tolist() == rest[1:]


def test_the_loader_gives_the_same_with_and_without_workers(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    config = PictureViewConfig(size_px=24, crop_px=40)
    samples = ManifestSamples(manifest_of(rows, tmp_path), CLASSES, config)
    seen = []
    for workers in (0, 1):
        train = TrainConfig(batch_size=4, seed=3, workers=workers)
        seen.append([batch["pixels"] for batch in batches(samples, train, 0, 6)])
    assert len(seen[0]) == 6
    assert seen[0][0].shape == (4, 24, 24, 3)
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))
    assert not torch.equal(seen[0][0], seen[0][3])  # the next epoch is another order


def test_pictures_are_put_on_a_ground_before_a_view_is_cut(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    for row in rows:
        picture = np.full((50, 60, 3), (230, 210, 200), np.uint8)
        picture[20:30, 20:40] = (90, 60, 120)
        Image.fromarray(picture).save(tmp_path / row["path"], quality=100)
        row |= {"width_px": 60, "height_px": 50}
    manifest, rng = manifest_of(rows, tmp_path), np.random.default_rng(0)
    plain = ManifestSamples(manifest, CLASSES, STILL)
    on = ManifestSamples(manifest, CLASSES, STILL, ground=(180, 190, 220))
    for n in (0, 1):  # a PNG and a JPEG
        assert on.read(n).pixels.shape[:2] == (50, 60)
        moved = on.sample(n, rng)["pixels"]
        assert moved[0, 0].tolist() == [180, 190, 220]
        was = plain.sample(n, rng)["pixels"]
        assert np.abs(moved.astype(int) - on_ground(was, (180, 190, 220))).max() <= 1
    on.cache.limit_bytes = 1 << 20
    on.keep()
    np.testing.assert_array_equal(on.sample(1, rng)["pixels"], moved)


def test_other_columns_can_name_the_class(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    upper = [name.upper() for name in CLASSES]
    samples = ManifestSamples(manifest_of(rows, tmp_path), upper, STILL, column="label")
    assert samples.targets.tolist() == [n % 3 for n in range(N)]


def test_a_class_that_is_not_asked_for_names_its_row(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    manifest = manifest_of(rows, tmp_path)
    with pytest.raises(ManifestError, match=r"row 3 \(cells/02.jpg\) has the type 'platelet'"):
        ManifestSamples(manifest, CLASSES[:2], STILL)
    # Rows are counted in the manifest, not among those that are used.
    with pytest.raises(ManifestError, match=r"row 9 \(cells/08.png\) has the type 'platelet'"):
        ManifestSamples(manifest, CLASSES[:2], STILL, rows=rows_of_split(manifest, "val"))


def test_a_missing_class_names_its_row(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    rows[4]["type"] = None
    with pytest.raises(ManifestError, match=r"row 5 \(cells/04.png\) has no type"):
        ManifestSamples(manifest_of(rows, tmp_path), CLASSES, STILL)
    for row in rows:
        row["type"] = None
    with pytest.raises(ManifestError, match="no row has a type; write it with smearlab data"):
        ManifestSamples(manifest_of(rows, tmp_path), CLASSES, STILL)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "there is no such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:300]), "truncated or damaged"),
        (lambda path: path.write_bytes(b"no picture"), "not a JPEG"),
        (lambda path: Image.new("RGB", (39, 80)).save(path), "a square of 40 px cannot be cut"),
    ],
)
def test_a_picture_that_cannot_be_used_names_its_row_and_file(
    tmp_path: Path, rows: list[dict[str, Any]], damage: Any, message: str
) -> None:
    manifest = manifest_of(rows, tmp_path)
    samples = ManifestSamples(manifest, CLASSES, STILL, rows=np.array([4, 5, 6]))
    damage(tmp_path / "cells" / "05.jpg")
    assert grey(samples, 0) == 4
    with pytest.raises(ManifestError, match=message) as raised:
        samples.sample(1, np.random.default_rng(0))
    assert str(raised.value).startswith("row 6")
    assert "05.jpg" in str(raised.value)


def test_an_error_of_a_worker_keeps_its_kind_and_words(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    samples = ManifestSamples(manifest_of(rows, tmp_path), CLASSES, STILL)
    (tmp_path / "cells" / "05.jpg").unlink()
    with pytest.raises(ManifestError, match=r"row 6 \(cells/05.jpg\): there is no such file"):
        list(batches(samples, TrainConfig(batch_size=4, workers=1), 0, 3))


def test_pictures_known_to_be_small_are_refused_before_training(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    rows[6]["width_px"] = None  # not known: seen when it is read
    manifest = manifest_of(rows, tmp_path)
    larger = PictureViewConfig(size_px=24, crop_px=50)
    with pytest.raises(ManifestError, match=r"row 12 \(cells/11.jpg\) has a height_px of 49, less"):
        ManifestSamples(manifest, CLASSES, larger)


def test_synthetic_pictures_are_never_held_out(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    rows[9]["synthetic"] = True
    manifest = manifest_of(rows, tmp_path)
    assert 0 in rows_of_split(manifest, "train")
    with pytest.raises(ManifestError, match=r"row 10 \(cells/09.jpg\) is synthetic and held out"):
        rows_of_split(manifest, "val")
    with pytest.raises(ManifestError, match="row 10"):
        rows_of_fold(manifest, 1, held_out=True)
    assert rows_of_fold(manifest, 0, held_out=False).size == 7


def test_parts_that_are_not_there_are_said(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["split"] = row["fold"] = None
    manifest = manifest_of(rows, tmp_path)
    with pytest.raises(ManifestError, match="no row is in the split 'train'; make it with"):
        rows_of_split(manifest, "train")
    with pytest.raises(ManifestError, match="no row is in fold 2; make folds"):
        rows_of_fold(manifest, 2, held_out=False)
    with pytest.raises(UnknownNameError, match="did you mean 'train'"):
        rows_of_split(manifest, "trian")  # type: ignore[arg-type]


def test_impossible_requests_are_refused(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    manifest = manifest_of(rows, tmp_path)
    with pytest.raises(UsageError, match="classes must be different names"):
        ManifestSamples(manifest, ())
    with pytest.raises(UsageError, match="classes must be different names"):
        ManifestSamples(manifest, ("a", "a"))
    with pytest.raises(UnknownNameError, match="unknown column of classes 'stain'"):
        ManifestSamples(manifest, CLASSES, column="stain")
    with pytest.raises(ManifestError, match="no picture is left"):
        ManifestSamples(manifest, CLASSES, rows=np.array([], np.intp))
