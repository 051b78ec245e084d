"""Fetching a whole set: download, check, unpack, and write down what was fetched."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from smearlab.datasets.adapters.base import Adapter, Download
from smearlab.datasets.adapters.download import Progress, download
from smearlab.datasets.adapters.unpack import STAGING, unpack
from smearlab.errors import DataError, OutputExistsError, UsageError
from smearlab.io.atomic import write_text

#: Written beside what was fetched: addresses, sizes, checksums, licence.
RECORD = "fetched.json"


@dataclass(frozen=True)
class Fetched:
    """One file that was downloaded and unpacked.

    Parameters
    ----------
    url, sha256 : str
        Where from; of the archive.
    size_bytes : int
        Of the archive.
    verified : bool
        Whether a published checksum was there to compare with.
    names : tuple of str
        Uppermost files and folders that came out of it.
    """

    url: str
    sha256: str
    size_bytes: int
    verified: bool
    names: tuple[str, ...]


def plan(
    adapter: Adapter, url: str | None = None, sha256: str | None = None
) -> tuple[Download, ...]:
    """What would be downloaded.

    Parameters
    ----------
    adapter : Adapter
    url : str, optional
        Another address, of a mirror.
    sha256 : str, optional
        What a single file must have: 64 hexadecimal digits, large or small letters.

    Raises
    ------
    DataError
        If the set cannot be fetched; the message says where to ask.
    UsageError
        If a checksum is given for several files, or is none.
    """
    if sha256 is not None:
        sha256 = sha256.strip().lower()
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise UsageError(f"--sha256 takes 64 hexadecimal digits; received {sha256!r}")
    if url is not None:
        name = PurePosixPath(unquote(urlsplit(url).path)).name.lstrip(".")
        return (Download(url, name or f"{adapter.name}.zip", sha256),)
    if not adapter.downloads:
        where = f"; page: {adapter.page}" if adapter.page else ""
        raise DataError(f"{adapter.name} cannot be fetched: {adapter.obtain}{where}")
    if sha256 is None:
        return adapter.downloads
    if len(adapter.downloads) > 1:
        raise UsageError("--sha256 checks one file, this set has several; leave it out")
    only = adapter.downloads[0]
    return (Download(only.url, only.file_name, sha256),)


def fetch(
    adapter: Adapter,
    folder: Path,
    downloads: tuple[Download, ...],
    *,
    progress: Callable[[Download], Progress] = lambda file: lambda done, total: None,
    timeout_s: float = 60.0,
) -> list[Fetched]:
    """Download and unpack a set into an empty folder; an interrupted one goes on.

    Parameters
    ----------
    adapter : Adapter
    folder : Path
        Made if missing. It may hold what an interrupted download left.
    downloads : tuple of Download
        See :func:`plan`.
    progress : callable
        Gives for each file what is told of its bytes.
    timeout_s : float
        See :func:`smearlab.datasets.adapters.download.download`.

    Returns
    -------
    list of Fetched
        The same stands in ``fetched.json`` in the folder.

    Raises
    ------
    OutputExistsError
        If other files are in the folder.
    DataError
        If a download fails, a checksum is wrong or an archive damaged. A damaged archive is
        deleted unless it was there before the call; an interrupted download stays, to go on with.
    OutputError
        If the folder cannot be written.
    """
    _check_folder(folder, downloads)
    made = not folder.exists()
    before = {file.file_name for file in downloads if (folder / file.file_name).is_file()}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        sums = [
            download(
                file.url,
                folder / file.file_name,
                sha256=file.sha256,
                progress=progress(file),
                timeout_s=timeout_s,
            )
            for file in downloads
        ]
        done = [
            _unpack(folder, file, found, file.file_name in before)
            for file, found in zip(downloads, sums, strict=True)
        ]
    except BaseException:
        if made and not any(folder.iterdir()):
            folder.rmdir()
        raise
    record = {
        "dataset": adapter.name,
        "fetched": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "licence": adapter.licence,
        "citation": list(adapter.citation),
        "files": [vars(one) for one in done],
    }
    write_text(folder / RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return done


def _check_folder(folder: Path, downloads: tuple[Download, ...]) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder} is a file; name a new folder")
    own = {f"{file.file_name}{end}" for file in downloads for end in ("", ".part", ".part.etag")}
    there = [entry.name for entry in folder.iterdir()] if folder.exists() else []
    other = sorted(name for name in there if name not in own and not name.startswith(STAGING))
    if RECORD in other:
        raise OutputExistsError(
            f"{folder} holds a set that was fetched before (see {RECORD}); name a new folder"
        )
    if other:
        raise OutputExistsError(f"{folder} is not empty ({other[0]}); name a new folder")


def _unpack(folder: Path, file: Download, found: str, theirs: bool) -> Fetched:
    archive = folder / file.file_name
    size = archive.stat().st_size
    try:
        names = unpack(archive, folder)
    except DataError as error:
        if theirs:
            raise DataError(f"{error}; {archive} was there already: move it away") from error
        archive.unlink()  # or every further try would stumble over it
        raise
    archive.unlink()
    return Fetched(file.url, found, size, file.sha256 is not None, tuple(names))
