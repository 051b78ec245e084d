"""Memory that a step has freed stays with the process, for the next step."""

from __future__ import annotations

import ctypes
import platform

#: Numbers of glibc's mallopt (malloc.h).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_ALL = 2**31 - 1
_PAD = 64 << 20


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed, in the place of handing it back at once.

    Every training step takes and frees the same large maps. glibc asks the system anew for each
    that is larger than 32 MB, and the system fills every page with zeros first: a quarter of the
    processor time of W-Net's training (benchmarks/freed_memory.py). The process then holds as much
    as it needed at most.

    Returns
    -------
    bool
        Whether the C library is one that knows how; elsewhere nothing changes.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    asked = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _ALL), (_TOP_PAD, _PAD))
    done = [mallopt(name, value) == 1 for name, value in asked]
    return all(done)
