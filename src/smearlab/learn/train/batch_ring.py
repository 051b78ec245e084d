"""Batches that worker processes write into memory which is shared once and used again and again.

Fresh memory is what handing small pictures over costs most: the system clears every page of it. So
there is one ring of places, each as large as a batch; workers write samples straight into them, and
the training process copies a batch out before its place comes round again. It needs no locks: a
:class:`~torch.utils.data.DataLoader` asks for a batch only after one that it asked for long before
was taken.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from smearlab.errors import UsageError
from smearlab.preprocess.opencv_threads import one_opencv_thread

_AHEAD = 3  # batches that each worker is ahead
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT_BYTES, _HEAP_BYTES = 256 << 20, 32 << 20

Draw = Callable[[int], Mapping[str, NDArray[Any]]]
Batch = Mapping[str, Tensor]


def stacked(draw: Draw, items: Sequence[int]) -> Batch:
    """A batch made in this process.

    Parameters
    ----------
    draw : callable
        Makes the arrays of an item; their shapes are equal for all items.
    items : sequence of int
        At least one.

    Returns
    -------
    mapping of str to Tensor
        Of shape (len(items), …).
    """
    arrays = [{name: np.asarray(one) for name, one in draw(item).items()} for item in items]
    # NumPy's stack is one thread; torch's wakes all of them to copy a few kilobytes.
    return {name: torch.from_numpy(np.stack([one[name] for one in arrays])) for name in arrays[0]}


def batches_of_workers(draw: Draw, steps: Iterable[Sequence[int]], workers: int) -> Iterator[Batch]:
    """Batches made by worker processes, in order.

    Parameters
    ----------
    draw : callable
        See :func:`stacked`.
    steps : iterable of sequence of int
        The items of every batch; can be gone through twice, and no batch is larger than the first.
    workers : int
        At least 1.

    Yields
    ------
    mapping of str to Tensor
        Of shape (number of items, …), in memory of its own.

    Raises
    ------
    UsageError
        If the arrays of two items differ in shape.
    """
    first = next(iter(steps), None)
    if first is None:
        return
    # One place more than there can be batches under way: the one that is being copied out.
    ring = _Ring(draw, first, places=workers * _AHEAD + 1)
    loader: DataLoader[Any] = DataLoader(
        ring,
        batch_sampler=_Numbered(steps, ring.places),  # type: ignore[arg-type]
        collate_fn=_as_it_is,  # type: ignore[arg-type]
        num_workers=workers,
        prefetch_factor=_AHEAD,
        worker_init_fn=_keep_freed_memory,
    )
    with one_opencv_thread():
        taken = iter(loader)  # forks
    for place, count in taken:
        yield ring.taken(place, count)


class _Numbered:
    """Batches with the number of the place that each is written to."""

    def __init__(self, steps: Iterable[Sequence[int]], places: int) -> None:
        self.steps, self.places = steps, places

    def __iter__(self) -> Iterator[tuple[int, Sequence[int]]]:
        for number, items in enumerate(self.steps):
            yield number % self.places, items


class _Ring(Dataset[Any]):
    """Places for batches; workers get it with the memory that all of them share."""

    def __init__(self, draw: Draw, items: Sequence[int], places: int) -> None:
        self.draw, self.places = draw, places
        example = {name: np.asarray(array) for name, array in draw(items[0]).items()}
        self.shared = {
            name: torch.from_numpy(
                np.zeros((places, len(items), *array.shape), array.dtype)
            ).share_memory_()  # type: ignore[no-untyped-call]
            for name, array in example.items()
        }

    def __getitems__(self, numbered: tuple[int, Sequence[int]]) -> tuple[int, int]:
        """Write a batch; called in a worker."""
        place, items = numbered
        batch = {name: shared.numpy()[place] for name, shared in self.shared.items()}
        for row, item in enumerate(items):
            sample = self.draw(item)
            for name, into in batch.items():
                array = np.asarray(sample[name])
                if array.shape != into.shape[1:]:
                    raise UsageError(
                        f"samples of a batch must have one shape; {name!r} has {into.shape[1:]} "
                        f"and {array.shape}"
                    )
                into[row] = array
        return place, len(items)

    def taken(self, place: int, count: int) -> Batch:
        """A copy of a batch; called in the training process."""
        return {
            name: torch.from_numpy(shared.numpy()[place, :count].copy())
            for name, shared in self.shared.items()
        }


def _as_it_is(fetched: tuple[int, int]) -> tuple[int, int]:
    return fetched


def _keep_freed_memory(worker: int) -> None:
    """Let this process keep what it frees: a picture of 360 px is 100 pages to be cleared again.

    glibc gives blocks of such sizes back to the system at once; other C libraries have no such
    setting.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_M_MMAP_THRESHOLD, _HEAP_BYTES)
