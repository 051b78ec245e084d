"""Threads that pull work as they become free, so no queue of waiting work ever grows."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Cores this process may use, which a container or SLURM can make fewer than there are."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Results of a pool in the order of the items, a few of them begun ahead.

    Parameters
    ----------
    pool : ThreadPoolExecutor
    work : callable
        From item to result; its exceptions are raised to the caller.
    items : iterable
        Pulled lazily, by the caller's thread.
    ahead : int
        Results that may wait to be taken, or be in the making, at most.

    Examples
    --------
    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(in_order(pool, lambda x: x * x, range(4), ahead=2))
    [0, 1, 4, 9]
    """
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class WorkerPool(Generic[Item, Result]):
    """Apply a function to a stream of items in threads; results come as they finish.

    A thread takes the next item only when it has finished its last one: whatever the length of
    the stream, at most ``threads`` items are in hand. The threads are daemons, so a caller that
    must leave at once (Ctrl-C during a long network call) can.

    Parameters
    ----------
    work : callable
        From item to result. An exception of it ends the iteration and is raised to the caller.
    threads : int
        How many at once, at least 1.

    Raises
    ------
    ValueError
        If ``threads`` is below 1.

    Examples
    --------
    >>> sorted(WorkerPool(lambda x: x * x, threads=2).run(range(4)))
    [0, 1, 4, 9]
    """

    def __init__(self, work: Callable[[Item], Result], threads: int) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1; received {threads}")
        self._work = work
        self._stop = threading.Event()
        self._pull = threading.Lock()
        self._finished: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
        self._count = threads
        self._threads: list[threading.Thread] = []

    def run(self, items: Iterable[Item], tick_s: float | None = None) -> Iterator[Result | None]:
        """Start the threads and give the results in the order in which they finish.

        Parameters
        ----------
        items : iterable
            Pulled lazily, one at a time, under a lock.
        tick_s : float or None
            When given, None is given whenever so many seconds pass without a result.

        Yields
        ------
        object or None
            A result, or None for a tick.
        """
        source = iter(items)
        self._threads = [
            threading.Thread(target=self._pull_and_work, args=(source,), daemon=True)
            for _ in range(self._count)
        ]
        for thread in self._threads:
            thread.start()
        running = len(self._threads)
        try:
            while running:
                try:
                    finished = self._finished.get(timeout=tick_s)
                except queue.Empty:
                    yield None
                    continue
                if finished is None:
                    running -= 1
                elif isinstance(finished, BaseException):
                    raise finished
                else:
                    yield finished
        finally:
            self._stop.set()

    def stop(self, timeout_s: float | None = None) -> bool:
        """Take no further item and wait for the items in hand.

        Parameters
        ----------
        timeout_s : float or None
            How long to wait for all threads together; None waits for as long as it takes.

        Returns
        -------
        bool
            Whether every thread has ended.
        """
        self._stop.set()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _pull_and_work(self, source: Iterator[Item]) -> None:
        try:
            while not self._stop.is_set():
                with self._pull:
                    try:
                        item = next(source)
                    except StopIteration:
                        break
                self._finished.put(self._work(item))
        except BaseException as error:  # handed to the caller, whose thread decides
            self._stop.set()
            self._finished.put(error)
        finally:
            self._finished.put(None)
