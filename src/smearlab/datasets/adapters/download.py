"""Downloading one file: streamed, resumed where it stopped, checked before it gets its name."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from smearlab.errors import DataError, OutputError, UsageError

_CHUNK = 1 << 18
_AGENT = "smearlab (research use)"
_NETWORK = (OSError, http.client.HTTPException)

#: Told how many bytes are there, and how many there will be, None if the server does not say.
Progress = Callable[[int, int | None], None]


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    progress: Progress = lambda done, total: None,
    timeout_s: float = 60.0,
) -> str:
    """Download a file, or go on with one that was interrupted.

    The bytes go to ``target`` with ``.part`` at its end. An interrupted download leaves that file,
    and the next call asks the server for the rest; where the server's file is another by then, or
    the server cannot resume, it starts anew.

    Parameters
    ----------
    url : str
        http or https.
    target : Path
        The file; its folder must exist.
    sha256 : str, optional
        What the file must have.
    progress : callable
        See :data:`Progress`.
    timeout_s : float
        Without a byte for so long, the download has failed.

    Returns
    -------
    str
        SHA-256 of the file, hexadecimal.

    Raises
    ------
    UsageError
        If the address is neither http nor https.
    DataError
        If the server refuses, the connection breaks, or the checksum is wrong; what was
        downloaded and has a wrong checksum is deleted, a file that was there before is not.
    OutputError
        If the file cannot be written.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no http or https address")
    part = target.with_name(f"{target.name}.part")
    mark = target.with_name(f"{target.name}.part.etag")
    if not target.is_file():
        _fill(url, part, mark, progress, timeout_s)
        checked = part
    else:
        checked = target
    found = file_sha256(checked)
    if sha256 is not None and found != sha256:
        wrong = f"the checksum is wrong: expected sha256 {sha256}, received {found}"
        if checked is target:
            raise DataError(f"{target}, which was there already: {wrong}; move it away")
        checked.unlink()
        mark.unlink(missing_ok=True)
        raise DataError(
            f"{url}: {wrong}; the file is deleted. Fetch it again; if that does not help, it is "
            "not the published file"
        )
    if checked is part:
        part.replace(target)
        mark.unlink(missing_ok=True)
    return found


def file_sha256(file: Path) -> str:
    """SHA-256 of a file of any size, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fill(url: str, part: Path, mark: Path, progress: Progress, timeout_s: float) -> None:
    """Make the part file whole."""
    have = part.stat().st_size if part.is_file() else 0
    try:
        with _open(url, have, mark, timeout_s) as answer:
            if answer.status != http.client.PARTIAL_CONTENT:
                have = 0
            total = _total(answer, have)
            if have == 0:
                _remember(mark, answer.headers.get("ETag"))
            with _writing(part, "ab" if have else "wb") as stream:
                while chunk := answer.read(_CHUNK):
                    with _write_errors(part):
                        stream.write(chunk)
                    have += len(chunk)
                    progress(have, total)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if _said_total(error.headers.get("Content-Range", "")) == have:
                return
            part.unlink()
            _fill(url, part, mark, progress, timeout_s)
            return
        raise DataError(
            f"{url}: the server answers {error.code} {error.reason}; look at the page of the set "
            "whether the file has moved, and name the new address with --from"
        ) from error
    except _NETWORK as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"{url}: the download broke off after {have:,} bytes ({reason}); run the command "
            "again when the connection is back, it goes on from there"
        ) from error
    if total is not None and have != total:
        raise DataError(
            f"{url}: the download stopped after {have:,} of {total:,} bytes; run the command "
            "again, it goes on from there"
        )


def _open(url: str, have: int, mark: Path, timeout_s: float) -> Any:
    headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if mark.is_file():
            # The rest of another version would make a file that is neither.
            headers["If-Range"] = mark.read_text(encoding="ascii")
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout_s)


def _total(answer: Any, have: int) -> int | None:
    """Size of the whole file."""
    if answer.status == http.client.PARTIAL_CONTENT:
        content_range = answer.headers.get("Content-Range", "")
        if not content_range.startswith(f"bytes {have}-"):
            raise DataError(
                f"{answer.url}: asked for the rest from byte {have:,}, the server sent "
                f"{content_range!r}; delete the .part file and fetch again"
            )
        return _said_total(content_range)
    length = answer.headers.get("Content-Length")
    return int(length) if length is not None and length.isdecimal() else None


def _said_total(content_range: str) -> int | None:
    said = re.search(r"/(\d+)$", content_range)
    return int(said[1]) if said else None


def _remember(mark: Path, etag: str | None) -> None:
    """Keep what tells this version of the file from others; weak marks do not."""
    if etag and not etag.startswith("W/"):
        with _write_errors(mark):
            mark.write_text(etag, encoding="ascii", errors="ignore")
    else:
        mark.unlink(missing_ok=True)


def _writing(part: Path, mode: str) -> Any:
    with _write_errors(part):
        return part.open(mode)


@contextlib.contextmanager
def _write_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written ({error.strerror or error}); make room or choose another "
            "folder, and run the command again: it goes on where it stopped"
        ) from error
