"""Episodes of meta-training: which task, which shots, and the batches of its inner steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from torch import Tensor

from smearlab.errors import DataError, UnknownNameError, UsageError
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.batch_ring import batches_of_workers, stacked
from smearlab.learn.train.sampling import Sample, SampleSource, Share, name_samples

Outer = Literal["interpolate", "adam"]
Inner = Literal["kept", "fresh"]


@dataclass(frozen=True)
class MetaConfig:
    """What an episode is, and how the meta-weights follow from it.

    Parameters
    ----------
    shots : int
        Pictures of a task that an episode sees, at least 1.
    inner_steps : int
        Steps of the game on them, at least 1.
    inner : {"kept", "fresh"}
        Whether the inner loop's Adam keeps its moments from episode to episode, as Reptile's does,
        or begins afresh. Fresh, its first steps are as long for every weight.
    outer : {"interpolate", "adam"}
        ``interpolate`` moves the meta-weights ``lr_outer`` of the way to the adapted ones (Reptile,
        Nichol et al. 2018); ``adam`` takes the way back as the gradient of Adam (FIGR).
    lr_outer : float
        Above 0; at most 1 where weights are interpolated.
    betas_outer : (float, float)
        Of Adam, in [0, 1).
    round_episodes : int
        Episodes that make an epoch, at least 1.

    Raises
    ------
    UsageError
        If a number is out of range.
    UnknownNameError
        If there is no such state of the inner Adam, or outer step.
    """

    shots: int = 10
    inner_steps: int = 10
    inner: Inner = "kept"
    outer: Outer = "interpolate"
    lr_outer: float = 0.5
    betas_outer: tuple[float, float] = (0.0, 0.999)
    round_episodes: int = 100

    def __post_init__(self) -> None:
        for name in ("shots", "inner_steps", "round_episodes"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1; received {getattr(self, name)}")
        if self.inner not in get_args(Inner):
            raise UnknownNameError("state of inner Adam", str(self.inner), get_args(Inner))
        if self.outer not in get_args(Outer):
            raise UnknownNameError("outer step", str(self.outer), get_args(Outer))
        if not self.lr_outer > 0 or (self.outer == "interpolate" and self.lr_outer > 1):
            raise UsageError(
                f"lr_outer must lie within (0, 1], or above 0 with outer=adam; received "
                f"{self.lr_outer}"
            )
        if len(self.betas_outer) != 2 or not all(0 <= beta < 1 for beta in self.betas_outer):
            raise UsageError(
                f"betas_outer must be two numbers within [0, 1); received {self.betas_outer}"
            )


class Episodes:
    """Samples of endless episodes; all of them follow from the seed.

    The samples of an episode are numbered one after the other, and those of the next follow. A
    :class:`~smearlab.learn.train.sampling.SampleSource`: its length is that of a round.

    Parameters
    ----------
    tasks : mapping of str to SampleSource
        At least one, each with as many samples as an episode has shots.
    meta : MetaConfig
    config : AdversarialConfig
        Of the game: an inner step takes ``critic_steps`` batches.

    Raises
    ------
    UsageError
        If there is no task.
    DataError
        If a task has fewer samples than shots.
    """

    def __init__(
        self, tasks: Mapping[str, SampleSource], meta: MetaConfig, config: AdversarialConfig
    ) -> None:
        if not tasks:
            raise UsageError("meta-training needs tasks, and there is none: leave types common")
        for name, task in tasks.items():
            if len(task) < meta.shots:
                raise DataError(
                    f"{name} has {len(task)} pictures, fewer than the {meta.shots} shots of an "
                    "episode: take fewer shots (--set meta.shots=N), or leave the type out"
                )
        self.tasks, self.meta, self.config = dict(tasks), meta, config
        self.batches = meta.inner_steps * config.critic_steps
        self.samples = self.batches * config.batch_size

    def __len__(self) -> int:
        # The loop counts a step for every ``step_samples`` of an epoch; here a step is an episode.
        return self.meta.round_episodes * self.config.step_samples

    def task(self, episode: int) -> tuple[str, list[int]]:
        """The task of an episode, from 0, and the numbers of its shots, all different."""
        rng = np.random.default_rng([self.config.seed, episode, 1])
        name = list(self.tasks)[int(rng.integers(len(self.tasks)))]
        shots = rng.choice(len(self.tasks[name]), self.meta.shots, replace=False)
        return name, [int(shot) for shot in shots]

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """Sample ``index`` of all episodes: shots come in turn, in a new order each time round."""
        name, shot = self._place(index)
        return self.tasks[name].sample(shot, rng)

    def describe(self, index: int) -> str:
        """Task and sample, for messages."""
        name, shot = self._place(index)
        return f"{name}: {name_samples(self.tasks[name], [shot])}"

    def drawn(self, item: int) -> Sample:
        """Sample ``item`` with chance that follows from its place alone."""
        return self.sample(item, np.random.default_rng([self.config.seed, 2, item]))

    def steps(
        self, first: int, last: int, share: Share
    ) -> Iterator[tuple[int, Iterator[Mapping[str, Tensor]]]]:
        """Each episode from ``first`` to before ``last`` with this process's part of its batches.

        All batches of an episode must be taken before the next one.
        """
        items = _Items(self, range(first, last), share)
        workers = self.config.workers
        loader = (
            batches_of_workers(self.drawn, items, workers)
            if workers
            else (stacked(self.drawn, of_batch) for of_batch in items)
        )
        for episode in range(first, last):
            yield episode, (next(loader) for _ in range(self.batches))

    def _place(self, item: int) -> tuple[str, int]:
        episode, place = divmod(item, self.samples)
        name, shots = self.task(episode)
        turn, place = divmod(place, len(shots))
        order = np.random.default_rng([self.config.seed, episode, 3, turn]).permutation(len(shots))
        return name, shots[int(order[place])]


class _Items:
    """The items of this process in every batch of some episodes."""

    def __init__(self, source: Episodes, episodes: range, share: Share) -> None:
        self.source, self.episodes, self.share = source, episodes, share

    def __iter__(self) -> Iterator[list[int]]:
        source, size = self.source, self.source.config.batch_size
        mine = size // self.share.processes
        for episode in self.episodes:
            for batch in range(source.batches):
                start = episode * source.samples + batch * size + mine * self.share.rank
                yield list(range(start, start + mine))
