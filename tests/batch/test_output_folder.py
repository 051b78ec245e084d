"""The output folder: strangers' files, the lock, leftovers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smearlab.batch.folder import OutputFolder, is_overlay, overlay_file
from smearlab.batch.manifest import Input, Manifest
from smearlab.errors import OutputExistsError, UsageError

RUN = Manifest((Input("f0", "in/f0.png", 1, 1),), {}, {}, "2024-05-01T00:00:00Z")
OTHER = Manifest((Input("g0", "in/g0.png", 1, 1),), {}, {}, "2024-05-02T00:00:00Z")


def claimed(root: Path, run: Manifest = RUN, force: bool = False) -> Manifest:
    folder = OutputFolder(root)
    with folder.claim(force):
        return folder.agree(run, force)


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    assert claimed(tmp_path / "a" / "b") == RUN
    assert (tmp_path / "a" / "b" / ".smearlab" / "run.json").exists()


def test_the_same_run_keeps_its_start(tmp_path: Path) -> None:
    claimed(tmp_path)
    later = Manifest(RUN.inputs, {}, {}, "2031-01-01T00:00:00Z")
    assert claimed(tmp_path, later).started == RUN.started
    assert claimed(tmp_path, later, force=True).started == RUN.started


def test_a_strangers_folder_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"holds thesis\.txt, which smearlab did not write"):
        claimed(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    claimed(tmp_path, force=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_what_file_managers_leave_is_no_stranger(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").write_text("")
    claimed(tmp_path)
    assert OutputFolder(tmp_path).manifest_path.is_file()
    assert (tmp_path / ".DS_Store").is_file()


@pytest.mark.parametrize("name", ["cells.csv", "overlays", "annotations"])
def test_what_would_be_replaced_is_refused_even_with_force(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(OutputExistsError, match=f"holds {name}.* move it away"):
        claimed(tmp_path, force=True)


def test_a_damaged_manifest_is_refused_and_its_records_are_not_trusted(tmp_path: Path) -> None:
    claimed(tmp_path)
    folder = OutputFolder(tmp_path)
    folder.manifest_path.write_text("{")
    folder.records.path("f0").write_bytes(b"a record of who knows what")
    (tmp_path / "overlays").mkdir()
    (tmp_path / overlay_file("f0")).write_bytes(b"an overlay")
    with pytest.raises(OutputExistsError, match="cannot be understood"):
        claimed(tmp_path)
    assert folder.records.names() == ["f0"]
    claimed(tmp_path, force=True)
    assert folder.records.names() == []
    assert not (tmp_path / "overlays").exists()


def test_records_without_a_manifest_are_not_trusted(tmp_path: Path) -> None:
    claimed(tmp_path)
    folder = OutputFolder(tmp_path)
    folder.records.path("f0").write_bytes(b"a record of who knows what")
    folder.manifest_path.unlink()
    claimed(tmp_path)
    assert folder.records.names() == []


def test_force_never_leaves_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "out"
    claimed(root)
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "mine.png").write_text("mine")
    note = {"files": {"../mine.txt": None, str(tmp_path / "mine.txt"): None}}
    (root / ".smearlab" / "outputs.json").write_text(json.dumps(note))
    run = json.loads((root / ".smearlab" / "run.json").read_text())
    run["inputs"][0]["name"] = "../../mine"
    (root / ".smearlab" / "run.json").write_text(json.dumps(run))
    claimed(root, OTHER, force=True)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "mine.png").read_text() == "mine"


def test_leftovers_of_a_kill_are_removed_and_nothing_else(tmp_path: Path) -> None:
    claimed(tmp_path)
    (tmp_path / "overlays").mkdir()
    mine = tmp_path / "overlays" / ".mine.part"
    mine.write_text("mine")
    code = (
        "import os, sys\nfrom smearlab.io.atomic import open_atomic\n"
        "writers = [open_atomic(path) for path in sys.argv[1:]]\n"
        "for writer in writers: writer.__enter__().write(b'half')\nos._exit(9)"
    )
    paths = [tmp_path / "cells.csv", tmp_path / overlay_file("f0")]
    subprocess.run([sys.executable, "-c", code, *map(str, paths)], check=False)
    assert len(list(tmp_path.rglob(".*.part"))) == 3
    claimed(tmp_path)
    assert list(tmp_path.rglob(".*.part")) == [mine]


HOLD = """
import sys
from pathlib import Path
from smearlab.batch.folder import OutputFolder
with OutputFolder(Path(sys.argv[1])).claim(False):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no advisory locks on this system")
def test_two_processes_in_one_folder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=rf"process {other.pid}\) is writing to"):
            claimed(tmp_path)
        with pytest.raises(UsageError, match="wait for it, or choose another --out"):
            claimed(tmp_path, force=True)
        other.kill()
    assert claimed(tmp_path) == RUN  # a killed process holds nothing


def test_overlays_are_told_from_other_pictures(tmp_path: Path) -> None:
    claimed(tmp_path / "out")
    assert is_overlay(tmp_path / "out" / "overlays" / "f0.png")
    assert not is_overlay(tmp_path / "out" / "f0.png")
    assert not is_overlay(tmp_path / "other" / "overlays" / "f0.png")
