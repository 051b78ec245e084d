"""Unpacking an archive: whole or not at all, and never outside its folder."""

from __future__ import annotations

import contextlib
import lzma
import secrets
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from smearlab.errors import DataError, OutputError, UsageError

#: Beginning of the name of the hidden folder; a killed process leaves one.
STAGING = ".unpacking-"
_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, RuntimeError, UnicodeDecodeError),
)
_FOREIGN = {b"Rar!": "RAR", b"7z\xbc\xaf": "7-Zip"}
_INNER = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def unpack(archive: Path, folder: Path) -> list[str]:
    """Unpack a zip or tar archive, and archives within it, into a folder.

    Everything goes to a hidden folder first; only when all of it is there, it gets its place.

    Parameters
    ----------
    archive : Path
        Told by its content, not by its name.
    folder : Path
        Must exist, and must not hold any of the archive's uppermost names.

    Returns
    -------
    list of str
        Uppermost files and folders, sorted.

    Raises
    ------
    DataError
        If it is no archive or a damaged one, a member would leave the folder, is a link or a
        device, comes twice or has a password. Nothing is left in the folder then.
    UsageError
        If it is an archive of a kind that cannot be unpacked here.
    OutputError
        If the folder cannot be written, holds one of the names, or has too little room.
    """
    for leftover in folder.glob(f"{STAGING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    staging = folder / f"{STAGING}{secrets.token_hex(6)}"
    try:
        staging.mkdir()
        _extract(archive, archive.name, staging)
        for inner in [f for f in sorted(staging.rglob("*")) if f.name.lower().endswith(_INNER)]:
            _extract(inner, f"{archive.name}, {inner.name} within it", inner.parent)
            inner.unlink()
        names = sorted(entry.name for entry in staging.iterdir())
        taken = [name for name in names if (folder / name).exists()]
        if taken:
            raise OutputError(f"{folder} holds {taken[0]} already; unpack into an empty folder")
        for name in names:
            (staging / name).rename(folder / name)
        return names
    except _DAMAGED as error:
        raise DataError(
            f"{archive.name} is damaged ({error or type(error).__name__}); fetch it again"
        ) from error
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _extract(archive: Path, name: str, folder: Path) -> None:
    """Unpack one archive into a folder that may hold other things."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            _copy_all(name, folder, *_zip_members(opened, name))
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened_tar:
            _copy_all(name, folder, *_tar_members(opened_tar, name))
    else:
        with archive.open("rb") as stream:
            head = stream.read(4)
        if head in _FOREIGN:
            raise UsageError(
                f"{name} is a {_FOREIGN[head]} archive, which cannot be unpacked here; unpack it "
                "with another program and import the folder"
            )
        raise DataError(f"{name} is neither a zip nor a tar archive, or it is cut short")


Member = tuple[str, Any]
Open = Callable[[Any], contextlib.AbstractContextManager[IO[bytes] | None]]


def _zip_members(archive: zipfile.ZipFile, name: str) -> tuple[list[Member], int, Open]:
    members = []
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if stat.S_ISLNK(mode):
            raise DataError(f"{name} holds a link, {info.filename!r}; data sets need none")
        if info.flag_bits & 1:
            raise DataError(f"{name} has a password; unpack it yourself and import the folder")
        if not info.is_dir():
            members.append((info.filename, info))
    size = sum(info.file_size for _, info in members)
    return members, size, archive.open


def _tar_members(archive: tarfile.TarFile, name: str) -> tuple[list[Member], int, Open]:
    members = []
    for info in archive.getmembers():
        if not (info.isfile() or info.isdir()):
            raise DataError(f"{name} holds a link or device, {info.name!r}; data sets need none")
        if info.isfile():
            members.append((info.name, info))

    @contextlib.contextmanager
    def open_member(info: tarfile.TarInfo) -> Iterator[IO[bytes] | None]:
        yield archive.extractfile(info)

    return members, sum(info.size for _, info in members), open_member


def _copy_all(name: str, folder: Path, members: list[Member], size: int, opener: Open) -> None:
    """Check every name, then write every file."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(f"{name} needs {size:,} bytes unpacked, {free:,} are free; make room")
    targets: set[str] = set()
    for written, _ in members:
        path = PurePosixPath(written.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in written or not path.parts:
            raise DataError(
                f"{name} holds {written!r}, which would leave the folder; do not trust this archive"
            )
        if str(path) in targets:
            raise DataError(f"{name} holds {written!r} twice; fetch it again")
        targets.add(str(path))
    for written, info in members:
        path = PurePosixPath(written.replace("\\", "/"))
        if path.parts[0] == "__MACOSX":
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with opener(info) as source, target.open("xb") as sink:
            assert source is not None
            shutil.copyfileobj(source, sink, 1 << 20)
