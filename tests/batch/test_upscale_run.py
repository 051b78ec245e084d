"""A folder of pictures made larger: whole files, the pitch, bad files, and going on."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.batch.made_pictures import TABLE_COLUMNS
from smearlab.batch.run import RunOptions
from smearlab.batch.upscale_run import upscale_files
from smearlab.errors import OutputExistsError
from smearlab.io.images import read_field
from smearlab.upscale.upscaler import Upscaler
from tiny_upscaler import foretold, write_upscaler

UM_PER_INCH = 25_400


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures of different sizes, one with a pitch of 0.2 µm, and a damaged one."""
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, size, dpi in (("a", (18, 24), UM_PER_INCH / 0.2), ("b", (20, 31), 72)):
        pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png", dpi=(dpi, dpi))
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes()[:60])
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_picture_is_larger_and_a_bad_one_costs_itself(tmp_path: Path, pictures: Path) -> None:
    out = tmp_path / "out"
    upscaler = Upscaler.load(str(write_upscaler(tmp_path / "model")), tile_px=8)
    result = upscale_files([pictures], out, upscaler)
    assert (result.n_inputs, result.n_before) == (3, 0)
    assert [Path(error.path).name for error in result.errors] == ["c.png"]
    for name, um_per_px in (("a", 0.1), ("b", None)):
        before, after = (read_field(path) for path in
                         (pictures / f"{name}.png", out / "pictures" / f"{name}.png"))  # fmt: skip
        apart = np.abs(after.pixels.astype(int) - foretold(before.pixels))
        assert apart.max() <= 1
        assert after.um_per_px == (None if um_per_px is None else pytest.approx(um_per_px))
    rows = rows_of(out / "pictures.csv")
    assert tuple(rows[0]) == TABLE_COLUMNS
    assert [(r["picture"], r["width_px"], r["height_px"], r["um_per_px"]) for r in rows] == [
        ("pictures/a.png", "48", "36", "0.1"), ("pictures/b.png", "62", "40", "")
    ]  # fmt: skip
    assert rows_of(out / "errors.csv")[0]["path"].endswith("c.png")
    assert not list(out.rglob("*.part"))


def test_the_pitch_that_is_given_counts(tmp_path: Path, pictures: Path) -> None:
    options = RunOptions(um_per_px=0.5, jobs=2)
    upscale_files([pictures / "b.png"], tmp_path / "out", Upscaler.load("bicubic", 4), options)
    larger = read_field(tmp_path / "out" / "pictures" / "b.png")
    assert larger.um_per_px == pytest.approx(0.125)
    assert larger.pixels.shape == (80, 124, 3)


def test_the_same_call_goes_on(tmp_path: Path, pictures: Path) -> None:
    out, upscaler = tmp_path / "out", Upscaler.load("bicubic", 2)
    upscale_files([pictures], out, upscaler)
    kept, lost = (out / "pictures" / name for name in ("a.png", "b.png"))
    whole, before = lost.read_bytes(), kept.stat()
    lost.write_bytes(whole[:40])
    again = upscale_files([pictures], out, upscaler)
    assert (again.n_before, len(again.errors)) == (1, 1)
    assert lost.read_bytes() == whole
    after = kept.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_another_call_is_refused_and_forced(tmp_path: Path, pictures: Path) -> None:
    out = tmp_path / "out"
    upscale_files([pictures], out, Upscaler.load("bicubic", 2))
    other = Upscaler.load("bicubic", 3)
    with pytest.raises(OutputExistsError, match="--factor"):
        upscale_files([pictures / "b.png"], out, other)
    (out / "mine.txt").write_text("keep")
    upscale_files([pictures / "b.png"], out, other, force=True)
    assert sorted(path.name for path in (out / "pictures").iterdir()) == ["b.png"]
    assert (out / "mine.txt").read_text() == "keep"
    assert read_field(out / "pictures" / "b.png").pixels.shape == (60, 93, 3)


def test_what_would_be_too_large_is_not_begun(tmp_path: Path, pictures: Path) -> None:
    options = RunOptions(max_pixels=20 * 31 * 16 - 1)
    result = upscale_files([pictures], tmp_path / "out", Upscaler.load("bicubic", 4), options)
    reasons = {Path(error.path).name: error.reason for error in result.errors}
    assert set(reasons) == {"b.png", "c.png"}
    assert "124 × 80 px, more than 9919; cut it, or raise --max-pixels" in reasons["b.png"]


def test_made_pictures_are_no_inputs(tmp_path: Path, pictures: Path) -> None:
    """A folder that holds results is not enlarged once more with them."""
    upscaler = Upscaler.load("bicubic", 2)
    upscale_files([pictures / "a.png"], pictures / "out", upscaler)
    result = upscale_files(
        [pictures / "a.png", pictures / "out" / "pictures"], tmp_path / "o2", upscaler
    )
    assert result.n_inputs == 1
