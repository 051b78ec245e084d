"""Hashing and measuring: what is wrong with a file costs that file and is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bad_files import write_bad_files
from smearlab.datasets.adapters.checking import compare, count
from smearlab.datasets.adapters.reading import measure, read_archive, survey
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.adapters.tree import open_tree
from smearlab.errors import DataError, UsageError
from smearlab.io.images import read_field
from tiny_archives import picture, text, write_archive

OWN = ADAPTERS["folder"]
#: A header tells nothing of these; decoding does.
HIDDEN = {"zero padded.jpg", "flipped bit.png", "half deflated.tiff", "scrambled.tif"}


def test_every_unreadable_picture_is_listed_with_a_reason(tmp_path: Path) -> None:
    bad = write_bad_files(tmp_path / "blast")
    picture(tmp_path / "blast" / "good.png")
    reading = read_archive(OWN, tmp_path)
    listed = {Path(problem.path).name for problem in reading.lost}
    kept = {Path(row["path"]).name for row in reading.rows}
    assert listed | kept == {*bad, "good.png"}, "none is lost without a word"
    assert {"empty.jpg", "text.png", "web page.jpg", "half.jpg", "half.png"} <= listed
    assert all(problem.reason for problem in reading.lost)
    whole = measure(survey(OWN, tmp_path), decode=True)
    assert {Path(problem.path).name for problem in whole.lost} == set(bad)
    assert HIDDEN - listed, "decoding finds what headers hide"


def test_only_unreadable_pictures_are_an_error(tmp_path: Path) -> None:
    text(tmp_path / "blast" / "a.png", "no picture")
    with pytest.raises(DataError, match=r"none of the 1 pictures .* blast/a\.png: it is no pic"):
        read_archive(OWN, tmp_path)


def test_a_wrong_suffix_is_noted_and_the_picture_kept(tmp_path: Path) -> None:
    picture(tmp_path / "blast" / "a.png", kind="JPEG")
    reading = read_archive(OWN, tmp_path)
    assert [(p.path, p.kind) for p in reading.problems] == [("blast/a.png", "suffix")]
    assert reading.lost == ()
    assert len(reading.rows) == 1


def test_a_mask_of_another_size_is_noted(tmp_path: Path) -> None:
    write_archive("bccd", tmp_path)
    picture(tmp_path / "wbc_masks/BloodImage_Mask_00001.png", (41, 32))
    text(tmp_path / "wbc_masks/BloodImage_00002.png", "no picture")
    reading = read_archive(ADAPTERS["bccd"], tmp_path)
    assert len(reading.rows) == 3
    assert reading.lost == ()
    assert [(one.path[-9:], one.kind) for one in reading.problems] == [
        ("00001.jpg", "mask"),
        ("00002.jpg", "mask"),
    ]
    assert "is of 41×32 px, the picture of 40×32" in reading.problems[0].reason
    assert "cannot be read" in reading.problems[1].reason


def test_a_target_of_another_size_is_noted(tmp_path: Path) -> None:
    write_archive("all_idb1", tmp_path)
    picture(tmp_path / "ALL_IDB1/PLT/Im001_1.png", (8, 8))
    (problem,) = read_archive(ADAPTERS["all_idb1"], tmp_path).problems
    assert "ALL_IDB1/PLT/Im001_1.png is of 8×8" in problem.reason


def test_a_damaged_annotation_costs_its_picture(tmp_path: Path) -> None:
    write_archive("bccd", tmp_path)
    file = tmp_path / "Annotations/BloodImage_00001.xml"
    file.write_text(file.read_text()[:80])
    reading = read_archive(ADAPTERS["bccd"], tmp_path)
    assert [Path(row["path"]).stem[-1] for row in reading.rows] == ["0", "2"]
    (problem,) = reading.lost
    assert (problem.path, problem.kind) == ("JPEGImages/BloodImage_00001.jpg", "annotation")
    assert "well-formed" in problem.reason


@pytest.mark.parametrize("line", ["50 5 0", "5 -1 0", "5 5", "5 5 0 0", "a 5 0", "nan 5 0"])
def test_a_point_that_is_none_costs_its_picture(line: str, tmp_path: Path) -> None:
    write_archive("chula_rbc12", tmp_path)
    text(tmp_path / "Label/1.txt", f"3 3 0\n{line}\n")
    reading = read_archive(ADAPTERS["chula_rbc12"], tmp_path)
    assert [row["path"] for row in reading.rows] == ["Dataset/2.jpg"]
    assert "line 2" in reading.lost[0].reason


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(orientation: int, tmp_path: Path) -> None:
    file = tmp_path / "blast" / "a.jpg"
    file.parent.mkdir()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (60, 30)).save(file, exif=exif)
    (row,) = read_archive(OWN, tmp_path).rows
    field = read_field(file)
    assert (row["width_px"], row["height_px"]) == (field.width_px, field.height_px)


@settings(max_examples=15)
@given(size=st.tuples(st.integers(16, 90), st.integers(16, 90)),
       kind=st.sampled_from(["a.jpg", "a.png", "a.tif", "a.bmp", "a.webp"]))  # fmt: skip
def test_headers_tell_the_size(
    size: tuple[int, int], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("sizes")
    picture(root / "x" / kind, size)
    (row,) = read_archive(OWN, root, jobs=1).rows
    assert (row["width_px"], row["height_px"]) == size


def test_progress_is_told_for_every_picture_and_threads_change_nothing(tmp_path: Path) -> None:
    found = survey(ADAPTERS["raabin"], write_archive("raabin", tmp_path))
    told: list[int] = []
    reading = measure(found, jobs=3, advance=lambda: told.append(1))
    assert len(told) == len(found.found) == 4
    assert reading.rows == measure(found, jobs=1).rows


def test_a_missing_folder_or_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist; name the folder"):
        open_tree(tmp_path / "none")
    text(tmp_path / "pbc.zip", "PK")
    with pytest.raises(UsageError, match="is a file; unpack it"):
        open_tree(tmp_path / "pbc.zip")


def test_a_listing_up_to_two_folders_above_speaks_of_the_files(tmp_path: Path) -> None:
    header = "path,sha256,dataset,split,label,source,original\n"
    row = "fields/bccd/images/a.jpg,,bccd,val,,BCCD,b.jpg\n"
    text(tmp_path / "manifest.csv", header + row)
    picture(tmp_path / "fields/bccd/images/a.jpg")
    for root, path in (("fields/bccd", "images/a.jpg"), ("", "fields/bccd/images/a.jpg")):
        tree = open_tree(tmp_path / root)
        assert tree.said(path, "split") == "val"
        assert tree.said(path, "original") == "b.jpg"
        assert tree.said(path, "label") is None
    assert open_tree(tmp_path / "fields/bccd/images").listing == {}
    text(tmp_path / "manifest.csv", "path,colour\nfields/bccd/images/a.jpg,red\n")
    assert open_tree(tmp_path / "fields/bccd").listing == {}


def test_counts_are_compared_name_by_name(tmp_path: Path) -> None:
    reading = read_archive(ADAPTERS["bccd"], write_archive("bccd", tmp_path))
    assert count(reading.rows) == {
        "pictures": {"all": 3},
        "types": {},
        "parts": {"test": 1, "train": 1, "val": 1},
        "boxes": {"Platelets": 3, "RBC": 3, "all": 6},
    }
    figures = {(f.facet, f.name): (f.published, f.found) for f in compare(
        ADAPTERS["bccd"], reading.rows)}  # fmt: skip
    assert figures == {
        ("pictures", "all"): (364, 3),
        ("parts", "train"): (205, 1),
        ("parts", "val"): (87, 1),
        ("parts", "test"): (72, 1),
        ("boxes", "RBC"): (4155, 3),
        ("boxes", "WBC"): (372, 0),
        ("boxes", "Platelets"): (361, 3),
    }


def test_a_part_that_was_never_published_differs(tmp_path: Path) -> None:
    reading = read_archive(ADAPTERS["bccd"], write_archive("bccd", tmp_path))
    rows = [{**row, "published_split": "extra"} for row in reading.rows]
    extra = next(f for f in compare(ADAPTERS["bccd"], rows) if f.name == "extra")
    assert (extra.published, extra.found, extra.differs) == (0, 3, True)
    own = compare(OWN, rows)
    assert own
    assert not any(figure.differs for figure in own), "nothing is published of own folders"
