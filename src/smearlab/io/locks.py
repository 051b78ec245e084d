"""Files that one process at a time holds; whatever ends it lets them go."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_TICK_S = 1.0


def take_lock(descriptor: int) -> str:
    """Hold an open file for this process, until it closes it or ends in whatever way.

    Parameters
    ----------
    descriptor : int
        Of a file that is open for reading and writing; the number of the process is written to it.

    Returns
    -------
    str
        Empty when it is held, or where the system has no such locks; else the number of the
        process that holds it, or ``unknown``.

    Raises
    ------
    OSError
        If the file system fails.
    """
    if sys.platform == "win32":  # advisory locks are not to be had there
        return ""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        return ""  # a file system without locks
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return ""


@contextlib.contextmanager
def waiting_for(path: Path, say: Callable[[str], None] = lambda holder: None) -> Iterator[None]:
    """Hold a file while the block runs; wait where another process holds it.

    Parameters
    ----------
    path : Path
        Made if it is missing, and left there.
    say : callable
        Told once, before waiting, which process holds it.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        holder = take_lock(descriptor)
        if holder:
            say(holder)
        while holder:
            time.sleep(_TICK_S)
            holder = take_lock(descriptor)
        yield
    finally:
        os.close(descriptor)
