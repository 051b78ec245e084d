"""How much memory a training took at most."""

from __future__ import annotations

import sys

import torch


def peak_memory_mb() -> float | None:
    """Most memory that this process has had at once so far, 10⁶ bytes.

    What the system calls the resident set: also pictures that are kept, and torch itself.

    Returns
    -------
    float or None
        None where the system does not say.
    """
    if sys.platform == "win32":
        return None
    import resource  # not on every platform

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def peak_device_memory_mb() -> float | None:
    """Most memory of the GPU that tensors took at once so far, 10⁶ bytes; None without a GPU."""
    return torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else None
