"""The meta loop: the adversarial loop, in which every step is an episode.

An episode samples a task and a few of its pictures. The inner loop plays the game on them, from the
meta-weights θ, and ends with adapted weights W; its Adam keeps its moments from episode to episode,
or begins afresh. The outer loop moves θ towards W for all networks that learn: θ ← θ + ε (W − θ)
(Reptile, Nichol et al. 2018; FAML, Phaphuangwittayakul et al. 2021), or gives θ − W to Adam as its
gradient (FIGR, Clouâtre & Demers 2019). Running means and the vectors of spectral normalisation
stay as the inner loop left them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.train.adversarial import Validate, fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.adversarial_steps import AdversarialStepper, means_of
from smearlab.learn.train.checkpoints import what_is_kept
from smearlab.learn.train.episodes import Episodes, MetaConfig
from smearlab.learn.train.game import Batch, Game
from smearlab.learn.train.sampling import SampleSource, Share

_OUTER = "adam_outer"


def fit_meta(
    game: Game,
    tasks: Mapping[str, SampleSource],
    config: AdversarialConfig,
    meta: MetaConfig,
    run: Path,
    *,
    validate: Validate | None = None,
    describe: Mapping[str, Any] | None = None,
    show: bool = True,
) -> None:
    """Meta-train all networks of a game, or go on where an interrupted run stopped.

    The run is a folder as that of :func:`~smearlab.learn.train.adversarial.fit_adversarial`, with a
    line an episode: means over its inner steps, and ``moved``, the length of W − θ over that of θ.
    It is taken up with the same exactness. The meta-weights are in ``checkpoint.safetensors``:
    :func:`~smearlab.learn.train.checkpoints.load_networks` reads them.

    Parameters
    ----------
    game : Game
        With fresh networks; in the end they have the meta-weights.
    tasks : mapping of str to SampleSource
        See :class:`~smearlab.learn.train.episodes.Episodes`.
    config : AdversarialConfig
        Of the inner steps. ``epochs`` counts rounds of episodes, ``max_steps`` and ``watch_steps``
        episodes; the schedule is that of the outer rate.
    meta : MetaConfig
    run, validate, describe, show
        As :func:`~smearlab.learn.train.adversarial.fit_adversarial` has them.

    Raises
    ------
    DataError
        If a task has fewer samples than shots.
    UsageError, FloatingPointError
        As :func:`~smearlab.learn.train.adversarial.fit_adversarial` raises them.

    Warns
    -----
    GameWarning
        As there.
    """
    episodes = Episodes(tasks, meta, config)
    outer = _outer_optimizer(game.networks.values(), meta)
    fit_adversarial(
        game,
        episodes,
        config,
        run,
        validate=validate,
        describe={**(describe or {}), "meta": asdict(meta), "tasks": list(tasks)},
        show=show,
        stepper=partial(MetaStepper, episodes=episodes, outer=outer),
        optimizers={_OUTER: outer},
    )


@dataclass(frozen=True)
class MetaStepper(AdversarialStepper):
    """Takes episodes for steps.

    Parameters
    ----------
    episodes : Episodes
        The source, once more.
    outer : Optimizer
        Of all trainable parameters of the game.

    See Also
    --------
    smearlab.learn.train.adversarial_steps.AdversarialStepper : the other parameters.
    """

    episodes: Episodes
    outer: torch.optim.Optimizer

    @property
    def batches_a_step(self) -> int:
        """Batches of ``batch_size`` that an episode takes."""
        return self.episodes.batches

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Iterator[Batch]]]:
        """Each episode from ``first`` to before ``last`` with its batches."""
        share = Share(self.fabric.global_rank, self.fabric.world_size)
        yield from self.episodes.steps(first, last, share)

    def rates(self, factor: float) -> dict[str, float]:
        """Rates of the inner steps, which stay, and of the outer one."""
        return {**super().rates(1.0), "lr_outer": self.episodes.meta.lr_outer * factor}

    def take(self, step: int, factor: float, batches: Iterable[Batch]) -> dict[str, float]:
        """Take an episode: the inner loop, then the outer step.

        Parameters
        ----------
        step : int
            The episode, from 0.
        factor : float
            What the schedule leaves of the outer rate.
        batches : iterable of mappings of str to Tensor
            ``critic_steps`` for each inner step.

        Returns
        -------
        dict of str to float
            Means over the inner steps, and ``moved``.

        Raises
        ------
        FloatingPointError
            If a loss or a gradient is not finite.
        """
        meta, drawn = self.episodes.meta, iter(batches)
        before = [parameter.detach().clone() for parameter in self.trained]

        # Inner loop: from θ to W
        told = []
        for number in range(step * meta.inner_steps, (step + 1) * meta.inner_steps):
            now = islice(drawn, self.config.critic_steps)
            told.append(self._inner.take(number, 1.0, now))
        if meta.inner == "fresh":
            for side in self.sides.values():
                side.optimizer.state.clear()

        # Outer step: θ − W is the gradient
        for group in self.outer.param_groups:
            group["lr"] = meta.lr_outer * factor
        with torch.no_grad():
            ways = [theta - adapted for theta, adapted in zip(before, self.trained, strict=True)]
            moved = _length(ways) / _length(before).clamp(min=1e-12)
            for parameter, theta, way in zip(self.trained, before, ways, strict=True):
                parameter.copy_(theta)
                parameter.grad = way
        self.outer.step()
        self.outer.zero_grad(set_to_none=True)
        return {**means_of(told), "moved": float(moved)}

    def diverged(self, step: int, found: str) -> FloatingPointError:
        """What is raised when a loss has left all bounds in an episode, from 0."""
        config, (name, shots) = self.config, self.episodes.task(step)
        source = self.episodes.tasks[name]
        names = ", ".join(getattr(source, "describe", str)(shot) for shot in shots)
        return FloatingPointError(
            f"training diverged: {found} in episode {step + 1} on {name}; lower lr_generator "
            f"({config.lr_generator}) and lr_critic ({config.lr_critic}), or look at its shots: "
            f"{names}. {what_is_kept(self.run)}"
        )

    @cached_property
    def trained(self) -> list[nn.Parameter]:
        """The trainable parameters of all networks, in the order of the outer optimiser."""
        return [parameter for group in self.outer.param_groups for parameter in group["params"]]

    @cached_property
    def _inner(self) -> _InnerStepper:
        kept = (self.fabric, self.game, self.sides, self.source, self.config, self.run)
        return _InnerStepper(*kept, self)


@dataclass(frozen=True)
class _InnerStepper(AdversarialStepper):
    """Steps of the game inside an episode, counted over all episodes."""

    around: MetaStepper

    def diverged(self, step: int, found: str) -> FloatingPointError:
        return self.around.diverged(step // self.around.episodes.meta.inner_steps, found)


def _outer_optimizer(networks: Iterable[nn.Module], meta: MetaConfig) -> torch.optim.Optimizer:
    trained = [p for network in networks for p in network.parameters() if p.requires_grad]
    if not trained:
        raise UsageError("no network of the game has a trainable parameter")
    if meta.outer == "interpolate":
        return torch.optim.SGD(trained, lr=meta.lr_outer)
    return torch.optim.Adam(trained, lr=meta.lr_outer, betas=meta.betas_outer)


def _length(parts: Iterable[Tensor]) -> Tensor:
    """Of all numbers together as one vector, in 32 bits."""
    return torch.stack([part.float().square().sum() for part in parts]).sum().sqrt()
