"""Features are measured once for each picture and kept by its bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from painted_cells import paint
from PIL import Image

from smearlab.errors import ManifestError, UsageError
from smearlab.learn.classical import feature_store
from smearlab.learn.classical.feature_store import FeatureStore, measure_file
from smearlab.learn.classical.features import FEATURES, measure


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for n, path in enumerate(paths):
        Image.fromarray(paint("neutrophil", n)[0]).save(path)
    return paths


def test_features_are_those_of_the_picture(pictures: list[Path]) -> None:
    found = FeatureStore(None, 128).features(pictures, [128] * 3)
    assert found.shape == (3, len(FEATURES))
    for n in range(3):
        np.testing.assert_array_equal(found[n], measure(paint("neutrophil", n)[0]))
    assert np.nanmax(np.abs(found[0] - found[1])) > 0


def test_what_is_kept_is_not_measured_again(
    pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: list[int] = []
    first = FeatureStore(tmp_path / "kept", 128)
    before = first.features(pictures[:2], [100] * 2, advance=lambda: ticks.append(1))
    asked: list[tuple[Path, int]] = []

    def noted(one: tuple[Path, int], size_px: int) -> np.ndarray:
        asked.append(one)
        return measure_file(one, size_px)

    monkeypatch.setattr(feature_store, "measure_file", noted)
    copy = shutil.copy(pictures[0], tmp_path / "copy.png")
    again = FeatureStore(tmp_path / "kept", 128)
    after = again.features([*pictures, Path(copy)], [100] * 4, advance=lambda: ticks.append(1))
    np.testing.assert_array_equal(after[:2], before)
    np.testing.assert_array_equal(after[3], before[0])  # the same bytes under another name
    assert asked == [(pictures[2], 100)]
    assert len(ticks) == 2 + 4
    again.features(pictures[:1], [64])  # another part of the picture
    assert asked[1:] == [(pictures[0], 64)]
    Image.fromarray(paint("lymphocyte", 9)[0]).save(pictures[0])  # another picture, same name
    changed = again.features(pictures[:1], [100])
    assert len(asked) == 3
    assert np.nanmax(np.abs(changed - before[0])) > 0
    assert len(FeatureStore(tmp_path / "kept", 128)) == len(again) == 5
    assert len(FeatureStore(tmp_path / "kept", 64)) == 0


def test_two_processes_measure_the_same(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_store, "_WORTH_PROCESSES", 2)
    one = FeatureStore(None, 64).features(pictures, [0] * 3, jobs=1)
    two = FeatureStore(None, 64).features(pictures, [0] * 3, jobs=2)
    np.testing.assert_array_equal(one, two)


def test_kept_features_of_another_table_are_not_used(pictures: list[Path], tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 64)
    store.features(pictures, [0] * 3)
    assert store.path is not None
    with np.load(store.path) as kept:
        arrays = dict(kept)
    np.savez(store.path, **{**arrays, "names": arrays["names"][::-1]})
    assert len(FeatureStore(tmp_path, 64)) == 0
    store.path.write_bytes(b"half a file")
    with pytest.raises(ManifestError, match=r"cannot be read .* delete it"):
        FeatureStore(tmp_path, 64)


def test_pictures_that_cannot_be_measured_are_named(pictures: list[Path], tmp_path: Path) -> None:
    store = FeatureStore(None, 128)
    with pytest.raises(ManifestError, match=r"0.png: a square of 200 px cannot be cut from 128"):
        store.features(pictures, [200] * 3)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ManifestError, match=r"bad\.png.*leave it out of the manifest"):
        store.features([tmp_path / "bad.png"], [0])
    with pytest.raises(ManifestError, match=r"gone\.png cannot be read"):
        store.features([tmp_path / "gone.png"], [0])
    with pytest.raises(UsageError, match="jobs must be at least 1; received 0"):
        store.features(pictures, [0] * 3, jobs=0)


def test_no_pictures_have_no_features() -> None:
    assert FeatureStore(None, 64).features([], []).shape == (0, len(FEATURES))
