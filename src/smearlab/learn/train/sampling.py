"""Which sample is drawn when, and with which chance: all of it follows from the seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from smearlab.learn.train.batch_ring import batches_of_workers, stacked
from smearlab.learn.train.config import LoopSettings

Sample = Mapping[str, NDArray[Any]]


class SampleSource(Protocol):
    """Anything that makes training samples."""

    def __len__(self) -> int:
        """Samples in an epoch."""

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """Sample ``index`` as arrays of equal shapes; all chance comes from ``rng``."""


@dataclass(frozen=True)
class Share:
    """The part of every batch that this process takes.

    Parameters
    ----------
    rank, processes : int
        Which of how many, from 0.
    """

    rank: int = 0
    processes: int = 1


class _Samples:
    """Item ``epoch · n + position``: which sample, and with which chance, follows from it."""

    def __init__(self, source: SampleSource, seed: int) -> None:
        self.source, self.seed = source, seed
        self._order: tuple[int, NDArray[np.intp]] = (-1, np.empty(0, np.intp))

    def __call__(self, item: int) -> Sample:
        epoch, position = divmod(item, len(self.source))
        if self._order[0] != epoch:
            self._order = (epoch, _order(len(self.source), self.seed, epoch))
        rng = np.random.default_rng([self.seed, epoch, position])
        return self.source.sample(int(self._order[1][position]), rng)


class _Batches:
    """The items of this process in every batch of the steps ``first`` to before ``last``."""

    def __init__(self, n: int, config: LoopSettings, first: int, last: int, share: Share) -> None:
        self.n, self.config, self.share = n, config, share
        self.steps = range(first, last)

    def __iter__(self) -> Iterator[list[int]]:
        size = self.config.batch_size
        mine = size // self.share.processes
        for step in self.steps:
            items = _items(step, self.n, self.config)
            for start in range(mine * self.share.rank, len(items), size):
                yield items[start : start + mine]


def steps_per_epoch(n: int, step_samples: int) -> int:
    """Full steps in an epoch; one if there are fewer samples than a step takes."""
    return max(1, n // step_samples)


def samples_of_step(n: int, config: LoopSettings, step: int) -> list[int]:
    """Numbers of the samples that a step learns from, in all processes together.

    Parameters
    ----------
    n : int
        Samples of the source.
    config : TrainConfig or AdversarialConfig
    step : int
        From 0, counted over all epochs.
    """
    epoch = step // steps_per_epoch(n, config.step_samples)
    order = _order(n, config.seed, epoch)
    return [int(order[item - epoch * n]) for item in _items(step, n, config)]


def name_samples(source: SampleSource, indices: Sequence[int]) -> str:
    """What samples are, for a message.

    Parameters
    ----------
    source : SampleSource
        If it has a method ``describe(index)``, that names them: a file, a row.
    indices : sequence of int
    """
    describe = getattr(source, "describe", str)
    return ", ".join(describe(index) for index in indices)


def batches(
    source: SampleSource, config: LoopSettings, first: int, last: int, share: Share | None = None
) -> Iterator[Mapping[str, Tensor]]:
    """The batches of the steps ``first`` to before ``last``, the same wherever one begins.

    Parameters
    ----------
    source : SampleSource
    config : TrainConfig or AdversarialConfig
        Its seed, batch size, batches a step, and workers.
    first, last : int
        Steps from 0, counted over all epochs.
    share : Share, optional
        The part of each batch that is given; all of it when left out.

    Yields
    ------
    mapping of str to Tensor
        Of shape (batch_size ÷ processes, …): ``accumulate`` of them for each step.
    """
    draw = _Samples(source, config.seed)
    items = _Batches(len(source), config, first, last, share or Share())
    if config.workers:
        yield from batches_of_workers(draw, items, config.workers)
    else:
        yield from (stacked(draw, of_batch) for of_batch in items)


def _order(n: int, seed: int, epoch: int) -> NDArray[np.intp]:
    """Which sample stands where in an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(n)


def _items(step: int, n: int, config: LoopSettings) -> list[int]:
    """The items of a step; leftovers of an epoch rest, too few are repeated."""
    epoch, place = divmod(step, steps_per_epoch(n, config.step_samples))
    start = place * config.step_samples
    return [epoch * n + (start + i) % n for i in range(config.step_samples)]
