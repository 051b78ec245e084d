"""Files that are whole or not there: write beside, fsync, rename.

A reader never sees half a file, and a full disk, a crash or Ctrl-C leaves what was there before.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_ENDING = ".part"
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{12}\.part", re.DOTALL)


@contextlib.contextmanager
def open_atomic(
    path: str | Path, mode: str = "wb", *, encoding: str = "utf-8"
) -> Iterator[IO[Any]]:
    """Open a file that replaces ``path`` only when the block ends well.

    The bytes go to a hidden file in the same folder, which is flushed to the disk and renamed
    over ``path``. Whatever ends the block early (an error, a full disk, Ctrl-C) removes the hidden
    file and leaves ``path`` as it was. A symbolic link is followed: its target is replaced. The
    permissions of a file that is replaced are kept.

    Parameters
    ----------
    path : str or Path
        Where the file shall be; its folder must exist.
    mode : {"wb", "w"}
        Bytes or text. Line ends are written as they are given, on every platform.
    encoding : str
        Of text.

    Yields
    ------
    file object
        To write to.

    Raises
    ------
    ValueError
        If ``mode`` is neither ``"wb"`` nor ``"w"``.
    OSError
        As the system gives it, with the name of ``path``: the folder is missing or cannot be
        written, the disk is full, ``path`` is a folder or a device.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "counts.json"
    >>> with open_atomic(target, "w") as file:
    ...     _ = file.write("{}")
    >>> target.read_text()
    '{}'
    """
    if mode not in ("wb", "w"):
        raise ValueError(f"mode must be 'wb' or 'w'; received {mode!r}")
    target = Path(os.path.realpath(path))
    beginning = os.fsdecode(os.fsencode(target.name)[:200])  # names end at 255 bytes
    temporary = target.with_name(f".{beginning}.{secrets.token_hex(6)}{_ENDING}")
    try:
        permissions = _permissions_of(target)
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
        )
        try:
            text: dict[str, Any] = {"encoding": encoding, "newline": ""} if mode == "w" else {}
            with os.fdopen(descriptor, mode, **text) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if permissions is not None:
                temporary.chmod(permissions)
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            # The user knows the file by the name that was asked for.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    _sync_folder(target.parent)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a whole file of bytes, or leave what was there; see :func:`open_atomic`."""
    with open_atomic(path, "wb") as file:
        file.write(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a whole UTF-8 file, line ends as given; see :func:`open_atomic`."""
    with open_atomic(path, "w") as file:
        file.write(text)


def remove_leftovers(folder: str | Path) -> list[Path]:
    """Delete the hidden files that a killed process left in a folder.

    Only names made by :func:`open_atomic` are touched, and only in ``folder`` itself. Nobody else
    may be writing there at the same time.

    Parameters
    ----------
    folder : str or Path
        Where to look; may be missing.

    Returns
    -------
    list of Path
        What was deleted, sorted.

    Raises
    ------
    OSError
        If a file cannot be deleted.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return []
    found = sorted(
        entry for entry in folder.iterdir() if _TEMPORARY.fullmatch(entry.name) and entry.is_file()
    )
    for entry in found:
        entry.unlink()
    return found


def _permissions_of(target: Path) -> int | None:
    """Permission bits of the file to be replaced, None if there is none."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "Is a directory", str(target))
    if not stat.S_ISREG(status.st_mode):
        # A rename would put a plain file in the place of a device or a pipe.
        raise OSError(22, "Not a regular file", str(target))
    return stat.S_IMODE(status.st_mode)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
