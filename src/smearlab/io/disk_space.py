"""Whether what is about to be written fits on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from smearlab.errors import OutputError

#: What a file takes beyond its bytes: the rest of its last block, its place in the folder.
FILE_OVERHEAD = 4096


def refuse_full_disk(folder: str | Path, needed: int, what: str) -> None:
    """Say before the work, not in the middle of it, that the disk is too small.

    Parameters
    ----------
    folder : str or Path
        Where it is written; need not exist.
    needed : int
        Bytes, at most.
    what : str
        Is written, for the message, as ``"500 pictures"``.

    Raises
    ------
    OutputError
        If fewer bytes are free.
    """
    place = Path(folder).absolute()
    while not place.is_dir():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutputError(
            f"{what} need up to {_said(needed)}, and the disk of {folder} has {_said(free)} free: "
            "make room, ask for fewer, or name a folder on another disk"
        )


def _said(n_bytes: int) -> str:
    """Bytes for people."""
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.1f} MB"
