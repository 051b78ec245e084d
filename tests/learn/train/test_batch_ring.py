"""Batches of workers: the same as without, in order, and never overwritten once they are given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.learn.train.batch_ring import batches_of_workers, stacked

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork


def numbered(item: int) -> Mapping[str, NDArray[Any]]:
    return {"pixels": np.full((3, 5), item, np.uint8), "half": np.float64(item / 2)}  # type: ignore[dict-item]


def growing(item: int) -> Mapping[str, NDArray[Any]]:
    return {"pixels": np.zeros((1, item + 1), np.uint8)}


STEPS = [[4 * step + place for place in range(4)] for step in range(30)]


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_that_are_kept_stay_what_they_were(workers: int) -> None:
    # 30 batches go several times round the ring.
    given = list(batches_of_workers(numbered, STEPS, workers))
    assert len(given) == len(STEPS)
    for batch, items in zip(given, STEPS, strict=True):
        expected = stacked(numbered, items)
        assert batch.keys() == expected.keys()
        for name, tensor in batch.items():
            assert tensor.dtype == expected[name].dtype
            assert torch.equal(tensor, expected[name])
    assert given[0]["pixels"].shape == (4, 3, 5)
    assert given[0]["half"].tolist() == [0, 0.5, 1, 1.5]


def test_a_smaller_batch_is_given_at_its_size() -> None:
    sizes = [len(batch["half"]) for batch in batches_of_workers(numbered, [[1, 2, 3], [4]], 1)]
    assert sizes == [3, 1]


def test_no_steps_give_no_batches() -> None:
    assert list(batches_of_workers(numbered, [], 1)) == []


def test_unequal_shapes_are_refused_and_not_stretched() -> None:
    # (1, 1) would fit into (1, 2) if it were stretched.
    with pytest.raises(
        UsageError, match=r"must have one shape; 'pixels' has \(1, 2\) and \(1, 1\)"
    ):
        list(batches_of_workers(growing, [[1, 0]], 1))


THREADED = """
import cv2, numpy as np
from smearlab.learn.train.batch_ring import batches_of_workers

cv2.setNumThreads(4)
pixels = np.random.default_rng(0).integers(0, 255, (360, 360, 4), np.uint8)
turn = cv2.getRotationMatrix2D((64, 64), 30, 1.0)

def warped(item):
    return {"mean": np.float64(cv2.warpAffine(pixels, turn, (300, 300)).mean() + item)}

for _ in range(40):
    given = list(batches_of_workers(warped, [[0, 1], [2, 3]], 2))
print(len(given), cv2.getNumThreads())
"""


def test_workers_do_not_wait_for_threads_that_the_fork_left_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADED], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "4"]
