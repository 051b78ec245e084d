"""A file is whole or as it was, whatever happens."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smearlab.io.atomic import open_atomic, remove_leftovers, write_bytes, write_text


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_writes_and_replaces(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"one")
    write_bytes(str(tmp_path / "a"), b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert names(tmp_path) == ["a"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8")))
def test_text_is_written_as_it_is(text: str, tmp_path: Path) -> None:
    write_text(tmp_path / "a", text)
    assert (tmp_path / "a").read_bytes() == text.encode()


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("before", [b"before", None])
def test_an_interruption_leaves_the_old_file(
    error: BaseException, before: bytes | None, tmp_path: Path
) -> None:
    if before is not None:
        (tmp_path / "a").write_bytes(before)
    with pytest.raises(type(error)), open_atomic(tmp_path / "a") as file:
        file.write(b"half")
        assert len(names(tmp_path)) == (1 if before is None else 2)
        assert any(name.startswith(".a.") for name in names(tmp_path))
        raise error
    assert names(tmp_path) == ([] if before is None else ["a"])
    if before is not None:
        assert (tmp_path / "a").read_bytes() == before


def test_text_that_cannot_be_encoded_leaves_the_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "before")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a", "\ud800")
    assert (tmp_path / "a").read_text() == "before"
    assert names(tmp_path) == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits on this system")
@pytest.mark.parametrize("size", [200_000, 5_000_000])
def test_a_disk_that_fills_up_leaves_the_old_file(size: int, tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"before")
    # A limit on file sizes stops the write half way, as a full disk does.
    code = f"""
import resource, signal, sys
from smearlab.io.atomic import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_bytes(sys.argv[1], b"x" * {size})
except OSError as error:
    print(error.errno, error.filename)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(errno.EFBIG), str(tmp_path / "a")]
    assert (tmp_path / "a").read_bytes() == b"before"
    assert names(tmp_path) == ["a"]


def test_a_really_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        write_bytes(disk / "a", b"before")
        with pytest.raises(OSError, match=str(disk / "a")) as caught:
            write_bytes(disk / "a", b"x" * 200_000)
        assert caught.value.errno == errno.ENOSPC
        assert (disk / "a").read_bytes() == b"before"
        assert names(disk) == ["a"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal on this system")
def test_a_killed_process_leaves_the_old_file_and_what_can_be_removed(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"before")
    code = """
import sys, time
from smearlab.io.atomic import open_atomic
with open_atomic(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "a"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (tmp_path / "a").read_bytes() == b"before"
    left = [name for name in names(tmp_path) if name != "a"]
    assert len(left) == 1
    (tmp_path / ".a.mine.part").write_bytes(b"")
    assert remove_leftovers(tmp_path) == [tmp_path / left[0]]
    assert names(tmp_path) == [".a.mine.part", "a"]


def test_leftovers_of_a_missing_folder(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "nowhere") == []


def test_missing_folder_is_named_as_asked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_bytes(tmp_path / "nowhere" / "a", b"")
    assert caught.value.filename == str(tmp_path / "nowhere" / "a")


def test_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_bytes(tmp_path, b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Not a regular file"):
        write_bytes(tmp_path / "pipe", b"")
    assert (tmp_path / "pipe").is_fifo()


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a").write_bytes(b"before")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "a")
    write_bytes(tmp_path / "link", b"after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "a").read_bytes() == b"after"
    assert names(tmp_path / "far") == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions on this system")
def test_permissions(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_bytes(tmp_path / "new", b"")
    finally:
        os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    (tmp_path / "new").chmod(0o604)
    write_bytes(tmp_path / "new", b"again")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o604


@pytest.mark.parametrize("mode", ["r", "a", "wb+", "x"])
def test_other_modes_are_refused(mode: str, tmp_path: Path) -> None:
    refused = pytest.raises(ValueError, match=re.escape(f"received {mode!r}"))
    with refused, open_atomic(tmp_path / "a", mode):
        pass


def test_long_names(tmp_path: Path) -> None:
    write_bytes(tmp_path / ("n" * 250), b"x")
    write_bytes(tmp_path / ("é" * 120), b"x")
    assert len(names(tmp_path)) == 2


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    write_bytes(target, b"0" * 1000)
    code = """
import sys
from smearlab.io.atomic import write_bytes
for i in range(300):
    write_bytes(sys.argv[1], b"%d" % (i % 10) * 1000)
"""
    process = subprocess.Popen([sys.executable, "-c", code, target])
    seen = 0
    while process.poll() is None:
        data = target.read_bytes()
        assert len(data) == 1000
        assert len(set(data)) == 1
        seen += 1
        time.sleep(0.001)
    assert process.returncode == 0
    assert seen > 10
