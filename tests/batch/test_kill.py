"""Real processes, really killed: what is resumed ends with the bytes of what was never stopped."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from otsu_analyser import draw_field
from smearlab.batch.records import RecordStore

COMMAND = [sys.executable, str(Path(__file__).resolve().parents[1] / "otsu_analyser.py")]
EXPORTS = [f"--export={form}" for form in ("geojson", "coco", "voc", "yolo")]
N_FIELDS = 24

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for i in range(N_FIELDS):
        draw_field(tmp_path / "in" / f"f{i}.png", i)
    (tmp_path / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    return tmp_path


def start(here: Path, out: str, *options: str, delay_s: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "in", "--out", out, f"--segmenter=otsu:{delay_s}", *options],
        cwd=here,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1714521600"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(here: Path, out: str, *options: str) -> None:
    with start(here, out, *options) as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors  # 1, because of bad.png


def outputs(folder: Path) -> dict[str, bytes]:
    """Every file but the lock and the notes on how files looked."""
    unlike = {".smearlab/lock", ".smearlab/outputs.json"}
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in sorted(files.items()) if name not in unlike}


def done(folder: Path) -> set[str]:
    store = RecordStore(folder / ".smearlab" / "records")
    return {name for name in store.names() if store.load(name) is not None}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_resumed_after_sigkill_at_random_moments(here: Path, seed: int) -> None:
    finish(here, "whole", *EXPORTS)
    chance = random.Random(seed)
    out = here / "out"
    n_killed = 0
    safe: set[str] = set()
    for _ in range(7):
        goal = chance.randint(len(safe), N_FIELDS)
        with start(here, "out", *EXPORTS, "--jobs=2", delay_s=0.02) as process:
            while process.poll() is None and len(list(out.glob(".smearlab/records/f*"))) < goal:
                time.sleep(0.002)
            # From the middle of a field to the middle of the report.
            time.sleep(chance.uniform(0, 0.3 if goal == N_FIELDS else 0.03))
            process.kill()
            process.communicate(timeout=60)
        n_killed += process.returncode == -signal.SIGKILL
        assert safe <= done(out)
        safe = done(out)
    assert n_killed >= 3
    finish(here, "out", *EXPORTS)
    assert outputs(out) == outputs(here / "whole")


def test_ctrl_c_ends_at_once_and_says_how_to_go_on(here: Path) -> None:
    finish(here, "whole")
    with start(here, "out", "--jobs=2", delay_s=40) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"{N_FIELDS + 1} fields\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        # Far less than the network call that the threads are in.
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped (0 of 25 fields are done). The same command goes on from here." in errors
    assert "Traceback" not in errors
    assert not list((here / "out").rglob("*.part"))
    finish_same = [*COMMAND, "in", "--out", "out", "--segmenter=otsu:0"]
    subprocess.run(
        finish_same, cwd=here, env={**os.environ, "SOURCE_DATE_EPOCH": "1714521600"}, check=False
    )
    assert outputs(here / "out") == outputs(here / "whole")


def test_ctrl_c_keeps_what_is_done(here: Path) -> None:
    with start(here, "out", "--jobs=2", delay_s=0.1) as process:
        while len(done(here / "out")) < 5:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    kept = len(done(here / "out"))
    assert 5 <= kept < N_FIELDS
    assert "The same command goes on from here." in errors
    with start(here, "out") as process:
        _, errors = process.communicate(timeout=60)
    assert f"{N_FIELDS + 1} fields, {kept} done before" in errors


def test_a_second_process_is_refused(here: Path) -> None:
    with start(here, "out", delay_s=40) as first:
        assert first.stderr is not None
        first.stderr.readline()
        with start(here, "out") as second:
            _, errors = second.communicate(timeout=60)
        assert second.returncode == 2
        assert f"another smearlab (process {first.pid}) is writing to out" in errors
        first.kill()
        first.communicate(timeout=60)


def test_a_write_that_fails_halfway_leaves_no_half_written_file(here: Path) -> None:
    finish(here, "whole")
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        f"sys.argv = sys.argv[1:]; runpy.run_path({COMMAND[1]!r}, run_name='__main__')"
    )
    process = subprocess.run(
        [sys.executable, "-c", limited, COMMAND[1], "in", "--out", "out"],
        cwd=here,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1714521600"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 1
    assert "Error: results cannot be written to out: " in process.stderr
    assert "Traceback" not in process.stderr
    whole = outputs(here / "whole")
    assert outputs(here / "out").items() <= whole.items()
    finish(here, "out")
    assert outputs(here / "out") == whole


def test_a_full_disk_ends_the_run_cleanly(here: Path) -> None:
    mount = "mount -t tmpfs -o size=300k tmpfs out"
    isolated = ["unshare", "--user", "--mount", "--map-root-user", "sh", "-c"]
    (here / "out").mkdir()
    if (
        shutil.which("unshare") is None
        or subprocess.run([*isolated, mount], cwd=here, capture_output=True, check=False).returncode
    ):
        pytest.skip("a small disk cannot be mounted here")
    finish(here, "whole", *EXPORTS)
    run = " ".join([*COMMAND, "in", "--out", "out", "--segmenter=otsu:0.0", *EXPORTS])
    process = subprocess.run(
        [*isolated, f"{mount} && {run}; status=$?; cp -a out/. kept; exit $status"],
        cwd=here,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1714521600"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 1, process.stderr
    assert "Error: the disk of out is full; free some space and start the same" in process.stderr
    assert "Traceback" not in process.stderr
    whole = outputs(here / "whole")
    kept = outputs(here / "kept")
    assert any(name.endswith(".record") for name in kept)
    assert kept.items() <= whole.items()
    finish(here, "kept", *EXPORTS)
    assert outputs(here / "kept") == whole
