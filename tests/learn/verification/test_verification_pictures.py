"""What a verification compares: views of one size, a split without synthetic pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
from painted_sets import MADE_PX, REAL_PX, paint

from smearlab.datasets.manifest.fingerprints import LEARNED, fingerprints
from smearlab.datasets.manifest.table import read_manifest, write_manifest
from smearlab.errors import ManifestError, UnknownNameError, UsageError
from smearlab.io.images import read_field
from smearlab.learn.verification.config import CHECKS, VerifyConfig
from smearlab.learn.verification.pictures import (
    VerifiedPictures,
    load_pictures,
    read_verified,
)

CONFIG = VerifyConfig(crop_px=REAL_PX)


def read(made: Path, real: Path, out: Path, config: VerifyConfig = CONFIG) -> VerifiedPictures:
    return read_verified(made, str(real), config, out, show=False)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint(tmp_path_factory.mktemp("real"), 10, synthetic=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint(tmp_path_factory.mktemp("made"), 6, synthetic=True)


def test_real_pictures_get_the_size_of_the_synthetic_ones(
    made: Path, real: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    found = read_verified(made.parent, str(real), CONFIG, tmp_path, show=False, say=said.append)
    assert found.size_px == MADE_PX and found.types == ("basophil", "monocyte")
    assert [len(found.part(name)) for name in ("train", "val", "test")] == [8, 4, 8]
    first = found.real.file(found.real.column("path")[0])
    view = read_field(first).pixels
    whole = read_field(real.parent / "basophil-0.png").pixels.astype(float)
    halved = whole.reshape(MADE_PX, 2, MADE_PX, 2, 3).mean((1, 3))
    assert np.abs(view - halved).max() <= 1
    assert "12 synthetic pictures of 24 px by painter; real ones: train 8" in said[0]
    written = first.stat().st_mtime_ns
    again = read(made, real, tmp_path)
    assert again.digest == found.digest
    assert first.stat().st_mtime_ns == written, "views are made once"


def test_the_crop_changes_what_is_compared(made: Path, real: Path, tmp_path: Path) -> None:
    whole = read(made, real, tmp_path)
    half = read(made, real, tmp_path, VerifyConfig(crop_px=REAL_PX // 2))
    first, other = (one.real.file(one.real.column("path")[0]) for one in (whole, half))
    assert not np.array_equal(read_field(first).pixels, read_field(other).pixels)
    # What was trained or checked with the first does not pass for what the other would give.
    assert whole.digest != half.digest
    again = read(made, real, tmp_path)
    assert again.digest == whole.digest
    assert (
        read_manifest(tmp_path / "pictures" / "real.parquet").column("path")[0]
        == (whole.real.column("path")[0])
    )


def test_without_a_split_groups_stay_together(made: Path, real: Path, tmp_path: Path) -> None:
    table = read_manifest(real)
    free = table.with_columns(split=[None] * len(table))
    path = write_manifest(real.parent / "free.parquet", free)
    found = read(made, path, tmp_path)
    parts = dict.fromkeys(found.real.column("group"))
    for group in parts:
        inside = found.real.column("split")[found.real.column("group") == group]
        assert len(set(inside)) == 1
    assert {*found.real.column("split")} == {"train", "val", "test"}


def test_pictures_in_memory(made: Path, real: Path, tmp_path: Path) -> None:
    found = read(made, real, tmp_path)
    few = load_pictures(found.part("train"), ("monocyte",), 3, 0)
    assert few.pixels.shape == (3, MADE_PX, MADE_PX, 3)
    assert set(few.types) == {"monocyte"}
    assert len(set(load_pictures(found.part("train"), found.types, 99, 0).groups)) == 4


def refusal(made: Path, real: Path, out: Path) -> str:
    """What is said of pictures that are refused."""
    with pytest.raises(ManifestError) as error:
        read(made, real, out)
    return str(error.value)


def test_a_synthetic_picture_in_test_is_refused(made: Path, real: Path, tmp_path: Path) -> None:
    table = read_manifest(real)
    marked = table.column("path") == "monocyte-4.png"
    path = write_manifest(real.parent / "mixed.parquet", table.with_columns(synthetic=marked))
    assert "monocyte-4.png) is synthetic and in test (1 such)" in refusal(made, path, tmp_path)
    wrong = paint(tmp_path / "made", 2, synthetic=True, split="test")
    assert "is synthetic and in test; synthetic pictures are only trained" in refusal(
        wrong, real, tmp_path
    )


def test_real_pictures_among_the_synthetic_ones_are_refused(real: Path, tmp_path: Path) -> None:
    assert "not marked as synthetic" in refusal(real, real, tmp_path)


def test_types_that_differ_are_refused(real: Path, tmp_path: Path) -> None:
    other = paint(tmp_path / "made", 2, synthetic=True, types=("monocyte", "platelet"))
    assert "are of platelet, and the real ones only of basophil, monocyte" in refusal(
        other, real, tmp_path
    )
    untyped = paint(tmp_path / "untyped", 2, synthetic=True, type=None)
    assert "has no type" in refusal(untyped, real, tmp_path)


def test_an_empty_class_is_refused(made: Path, real: Path, tmp_path: Path) -> None:
    table = read_manifest(real)
    gone = (table.column("type") == "monocyte") & (table.column("split") == "test")
    path = write_manifest(real.parent / "empty.parquet", table.take(~gone))
    assert "no real monocyte is in test" in refusal(made, path, tmp_path)


def test_a_generator_that_saw_test_pictures_is_refused(real: Path, tmp_path: Path) -> None:
    table = read_manifest(real)
    sums = [f"{n:02x}" * 32 for n in range(1, len(table) + 1)]
    path = write_manifest(real.parent / "summed.parquet", table.with_columns(sha256=sums))
    made = paint(tmp_path / "made", 2, synthetic=True)

    def learned(*parts: str) -> Path:
        seen = [one for one, part in zip(sums, table.column("split"), strict=True) if part in parts]
        told = read_manifest(made).noted(LEARNED, model="gan", fingerprints=fingerprints(seen))
        return write_manifest(made, told)

    assert read(learned("train"), path, tmp_path / "out").types
    assert "gan learned from 8 of the real pictures that are held out" in refusal(
        learned("train", "test"), path, tmp_path
    )


def test_missing_pictures_and_uneven_sizes_are_refused(
    made: Path, real: Path, tmp_path: Path
) -> None:
    gone = paint(tmp_path / "gone", 2, synthetic=True)
    (gone.parent / "monocyte-1.png").unlink()
    assert "monocyte-1.png) is not there" in refusal(gone, real, tmp_path)
    uneven = paint(tmp_path / "uneven", 2, synthetic=True, width_px=32, height_px=24)
    assert "24 × 24 px, 32 × 24 px" in refusal(uneven, real, tmp_path)
    with pytest.raises(UsageError, match=r"holds no manifest\.parquet or manifest\.csv"):
        read(tmp_path, real, tmp_path)


def test_settings_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cosine'"):
        VerifyConfig(checks=("cosin",))
    with pytest.raises(UnknownNameError, match="did you mean 'lwcnn'"):
        VerifyConfig(network="lwcn")
    with pytest.raises(UsageError, match="seeds must be at least 1; received 0"):
        VerifyConfig(seeds=0)
    with pytest.raises(UsageError, match="shares must lie within 0 to 10"):
        VerifyConfig(shares=(-0.5,))
    with pytest.raises(UsageError, match="quantile"):
        VerifyConfig(quantile=1.0)
    assert VerifyConfig(shares=(1.0, 0.5)).arms == (0.0, 0.5, 1.0)
    assert VerifyConfig(checks=("cosine", "figures")).wanted == ("figures", "cosine")
    assert VerifyConfig().wanted == tuple(CHECKS)
