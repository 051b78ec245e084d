"""Which sample is drawn when, and with which chance: all of it follows from the seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from smearlab.learn.train.config import TrainConfig

Sample = Mapping[str, NDArray[Any]]


class SampleSource(Protocol):
    """Anything that makes training samples."""

    def __len__(self) -> int:
        """Samples in an epoch."""

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """Sample ``index`` as arrays of equal shapes; all chance comes from ``rng``."""


class _Samples(Dataset[Sample]):
    """Item ``epoch · n + position``: which sample, and with which chance, follows from it."""

    def __init__(self, source: SampleSource, seed: int) -> None:
        self.source, self.seed = source, seed
        self._order: tuple[int, NDArray[np.intp]] = (-1, np.empty(0, np.intp))

    def __getitem__(self, item: int) -> Sample:
        epoch, position = divmod(item, len(self.source))
        if self._order[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._order = (epoch, rng.permutation(len(self.source)))
        rng = np.random.default_rng([self.seed, epoch, position])
        return self.source.sample(int(self._order[1][position]), rng)


class _Steps(Sampler[list[int]]):
    """The items of every step from ``first`` to before ``last``; leftovers of an epoch rest."""

    def __init__(self, n: int, batch_size: int, first: int, last: int) -> None:
        self.n, self.batch_size, self.first, self.last = n, batch_size, first, last

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.first, self.last):
            epoch, place = divmod(step, steps_per_epoch(self.n, self.batch_size))
            start = place * self.batch_size
            yield [epoch * self.n + (start + i) % self.n for i in range(self.batch_size)]


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Full batches in an epoch; one if there are fewer samples than a batch."""
    return max(1, n // batch_size)


def batches(
    source: SampleSource, config: TrainConfig, first: int, last: int
) -> DataLoader[Mapping[str, Tensor]]:
    """The batches of the steps ``first`` to before ``last``, the same wherever one begins.

    Parameters
    ----------
    source : SampleSource
    config : TrainConfig
        Its seed, batch size and workers.
    first, last : int
        Steps from 0, counted over all epochs.

    Returns
    -------
    DataLoader
        Gives mappings of name to Tensor, shape (batch_size, …).
    """
    loader: DataLoader[Any] = DataLoader(  # it turns the arrays of samples into stacked tensors
        _Samples(source, config.seed),
        batch_sampler=_Steps(len(source), config.batch_size, first, last),
        num_workers=config.workers,
        prefetch_factor=3 if config.workers else None,
    )
    return loader
