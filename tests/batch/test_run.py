"""A run in this process: same bytes in whatever way, and bad files cost only themselves."""

from __future__ import annotations

import csv
import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from bad_files import write_bad_files
from otsu_analyser import OtsuAnalyser, draw_field
from smearlab.batch.outputs import EXPORTS
from smearlab.batch.run import RunOptions, RunResult, analyze_files
from smearlab.count.summary import summarise
from smearlab.errors import OutputError, OutputExistsError, UnknownNameError, UsageError
from smearlab.io.annotations import coco, geojson, voc, yolo
from smearlab.io.images import read_field
from smearlab.pipeline import Analysis
from smearlab.types import CELL_TYPES, Field

ALL = RunOptions(exports=EXPORTS, jobs=3, um_per_px=0.2)


@pytest.fixture(autouse=True)
def same_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1714521600")


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(9):
        draw_field(folder / f"f{i}.png", i)
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    """Every file but the lock and the notes on how files looked."""
    unlike = {".smearlab/lock", ".smearlab/outputs.json"}
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in sorted(files.items()) if name not in unlike}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_say_what_the_analyser_found(fields: Path, tmp_path: Path) -> None:
    analyser = OtsuAnalyser()
    result = analyze_files([fields], tmp_path / "out", analyser, ALL)
    expected = {
        f"f{i}": analyser.analyze(read_field(fields / f"f{i}.png", um_per_px=0.2)).cells
        for i in range(9)
    }
    cells = rows(tmp_path / "out" / "cells.csv")
    assert [(row["field"], row["id"], row["type"]) for row in cells] == [
        (name, str(cell.label), cell.type) for name in expected for cell in expected[name]
    ]
    counts = json.loads((tmp_path / "out" / "counts.json").read_bytes())
    pooled = summarise([c for found in expected.values() for c in found], 9).to_dict()
    assert {key: counts["pooled"][key] for key in pooled} == pooled == result.pooled
    assert [entry["name"] for entry in counts["fields"]] == list(expected)
    for name in expected:
        overlay = cv2.imread(str(tmp_path / "out" / "overlays" / f"{name}.png"))
        assert overlay.shape == (120, 160, 3)
    page = result.report.read_text(encoding="utf-8")
    assert "otsu" in page
    assert "2024-05-01" in page
    assert rows(tmp_path / "out" / "errors.csv") == []
    assert (result.n_inputs, result.n_before, result.errors) == (9, 0, ())


def test_annotations_of_all_formats_hold_every_cell(fields: Path, tmp_path: Path) -> None:
    draw_field(fields / "classes.png", 9)  # YOLO's list of classes is called like that
    analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    folder = tmp_path / "out" / "annotations"
    n_of_field = {
        entry["name"]: entry["n_cells"]
        for entry in json.loads((tmp_path / "out" / "counts.json").read_bytes())["fields"]
    }
    assert len(n_of_field) == 10
    in_coco = {one.name: len(one.items) for one in coco.read(folder / "coco.json")}
    assert in_coco == n_of_field
    for name, n in n_of_field.items():
        size = (160, 120)
        found = geojson.read(folder / "geojson" / f"{name}.geojson", size_px=size)
        assert len(found.items) == n
        assert len(voc.read(folder / "voc" / f"{name}.xml").items) == n
        file = folder / "yolo" / f"{'classes.' if name == 'classes' else name}.txt"
        assert len(yolo.read(file, CELL_TYPES, size_px=size).items) == n
    assert yolo.read_classes(folder / "yolo" / "classes.txt") == CELL_TYPES


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_jobs_alter_no_byte(fields: Path, tmp_path: Path, jobs: int) -> None:
    (fields / "bad.png").write_bytes(b"")
    analyze_files([fields], tmp_path / "a", OtsuAnalyser(), ALL)
    analyze_files([fields], tmp_path / "b", OtsuAnalyser(), replace(ALL, jobs=jobs))
    assert outputs(tmp_path / "a") == outputs(tmp_path / "b")


def test_no_more_at_work_than_jobs(fields: Path, tmp_path: Path) -> None:
    analyser = OtsuAnalyser(delay_s=0.01)
    analyze_files([fields], tmp_path / "out", analyser, replace(ALL, jobs=2))
    assert analyser.most_at_work == 2


def test_every_bad_file_costs_only_itself(fields: Path, tmp_path: Path) -> None:
    analyze_files([fields], tmp_path / "good", OtsuAnalyser(), ALL)
    reasons = write_bad_files(fields / "bad")
    result = analyze_files([fields, *(fields / "bad").iterdir()], tmp_path / "out", OtsuAnalyser())
    listed = {Path(row["path"]).name: row["reason"] for row in rows(result.folder / "errors.csv")}
    assert listed.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert reason in listed[name]
        assert str(fields) not in listed[name]
    assert result.pooled["n_fields"] == 9
    page = result.report.read_text(encoding="utf-8")
    assert all(name in page for name in reasons)


class Choosy(OtsuAnalyser):
    """Fails on some fields."""

    def __init__(self, failing: Callable[[str], Exception | None]) -> None:
        super().__init__()
        self.failing = failing

    def analyze(self, field: Field) -> Analysis:
        if error := self.failing(field.name):
            raise error
        return super().analyze(field)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ZeroDivisionError("a\n b"), "ZeroDivisionError: a b"),
        (RuntimeError(), "RuntimeError"),
        (MemoryError(), "MemoryError: the memory does not suffice to analyse it"),
        # A full disk while results are written ends the run; the analyser's own does not.
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
    ],
)
def test_whatever_the_analyser_raises_costs_one_field(
    fields: Path, tmp_path: Path, error: Exception, told: str
) -> None:
    analyser = Choosy(lambda name: error if name == "f4" else None)
    result = analyze_files([fields], tmp_path / "out", analyser, ALL)
    assert [(e.path, e.reason.startswith(told)) for e in result.errors] == [
        (str(fields / "f4.png"), True)
    ]
    assert result.pooled["n_fields"] == 8


def test_all_files_may_fail(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    result = analyze_files([tmp_path / "x.png"], tmp_path / "out", OtsuAnalyser(), ALL)
    assert len(result.errors) == 1
    assert result.pooled["n_fields"] == 0
    assert "x.png" in result.report.read_text(encoding="utf-8")


def test_a_failed_file_is_tried_again_and_ends_as_if_it_never_failed(
    fields: Path, tmp_path: Path
) -> None:
    analyze_files([fields], tmp_path / "good", OtsuAnalyser(), ALL)
    whole = (fields / "f3.png").read_bytes()
    status = (fields / "f3.png").stat()
    (fields / "f3.png").write_bytes(whole[:200])
    failing = Choosy(lambda name: ValueError("no") if name == "f5" else None)
    first = analyze_files([fields], tmp_path / "out", failing, ALL)
    assert len(first.errors) == 2
    (fields / "f3.png").write_bytes(whole)
    os.utime(fields / "f3.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    second = analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    assert (second.n_before, second.errors) == (7, ())
    assert outputs(tmp_path / "out") == outputs(tmp_path / "good")


def times(folder: Path) -> dict[str, int]:
    return {
        str(p.relative_to(folder)): p.stat().st_mtime_ns
        for p in folder.rglob("*")
        if p.is_file() and p.name != "lock"
    }


def test_a_finished_run_is_left_alone(fields: Path, tmp_path: Path) -> None:
    (fields / "bad.png").write_bytes(b"no picture")
    first = analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    before = times(tmp_path / "out")
    again = analyze_files([fields], tmp_path / "out", OtsuAnalyser(), replace(ALL, jobs=1))
    assert times(tmp_path / "out") == before
    assert again.untouched
    assert (again.pooled, again.errors) == (first.pooled, first.errors)
    fewer = analyze_files([fields], tmp_path / "out", OtsuAnalyser(), replace(ALL, exports=()))
    assert fewer.untouched


@pytest.mark.parametrize(
    "spoil",
    [
        lambda out: (out / "report.html").unlink(),
        lambda out: (out / "cells.csv").write_text("mine"),
        lambda out: (out / "annotations" / "voc" / "f2.xml").unlink(),
        lambda out: (out / "overlays" / "f2.png").unlink(),
        lambda out: (out / ".smearlab" / "outputs.json").write_text("{"),
        lambda out: (out / ".smearlab" / "records" / "f2.record").unlink(),
        lambda out: [
            (out / "counts.json").unlink(),
            (out / ".smearlab" / "records" / "f2.record").write_bytes(b"smearlab-record 1 0 0\n"),
        ],
        lambda out: [
            (out / "counts.json").unlink(),
            (out / "overlays" / "f2.png").write_bytes(b"cut"),
        ],
    ],
)
def test_whatever_is_missing_or_damaged_is_made_again(
    fields: Path, tmp_path: Path, spoil: Callable[[Path], Any]
) -> None:
    analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    whole = outputs(tmp_path / "out")
    spoil(tmp_path / "out")
    analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    assert outputs(tmp_path / "out") == whole


def test_another_export_is_added_without_analysing_again(fields: Path, tmp_path: Path) -> None:
    analyze_files([fields], tmp_path / "out", OtsuAnalyser(), RunOptions(exports=("voc",)))
    never = Choosy(lambda name: AssertionError(name))
    result = analyze_files([fields], tmp_path / "out", never, RunOptions(exports=("coco",)))
    assert (result.n_before, result.errors) == (9, ())
    assert (tmp_path / "out" / "annotations" / "coco.json").exists()
    assert (tmp_path / "out" / "annotations" / "voc" / "f1.xml").exists()


def test_what_differs_is_refused_by_name_and_forced_anew(fields: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    analyze_files([fields], out, OtsuAnalyser(), ALL)
    (out / "mine.txt").write_text("mine")
    (out / "overlays" / "mine.png").write_text("mine")
    held = outputs(out)
    draw_field(fields / "g.png", 50)
    (fields / "f0.png").unlink()
    changed = RunOptions(um_per_px=0.3, jobs=2, overlays=False)
    with pytest.raises(OutputExistsError) as refusal:
        analyze_files([fields], out, OtsuAnalyser(thresholds=(50, 600)), changed)
    for told in (
        "--um-per-px is 0.2 there, 0.3 now",
        "--overlays",
        "segmenter",
        "f0.png there",
        "g.png asked for now",
        "--force",
        "another --out",
    ):
        assert told in str(refusal.value)
    assert outputs(out) == held
    analyze_files([fields], out, OtsuAnalyser(thresholds=(50, 600)), changed, force=True)
    fresh = tmp_path / "fresh"
    analyze_files([fields], fresh, OtsuAnalyser(thresholds=(50, 600)), changed)
    mine = {"mine.txt": b"mine", "overlays/mine.png": b"mine"}
    assert outputs(out) == {**outputs(fresh), **mine}
    assert not (out / "annotations").exists()


def test_a_picture_that_changed_after_it_was_analysed(fields: Path, tmp_path: Path) -> None:
    analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    os.utime(fields / "f1.png")  # copied anew, say: the same content
    again = analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    assert again.untouched
    draw_field(fields / "f1.png", 77)
    with pytest.raises(OutputExistsError, match=r"f1\.png has changed since it was analysed"):
        analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)


def test_the_output_folder_may_lie_among_the_pictures(fields: Path) -> None:
    result = analyze_files([fields], fields / "out", OtsuAnalyser(), ALL)
    assert result.n_inputs == 9
    again = analyze_files([fields], fields / "out", OtsuAnalyser(), ALL)
    assert again.untouched
    other = analyze_files([fields], fields / "out2", OtsuAnalyser(), ALL)
    assert other.n_inputs == 9
    with pytest.raises(UsageError, match="only overlays that smearlab wrote"):
        analyze_files([fields / "out" / "overlays"], fields / "out3", OtsuAnalyser(), ALL)


def test_a_pattern_that_the_shell_has_spelled_out_is_not_repeated(
    fields: Path, tmp_path: Path
) -> None:
    for i in range(20, 40):
        draw_field(fields / f"f{i}.png", i)
    files = sorted(fields.iterdir())
    analyze_files(files, tmp_path / "out", OtsuAnalyser(), RunOptions(overlays=False))
    inputs = json.loads((tmp_path / "out" / "counts.json").read_bytes())["inputs"]
    assert inputs == [*map(str, files[:19]), "and 10 more"]


def test_names_that_are_no_utf8(fields: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(b"f\xff\xfe.png")
    try:
        (fields / "f0.png").rename(fields / odd)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    result = analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL)
    assert (result.errors, result.pooled["n_fields"]) == ((), 9)
    assert analyze_files([fields], tmp_path / "out", OtsuAnalyser(), ALL).untouched


def test_a_folder_that_cannot_be_written(fields: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written to"):
        analyze_files([fields], tmp_path / "file" / "out", OtsuAnalyser(), ALL)
    with pytest.raises(UsageError, match="is a file; name a folder"):
        analyze_files([fields], tmp_path / "file", OtsuAnalyser(), ALL)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"jobs": 0}, "jobs must be at least 1; received 0"),
        ({"max_pixels": 0}, "max_pixels must be at least 1; received 0"),
        ({"um_per_px": 0.0}, "um_per_px must be a positive number"),
        ({"um_per_px": float("nan")}, "received nan"),
    ],
)
def test_options_out_of_range(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        RunOptions(**wrong)


def test_an_unknown_export() -> None:
    with pytest.raises(UnknownNameError, match=r"'cocoa'; did you mean 'coco'\?"):
        RunOptions(exports=("cocoa",))


class Listener:
    """Writes down what a run tells, and by which thread."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.threads: set[int] = set()

    def _note(self, what: Any) -> None:
        self.told.append(what)
        self.threads.add(threading.get_ident())

    def start(self, total: int, done: int) -> None:
        self._note((total, done))

    def advance(self, failed: bool) -> None:
        self._note(failed)

    def tick(self) -> None:
        self.threads.add(threading.get_ident())

    def say(self, message: str) -> None:
        self._note(message)


def test_progress_is_told_of_every_field(fields: Path, tmp_path: Path) -> None:
    (fields / "bad.png").write_bytes(b"")
    listener = Listener()
    result: RunResult = analyze_files(
        [fields], tmp_path / "out", OtsuAnalyser(), ALL, progress=listener
    )
    assert listener.told[0] == (10, 0)
    assert (listener.told.count(False), listener.told.count(True)) == (9, 1)
    assert f"failed: {fields / 'bad.png'}: {result.errors[0].reason}" in listener.told
    assert listener.threads == {threading.get_ident()}
