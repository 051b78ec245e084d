"""Worker threads: bounded, lazy, and stoppable."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from smearlab.batch.workers import WorkerPool, in_order, usable_cores


def test_every_item_once() -> None:
    results = list(WorkerPool(lambda x: 3 * x, threads=4).run(range(500)))
    assert sorted(r for r in results if r is not None) == [3 * x for x in range(500)]


def test_never_more_in_hand_than_threads_however_slow_the_reader_of_results() -> None:
    lock, in_hand, most, pulled = threading.Lock(), 0, 0, 0

    def source() -> Iterator[int]:
        nonlocal pulled
        for item in range(60):
            pulled += 1
            yield item

    def work(item: int) -> int:
        nonlocal in_hand, most
        with lock:
            in_hand += 1
            most = max(most, in_hand)
        time.sleep(0.001)
        with lock:
            in_hand -= 1
        return item

    assert sum(1 for _ in WorkerPool(work, threads=3).run(source())) == 60
    assert most == 3
    assert pulled == 60


def test_an_error_of_the_work_reaches_the_caller_and_stops_the_rest() -> None:
    worked = []

    def work(item: int) -> int:
        worked.append(item)
        if item == 5:
            raise LookupError("item 5")
        time.sleep(0.002)
        return item

    pool = WorkerPool(work, threads=2)
    with pytest.raises(LookupError, match="item 5"):
        list(pool.run(range(10_000)))
    assert pool.stop(5)
    assert len(worked) < 100


def test_an_error_of_the_source_reaches_the_caller() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        list(WorkerPool(lambda x: x, threads=2).run(source()))


def test_ticks_while_nothing_is_finished() -> None:
    gate = threading.Event()
    pool = WorkerPool(lambda item: gate.wait(30) and item, threads=1)
    seen = []
    for result in pool.run([7], tick_s=0.01):
        seen.append(result)
        if len(seen) == 3:
            gate.set()
    assert seen[:3] == [None, None, None]
    assert seen[-1] == 7


def test_stop_waits_no_longer_than_told() -> None:
    gate = threading.Event()
    pool = WorkerPool(lambda item: gate.wait(30) and item, threads=2)
    stream = pool.run(range(100), tick_s=0.01)
    assert next(stream) is None
    begin = time.monotonic()
    assert not pool.stop(0.1)
    assert time.monotonic() - begin < 5
    gate.set()
    assert pool.stop(30)


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads(threads: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1; received {threads}"):
        WorkerPool(lambda x: x, threads)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_cores_are_those_that_may_be_used() -> None:
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);"
        "from smearlab.batch.workers import usable_cores; print(usable_cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert usable_cores() == len(os.sched_getaffinity(0))


def test_results_in_order_come_with_few_begun_ahead() -> None:
    pulled: list[int] = []

    def items() -> Iterator[int]:
        for n in range(20):
            pulled.append(n)
            yield n

    def work(n: int) -> int:
        time.sleep(0.01 if n % 2 else 0)  # the later ones are done first
        return -n

    with ThreadPoolExecutor(4) as pool:
        found = in_order(pool, work, items(), ahead=3)
        assert not pulled, "nothing is begun before it is asked for"
        for n in range(20):
            assert next(found) == -n
            assert len(pulled) <= n + 4
        with pytest.raises(ZeroDivisionError):
            list(in_order(pool, lambda n: 1 // n, [1, 0, 1], ahead=3))
