"""Fetching from a real server on this machine: whole, interrupted, resumed, wrong, hostile."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from range_server import Served, serving
from smearlab.datasets.adapters.download import download
from smearlab.datasets.adapters.fetching import fetch, plan
from smearlab.datasets.adapters.reading import read_archive
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.adapters.unpack import unpack
from smearlab.errors import DataError, OutputError, OutputExistsError, UsageError
from tiny_archives import text, write_archive

BCCD = ADAPTERS["bccd"]
BYTES = bytes(range(256)) * 4000


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def zipped(folder: Path, name: str = "bccd") -> bytes:
    """The small archive of a set, as one zip file."""
    root = write_archive(name, folder)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in sorted(root.rglob("*")):
            archive.write(one, one.relative_to(root))
    return file.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_a_file_comes_whole_and_its_bytes_are_told(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    with serving(Served(BYTES)) as address:
        found = download(
            f"{address}/a.zip",
            tmp_path / "a.zip",
            progress=lambda done, total: told.append((done, total)),
        )
    assert found == hashlib.sha256(BYTES).hexdigest()
    assert (tmp_path / "a.zip").read_bytes() == BYTES
    assert files_in(tmp_path) == ["a.zip"]
    assert told[-1] == (len(BYTES), len(BYTES))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("etag", ['"one"', "", 'W/"weak"'])
def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path: Path, etag: str) -> None:
    served = Served(BYTES, etag=etag, break_after=300_000)
    with serving(served) as address:
        with pytest.raises(DataError, match=r"300,000.*run the command again") as said:
            download(f"{address}/a.zip", tmp_path / "a.zip")
        assert f"{address}/a.zip" in str(said.value)
        assert (tmp_path / "a.zip.part").read_bytes() == BYTES[:300_000]
        assert not (tmp_path / "a.zip").exists(), "half a file never has the name of a whole one"
        served.break_after = None
        download(f"{address}/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == BYTES
    assert served.asked == [None, "bytes=300000-"]
    assert served.sent == [300_000, len(BYTES) - 300_000], "no byte comes twice"
    assert files_in(tmp_path) == ["a.zip"]


def test_another_version_on_the_server_is_fetched_anew(tmp_path: Path) -> None:
    served = Served(BYTES, break_after=1000)
    with serving(served) as address:
        with pytest.raises(DataError):
            download(f"{address}/a.zip", tmp_path / "a.zip")
        served.data, served.etag, served.break_after = BYTES[::-1], '"two"', None
        download(f"{address}/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == BYTES[::-1], "never half of each"


def test_a_server_that_cannot_resume_is_asked_for_all(tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"x" * 1000)
    with serving(Served(BYTES, ranges=False)) as address:
        download(f"{address}/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == BYTES


@pytest.mark.parametrize("extra", [0, 500])
def test_a_part_that_is_whole_or_too_long_ends_well(tmp_path: Path, extra: int) -> None:
    (tmp_path / "a.zip.part").write_bytes(BYTES + b"x" * extra)
    served = Served(BYTES)
    with serving(served) as address:
        download(f"{address}/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == BYTES
    assert sum(served.sent) == (len(BYTES) if extra else 0)


def test_a_wrong_checksum_leaves_nothing(tmp_path: Path) -> None:
    with (
        serving(Served(BYTES)) as address,
        pytest.raises(DataError, match=r"expected sha256 0{64}, received") as said,
    ):
        download(f"{address}/a.zip", tmp_path / "a.zip", sha256="0" * 64)
    assert hashlib.sha256(BYTES).hexdigest() in str(said.value)
    assert files_in(tmp_path) == []


def test_what_is_there_is_not_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(BYTES)
    served = Served(BYTES)
    with serving(served) as address:
        download(f"{address}/a.zip", tmp_path / "a.zip", sha256=hashlib.sha256(BYTES).hexdigest())
    assert served.asked == []


def test_refusals_are_said_plainly(tmp_path: Path) -> None:
    with serving(Served(BYTES)) as address, pytest.raises(DataError, match="404 Not Found; look"):
        download(f"{address}/missing.zip", tmp_path / "a.zip")
    with pytest.raises(DataError, match="broke off after 0 bytes"):
        download(f"{address}/a.zip", tmp_path / "a.zip", timeout_s=5)
    for url in ("file:///etc/hostname", "ftp://x/y", "a.zip"):
        with pytest.raises(UsageError, match="no http or https address"):
            download(url, tmp_path / "a.zip")
    assert files_in(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").mkdir()
    with serving(Served(BYTES)) as address, pytest.raises(OutputError, match="cannot be written"):
        download(f"{address}/a.zip", tmp_path / "a.zip")


def test_a_set_is_fetched_unpacked_and_read(tmp_path: Path) -> None:
    data = zipped(tmp_path / "made")
    with serving(Served(data)) as address:
        (done,) = fetch(BCCD, tmp_path / "new" / "out", plan(BCCD, f"{address}/x/bccd.zip"))
    out = tmp_path / "new" / "out"
    assert (done.sha256, done.verified) == (hashlib.sha256(data).hexdigest(), False)
    assert done.size_bytes == len(data)
    record = json.loads((out / "fetched.json").read_text())
    assert record["files"][0]["sha256"] == done.sha256
    assert record["licence"] == "MIT"
    assert sorted(p.name for p in out.iterdir()) == sorted([*done.names, "fetched.json"])
    assert len(read_archive(BCCD, out).rows) == 3
    with pytest.raises(OutputExistsError, match=r"fetched before \(see fetched.json\)"):
        fetch(BCCD, out, plan(BCCD, f"{address}/x/bccd.zip"))


def test_a_set_goes_on_after_an_interruption(tmp_path: Path) -> None:
    data = zipped(tmp_path / "made")
    served = Served(data, break_after=len(data) // 2)
    with serving(served) as address:
        downloads = plan(BCCD, f"{address}/bccd.zip", hashlib.sha256(data).hexdigest())
        with pytest.raises(DataError, match="run the command again"):
            fetch(BCCD, tmp_path / "out", downloads)
        assert files_in(tmp_path / "out") == ["bccd.zip.part", "bccd.zip.part.etag"]
        served.break_after = None
        (done,) = fetch(BCCD, tmp_path / "out", downloads)
    assert done.verified
    assert sum(served.sent) == len(data)


def test_an_archive_in_an_archive_is_unpacked(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "made")
    with serving(Served(packed({"set/inner.zip": inner, "__MACOSX/x": b"y"}))) as address:
        fetch(BCCD, tmp_path / "out", plan(BCCD, f"{address}/a.zip"))
    assert len(read_archive(BCCD, tmp_path / "out").rows) == 3
    assert not (tmp_path / "out/set/inner.zip").exists()
    assert not (tmp_path / "out/__MACOSX").exists()


def tarred(*members: tarfile.TarInfo) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return file.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = 3 if kind == tarfile.REGTYPE else 0
    return info


def linked() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("a/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc")
    return file.getvalue()


def flipped() -> bytes:
    data = bytearray(packed({"a/1.jpg": BYTES}))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


HOSTILE = {
    "up": (packed({"a/b.txt": b"1", "../evil.txt": b"2"}), "leave the folder"),
    "up within": (packed({"a/../../evil.txt": b"2"}), "leave the folder"),
    "absolute": (packed({"/tmp/evil.txt": b"2"}), "leave the folder"),
    "drive": (packed({"C:/evil.txt": b"2"}), "leave the folder"),
    "backslash": (packed({"..\\evil.txt": b"2"}), "leave the folder"),
    "inner": (packed({"a.zip": packed({"../../evil.txt": b"2"})}), "leave the folder"),
    "link": (linked(), "holds a link"),
    "tar up": (tarred(member("a/b"), member("../evil.txt")), "leave the folder"),
    "tar absolute": (tarred(member("/tmp/evil.txt")), "leave the folder"),
    "tar link": (tarred(member("a", tarfile.SYMTYPE, "/etc")), "link or device"),
    "tar hard link": (tarred(member("a", tarfile.LNKTYPE, "../x")), "link or device"),
    "tar device": (tarred(member("a", tarfile.CHRTYPE)), "link or device"),
    "half": (packed({"a/1.jpg": BYTES})[:-300_000], "neither a zip nor a tar"),
    "half tar": (tarred(*(member(f"a/{n}") for n in range(500)))[:-200], "damaged"),
    "flipped": (flipped(), "damaged"),
    "web page": (b"<!DOCTYPE html><html>please log in</html>", "neither a zip nor a tar"),
    "empty": (b"", "neither a zip nor a tar"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_bad_archive_changes_nothing(case: str, tmp_path: Path) -> None:
    data, complaint = HOSTILE[case]
    with serving(Served(data)) as address, pytest.raises(DataError, match=complaint):
        fetch(BCCD, tmp_path / "here" / "out", plan(BCCD, f"{address}/a.zip"))
    assert files_in(tmp_path) == ["here"]
    assert not Path("/tmp/evil.txt").exists()


@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_a_file_that_was_there_before_is_never_deleted(digest: str | None, tmp_path: Path) -> None:
    mine = text(tmp_path / "a.zip", "half an archive, or my thesis")
    with pytest.raises(DataError, match=r"a\.zip.* was there already.*move it away"):
        fetch(BCCD, tmp_path, plan(BCCD, "http://127.0.0.1:9/a.zip", digest))
    assert mine.read_text() == "half an archive, or my thesis"
    assert files_in(tmp_path) == ["a.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/1.txt", "one")
        archive.writestr("a/1.txt", "two")
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=r"'a/1\.txt' twice"):
        unpack(file, tmp_path / "out")
    assert files_in(tmp_path / "out") == []


def test_an_archive_of_another_kind_is_kept_for_another_program(tmp_path: Path) -> None:
    rar = Served(b"Rar!\x1a\x07\x01\0 rest")
    with serving(rar) as address, pytest.raises(UsageError, match="is a RAR archive"):
        fetch(BCCD, tmp_path / "out", plan(BCCD, f"{address}/a.rar"))
    assert files_in(tmp_path / "out") == ["a.rar"]


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    downloads = plan(BCCD, "http://127.0.0.1:9/a.zip")
    with pytest.raises(OutputExistsError, match=r"is not empty \(thesis.txt\)"):
        fetch(BCCD, tmp_path, downloads)
    with pytest.raises(UsageError, match="is a file; name a new folder"):
        fetch(BCCD, tmp_path / "thesis.txt", downloads)
    assert files_in(tmp_path) == ["thesis.txt"]


@pytest.mark.parametrize("name", [n for n, one in ADAPTERS.items() if not one.downloads])
def test_what_cannot_be_fetched_says_where_to_ask(name: str) -> None:
    with pytest.raises(DataError) as said:
        plan(ADAPTERS[name])
    assert f"{name} cannot be fetched" in str(said.value)
    assert ADAPTERS[name].page in str(said.value)
    if name.startswith("all_idb"):
        assert "fabio.scotti@unimi.it" in str(said.value)


def test_a_mirror_and_a_checksum_may_be_named() -> None:
    mirror, digest = "https://mirror.example/data/LISC%20Database.zip?x=1", "ab" * 32
    (file,) = plan(ADAPTERS["lisc"], mirror, digest)
    assert (file.file_name, file.sha256) == ("LISC Database.zip", digest)
    (own,) = plan(BCCD, sha256=f" {digest.upper()}\n")  # as some systems print it
    assert (own.url, own.sha256) == (BCCD.downloads[0].url, digest)
    for wrong in ("", "ab", "z" * 64, digest + "ab"):
        with pytest.raises(UsageError, match="--sha256 takes 64 hexadecimal digits; received"):
            plan(BCCD, sha256=wrong)
    (bare,) = plan(BCCD, "https://mirror.example/")
    assert bare.file_name == "bccd.zip"
