"""Which sample comes when: every one once an epoch, whoever makes it and wherever one begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_run import CONFIG

from smearlab.learn.train.sampling import (
    Sample,
    Share,
    batches,
    name_samples,
    samples_of_step,
    steps_per_epoch,
)


class Numbers:
    """Sample n is n, and a draw."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        return {"index": np.array(index), "draw": np.array(rng.random())}


def drawn(n: int, first: int, last: int, **changes: object) -> list[tuple[list[int], list[float]]]:
    config = replace(CONFIG, **changes)  # type: ignore[arg-type]
    return [
        (batch["index"].tolist(), batch["draw"].tolist())
        for batch in batches(Numbers(n), config, first, last)
    ]


@pytest.mark.parametrize(("n", "size", "steps"), [(24, 8, 3), (27, 8, 3), (5, 8, 1), (8, 8, 1)])
def test_an_epoch_is_all_full_batches_or_one(n: int, size: int, steps: int) -> None:
    assert steps_per_epoch(n, size) == steps


def test_every_sample_comes_once_an_epoch_each_time_in_another_order() -> None:
    orders = []
    for epoch in range(3):
        indices = [i for batch, _ in drawn(24, epoch * 3, epoch * 3 + 3) for i in batch]
        assert sorted(indices) == list(range(24))
        orders.append(tuple(indices))
    assert len(set(orders)) == 3


def test_no_two_draws_are_the_same() -> None:
    values = [v for _, draws in drawn(24, 0, 12) for v in draws]
    assert len(set(values)) == 4 * 24


def test_where_one_begins_changes_nothing() -> None:
    whole = drawn(27, 0, 12)
    assert drawn(27, 5, 12) == whole[5:]
    assert drawn(27, 0, 12, seed=6) != whole


def test_fewer_samples_than_a_batch_are_repeated() -> None:
    (indices, _), *_ = drawn(5, 0, 1)
    assert len(indices) == 8
    assert set(indices) == set(range(5))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside threads
def test_worker_processes_make_the_same_batches() -> None:
    assert drawn(27, 2, 7, workers=2) == drawn(27, 2, 7)


def test_arrays_come_as_stacked_tensors() -> None:
    batch = next(iter(batches(Numbers(24), CONFIG, 0, 1)))
    assert isinstance(batch["draw"], torch.Tensor)
    assert batch["draw"].shape == (8,)
    assert batch["draw"].dtype == torch.float64


@pytest.mark.parametrize("n", [27, 50, 5])
def test_what_a_step_learns_from_can_be_told(n: int) -> None:
    config = replace(CONFIG, batch_size=4, accumulate=3)
    found = drawn(n, 0, 6, batch_size=4, accumulate=3)
    assert len(found) == 6 * 3
    for step in range(6):
        indices = [i for batch, _ in found[3 * step : 3 * step + 3] for i in batch]
        assert samples_of_step(n, config, step) == indices


def test_small_batches_are_cut_from_the_large_one() -> None:
    large = drawn(27, 1, 4, batch_size=12)
    small = drawn(27, 1, 4, batch_size=4, accumulate=3)
    for step, (indices, draws) in enumerate(large):
        mine = small[3 * step : 3 * step + 3]
        assert [i for batch, _ in mine for i in batch] == indices
        assert [value for _, values in mine for value in values] == draws


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_each_batch(processes: int) -> None:
    config = replace(CONFIG, accumulate=2)
    whole = [batch["index"].tolist() for batch in batches(Numbers(40), config, 0, 4)]
    shares = [
        [batch["index"].tolist() for batch in batches(Numbers(40), config, 0, 4, share)]
        for share in (Share(rank, processes) for rank in range(processes))
    ]
    joined = [[i for part in parts for i in part] for parts in zip(*shares, strict=True)]
    assert joined == whole
    assert {len(part) for share in shares for part in share} == {8 // processes}


def test_samples_are_named_by_a_source_that_can() -> None:
    class Files(Numbers):
        def describe(self, index: int) -> str:
            return f"{index}.png"

    assert name_samples(Files(9), [3, 5]) == "3.png, 5.png"
    assert name_samples(Numbers(9), [3, 5]) == "3, 5"
