"""Pictures of one element: the rest is black, and every row is accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from disc_archives import HEALTHY, import_discs, write_all_idb1, write_all_idb2
from smearlab.datasets.adapters.importing import to_manifest
from smearlab.datasets.adapters.reading import read_archive
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.manifest.merge import merged
from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.datasets.segmented_manifest import segment_manifest, segmented_elements
from smearlab.elements.segmenter import ElementSegmenter
from smearlab.errors import DataError, OutputExistsError, UsageError
from tiny_bundles import COLOURS, PALE, draw_discs, write_elements


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> ElementSegmenter:
    folder = write_elements(tmp_path_factory.mktemp("models") / "gan", "RBC", "WBC")
    return ElementSegmenter.load(str(folder))


@pytest.fixture
def cells(tmp_path: Path) -> Manifest:
    """Two blasts and two healthy cells, each with a neighbour."""
    return import_discs("all_idb2", write_all_idb2(tmp_path / "ALL_IDB2", 2, 2))


def pixels_of(manifest: Manifest, row: int) -> np.ndarray:
    with Image.open(manifest.file(manifest.column("path")[row])) as picture:
        return np.array(picture)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "segmented.jsonl"  # in the order of finishing
    }


def shows(pixels: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((pixels == colour).all(axis=2).sum())


def test_white_cells_alone_with_all_that_was_known(
    tmp_path: Path, cells: Manifest, segmenter: ElementSegmenter
) -> None:
    given = cells.with_columns(split=["train", "test", "train", "val"], patient=list("abcd"))
    report = segment_manifest(given, tmp_path / "out", segmenter, ["WBC"])
    made = read_manifest(tmp_path / "out" / "manifest.parquet")
    assert made.table.equals(report.manifest.table)
    assert (report.not_found, report.problems) == ((), {})
    changed = {"path", "sha256", "mask"}
    for name in set(given.table.column_names) - changed:
        assert made.table.column(name).equals(given.table.column(name)), name
    for row, cell in enumerate((PALE, PALE, HEALTHY, HEALTHY)):
        pixels = pixels_of(made, row)
        whole = pixels_of(given, row)
        inside = pixels.any(axis=2)
        np.testing.assert_array_equal(pixels[inside], whole[inside])
        assert shows(pixels, cell) == shows(whole, cell) > 300
        assert shows(pixels, HEALTHY) == shows(whole, HEALTHY) > 300  # the neighbour
        assert shows(pixels, COLOURS["RBC"]) == 0
    assert made.provenance[: len(given.provenance)] == given.provenance
    line = made.provenance[-1]
    described = segmenter.describe()["wbc"]
    assert line["operation"] == "segment"
    assert line["arguments"]["bundles"]["wbc"] == {
        "name": "discs_wbc", "sha256": described["sha256"],
    }  # fmt: skip
    assert line["arguments"]["elements"] == ["WBC"]


def test_the_cell_in_the_middle_without_its_neighbour(
    tmp_path: Path, cells: Manifest, segmenter: ElementSegmenter
) -> None:
    report = segment_manifest(cells, tmp_path / "out", segmenter, ["WBC"], central=True)
    for row in (0, 1):
        pixels = pixels_of(report.manifest, row)
        assert shows(pixels, PALE) > 300
        assert shows(pixels, HEALTHY) == 0
    with pytest.raises(UsageError, match="the cell in the middle is one of one element"):
        segment_manifest(cells, tmp_path / "o", segmenter, ["RBC", "WBC"], central=True)


def test_fields_and_several_elements(tmp_path: Path, segmenter: ElementSegmenter) -> None:
    fields = import_discs("all_idb1", write_all_idb1(tmp_path / "ALL_IDB1", 1, 1))
    both = segment_manifest(fields, tmp_path / "both", segmenter, ["RBC", "WBC"], threads=2)
    white = segment_manifest(fields, tmp_path / "white", segmenter, ["WBC"], threads=2)
    assert list(white.manifest.column("label")) == ["blast", "healthy"]
    for row in range(2):
        more, less = (pixels_of(one.manifest, row).any(axis=2) for one in (both, white))
        assert more[less].all() and more.sum() > 1.3 * less.sum() > 0


def test_pictures_without_the_element_are_named(
    tmp_path: Path, cells: Manifest, segmenter: ElementSegmenter
) -> None:
    path = cells.column("path")[1]
    Image.fromarray(draw_discs([(40, 40, "RBC")], (96, 96))).save(cells.file(path))
    (cells.file(cells.column("path")[2])).write_bytes(b"II*\0 broken")
    shown: list[int] = []
    report = segment_manifest(
        cells, tmp_path / "out", segmenter, ["WBC"], advance=lambda: shown.append(1)
    )
    assert len(shown) == 4
    assert report.not_found == (path,)
    assert list(report.problems) == [cells.column("path")[2]]
    assert list(report.manifest.column("source_image")) == ["Im001_1.tif", "Im004_0.tif"]
    changed = report.manifest.provenance[-1]["changed"]
    assert changed == {"not_found": [path], "lost": [cells.column("path")[2]]}
    kept = segment_manifest(cells, tmp_path / "kept", segmenter, ["WBC"], keep_whole=True)
    assert (len(kept.manifest), kept.not_found) == (3, (path,))
    np.testing.assert_array_equal(pixels_of(kept.manifest, 1), pixels_of(cells, 1))


def test_no_picture_left_is_an_error(
    tmp_path: Path, cells: Manifest, segmenter: ElementSegmenter
) -> None:
    for path in cells.column("path"):
        Image.fromarray(np.full((96, 96, 3), 255, np.uint8)).save(cells.file(path))
    with pytest.raises(DataError, match="WBC was found in none of 4 pictures"):
        segment_manifest(cells, tmp_path / "out", segmenter, ["WBC"])


def test_an_interrupted_run_goes_on_to_the_same_files(
    tmp_path: Path, cells: Manifest, segmenter: ElementSegmenter
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    segment_manifest(cells, whole, segmenter, ["WBC"])

    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        segment_manifest(cells, broken, segmenter, ["WBC"], advance=stop)
    assert not (broken / "manifest.parquet").exists()
    written = sorted((broken / "images").iterdir())
    lines = (broken / "segmented.jsonl").read_text().splitlines()
    assert written and len(lines) == 2  # the settings and one picture
    first = broken / json.loads(lines[1])["file"]
    before = first.stat().st_mtime_ns
    with (broken / "segmented.jsonl").open("a") as file:
        file.write('{"path": "img/Im')  # a line that a crash left unfinished
    segment_manifest(cells, broken, segmenter, ["WBC"])
    assert files(whole) == files(broken)
    assert first.stat().st_mtime_ns == before
    first.unlink()  # a picture that got lost is made again
    segment_manifest(cells, broken, segmenter, ["WBC"])
    assert files(whole) == files(broken)


def test_another_split_may_come_later_and_other_settings_may_not(
    tmp_path: Path, cells: Manifest, segmenter: ElementSegmenter
) -> None:
    out = tmp_path / "out"
    segment_manifest(cells, out, segmenter, ["WBC"])
    again = segment_manifest(
        cells.with_columns(split=["test"] * 4), out, segmenter, ["WBC"]
    ).manifest
    assert set(again.column("split")) == {"test"}
    with pytest.raises(OutputExistsError, match=r"pictures segmented with elements \['WBC'\]"):
        segment_manifest(cells, out, segmenter, ["RBC"])
    with pytest.raises(OutputExistsError, match="pictures segmented with pictures"):
        segment_manifest(cells.take(np.arange(2)), out, segmenter, ["WBC"])
    with pytest.raises(UsageError, match=r"some of RBC, WBC, which the model .* received PLT"):
        segment_manifest(cells, tmp_path / "plt", segmenter, ["PLT"])


def test_what_a_manifest_shows_is_in_its_provenance(
    tmp_path: Path, cells: Manifest, segmenter: ElementSegmenter
) -> None:
    assert segmented_elements(cells.provenance) == ()
    made = segment_manifest(cells, tmp_path / "out", segmenter, ["WBC"]).manifest
    split = made.take(np.arange(2)).noted("split")
    assert segmented_elements(split.provenance) == ("WBC",)
    other = replace(made.take(np.arange(2, 4)), root=made.root)
    assert segmented_elements(merged([split, other]).provenance) == ("WBC",)
    assert segmented_elements(merged([made, cells]).provenance) == ()


def test_real_white_cells_are_whole_and_alone(
    tmp_path: Path, data_part: Callable[[str], Path]
) -> None:
    """By the masks of people: the cell in the middle, nothing else of the picture."""
    folder = data_part("cells/zheng1")
    manifest = to_manifest(read_archive(ADAPTERS["zheng"], folder))
    has_mask = np.array([mask is not None for mask in manifest.column("mask")], bool)
    manifest = manifest.take(np.flatnonzero(has_mask)[::30])
    report = segment_manifest(
        manifest, tmp_path / "out", ElementSegmenter.load(), ["WBC"], central=True, threads=2
    )
    # In tight pictures of this stain many white cells are taken for red ones: they are named.
    assert len(report.manifest) + len(report.not_found) == len(manifest) == 10
    assert len(report.manifest) >= 5
    dice = {}
    truth = dict(zip(manifest.column("source_image"), manifest.column("mask"), strict=True))
    for row, name in enumerate(report.manifest.column("source_image")):
        with Image.open(manifest.file(truth[name])) as picture:
            mask = np.array(picture.convert("L")) > 64
        inside = pixels_of(report.manifest, row).any(axis=2)
        dice[name] = 2 * (mask & inside).sum() / (mask.sum() + inside.sum())
    assert np.median(list(dice.values())) > 0.85, dice
