"""One step of a game: the critic's updates, the generator's, those of further networks.

Networks are not wrapped in DistributedDataParallel: it averages gradients while one backward pass
runs and expects one forward pass before it, but here a network is gone through several times, its
gradient is differentiated again, and the critic passes gradients on without learning. So gradients
are averaged over the processes after the backward passes, before each update.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.losses.adversarial import AdversarialLoss, adversarial_loss
from smearlab.learn.losses.gradient_penalty import gradient_penalty, r1_penalty
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.adversarial_watch import FIGURES, critic_accuracy, diversity, pull
from smearlab.learn.train.game import Batch, Game
from smearlab.learn.train.sampling import SampleSource
from smearlab.learn.train.steps import divergence, fix_chance, step_batches

Parts = dict[str, Tensor]
#: Names in the log that a game's own losses cannot have.
RESERVED = {
    "step", "epoch", "warnings", "critic", "critic_real", "critic_fake", "critic_total", "penalty",
    "adversarial", "total", *FIGURES,
}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """What one optimiser moves.

    Parameters
    ----------
    networks : tuple of Module
    optimizer : Optimizer
        As Fabric wrapped it.
    lr : float
        Before the schedule.
    """

    networks: tuple[nn.Module, ...]
    optimizer: torch.optim.Optimizer
    lr: float

    @cached_property
    def trained(self) -> list[nn.Parameter]:
        """Its parameters."""
        groups = self.optimizer.param_groups
        return [parameter for group in groups for parameter in group["params"]]


@dataclass(frozen=True)
class AdversarialStepper:
    """Takes steps.

    Parameters
    ----------
    fabric : Fabric
    game : Game
    sides : mapping of str to Side
        ``generator``, ``critic``, and each further network by name.
    source : SampleSource
    config : AdversarialConfig
    run : Path
        The last three are named in messages.
    """

    fabric: Fabric
    game: Game
    sides: Mapping[str, Side]
    source: SampleSource
    config: AdversarialConfig
    run: Path

    @cached_property
    def loss(self) -> AdversarialLoss:
        """The adversarial loss."""
        return adversarial_loss(self.config.loss)

    @property
    def batches_a_step(self) -> int:
        """Batches of ``batch_size`` that a step takes."""
        return self.config.critic_steps

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Iterator[Batch]]]:
        """Each step from ``first`` to before ``last`` with its batches: all must be taken."""
        yield from step_batches(self.fabric, self.source, self.config, first, last)

    def rates(self, factor: float) -> dict[str, float]:
        """The learning rates that the log tells, where the schedule leaves ``factor`` of them."""
        config = self.config
        return {
            "lr_generator": config.lr_generator * factor,
            "lr_critic": config.lr_critic * factor,
        }

    def take(self, step: int, factor: float, batches: Iterable[Batch]) -> dict[str, float]:
        """Take a step.

        Parameters
        ----------
        step : int
            From 0, counted over all epochs.
        factor : float
            What the schedule leaves of the learning rates.
        batches : iterable of mappings of str to Tensor
            ``critic_steps`` of them.

        Returns
        -------
        dict of str to float
            Losses and figures, means over processes and over the critic's updates.

        Raises
        ------
        FloatingPointError
            If a loss or a gradient is not finite; that side's weights are as they were.
        """
        config, fabric = self.config, self.fabric
        self.game.begin_step(factor)
        for side in self.sides.values():
            for group in side.optimizer.param_groups:
                group["lr"] = side.lr * factor
        told: list[dict[str, float]] = []
        batch: Batch = {}
        real = fake = torch.empty(0)
        for turn, drawn in enumerate(batches):
            last = turn + 1 == config.critic_steps
            fix_chance(config.seed, step, turn, fabric.device, fabric.global_rank)
            batch = self.game.prepare({k: v.to(fabric.device) for k, v in drawn.items()})
            real = self.game.real(batch)
            with torch.set_grad_enabled(last), fabric.autocast():
                fake = self.game.generate(batch)
            parts = self._judge(step * config.critic_steps + turn, batch, real, fake.detach())
            told.append(self._checked("critic", step, parts))
            if not (last and config.steps == "simultaneous"):
                self._move("critic", step)
        figures = means_of(told)
        figures |= self._checked("generator", step, self._answer(batch, real, fake))
        if config.steps == "simultaneous":
            self._move("critic", step)
        self._move("generator", step)
        taught = self._teach(step, batch, fake.detach())
        for name in taught.keys() & figures.keys():
            raise UsageError(f"a loss of the generator and a further network are called {name!r}")
        return figures | taught

    def _judge(self, update: int, batch: Batch, real: Tensor, fake: Tensor) -> Parts:
        """The critic's losses and their gradients."""
        config, game = self.config, self.game
        self.sides["critic"].optimizer.zero_grad(set_to_none=True)
        with self.fabric.autocast():
            of_real, of_fake = game.judge(batch, real), game.judge(batch, fake)
            further = game.critic_losses(batch, of_real, of_fake)
        on_real, on_fake = self.loss.critic_parts(of_real.logits, of_fake.logits)
        critic = on_real + on_fake
        parts = {"critic_real": on_real, "critic_fake": on_fake, "critic": critic}
        total = critic
        for name, value in further.items():
            _refuse_taken(f"critic_{name}")
            parts[f"critic_{name}"], total = value, total + value
        if config.penalty != "none" and update % config.penalty_every == 0:
            parts["penalty"] = self._penalty(batch, real, fake)
            total = total + config.penalty_weight * config.penalty_every * parts["penalty"]
        parts["critic_total"] = total
        self.fabric.backward(total)
        accuracy = critic_accuracy(of_real.logits, of_fake.logits, self.loss.boundary)
        parts |= zip(("accuracy_real", "accuracy_fake"), accuracy, strict=True)
        return parts

    def _penalty(self, batch: Batch, real: Tensor, fake: Tensor) -> Tensor:
        def critic(pictures: Tensor) -> Tensor:
            return self.game.judge(batch, pictures).logits

        if self.config.penalty == "r1":
            return r1_penalty(critic, real)
        return gradient_penalty(critic, real, fake, self.config.penalty_target)

    def _answer(self, batch: Batch, real: Tensor, fake: Tensor) -> Parts:
        """The generator's losses and their gradients."""
        game, slopes = self.game, list[Tensor]()
        self.sides["generator"].optimizer.zero_grad(set_to_none=True)
        judged = fake.view_as(fake)  # the gradient that arrives here came through the critic
        judged.register_hook(slopes.append)  # type: ignore[no-untyped-call]
        opponents = [side for name, side in self.sides.items() if name != "generator"]
        with _held(opponents):
            with self.fabric.autocast():
                judgement = game.judge(batch, judged)
                further = game.generator_losses(batch, fake, judgement)
            adversarial = self.loss.generator(None, judgement.logits)
            weight = game.weights.get("adversarial", 1.0)
            parts, total = {"adversarial": adversarial}, weight * adversarial
            for name, value in further.items():
                _refuse_taken(name)
                parts[name], total = value, total + game.weights.get(name, 1.0) * value
            parts["total"] = total
            self.fabric.backward(total)
        unknown = game.weights.keys() - parts.keys()
        if unknown:
            raise UsageError(
                f"the game has weights for {', '.join(sorted(unknown))}, and no such loss; its "
                f"losses are {', '.join(parts)}"
            )
        if weight > 0:
            parts["pull"] = pull(slopes[0], fake, real) / (weight * self._scale)
        return parts | diversity(real, fake)

    def _teach(self, step: int, batch: Batch, fake: Tensor) -> dict[str, float]:
        """The updates of further networks."""
        if not self.game.further:
            return {}
        for name in self.game.further:
            self.sides[name].optimizer.zero_grad(set_to_none=True)
        with self.fabric.autocast():
            losses = self.game.further_losses(batch, fake)
        if losses.keys() != self.game.further.keys():
            raise UsageError(
                f"each further network of a game needs a loss of its name: there are networks "
                f"{', '.join(self.game.further)} and losses {', '.join(losses) or 'none'}"
            )
        self.fabric.backward(torch.stack([value.float() for value in losses.values()]).sum())
        figures: dict[str, float] = {}
        for name, value in losses.items():
            _refuse_taken(name)
            figures |= self._checked(name, step, {name: value})
            self._move(name, step)
        return figures

    def _checked(self, side: str, step: int, parts: Parts) -> dict[str, float]:
        """Means over all processes; none of the losses is without a finite value."""
        values = torch.stack([value.detach().float() for value in parts.values()])
        means = cast(Tensor, self.fabric.all_reduce(values)).tolist()
        told = dict(zip(parts, means, strict=True))
        losses = {name: value for name, value in told.items() if name not in FIGURES}
        if not all(math.isfinite(value) for value in losses.values()):
            raise self.diverged(step, f"losses of the {side} are {losses}")
        # Scaled gradients of float16 overflow now and then: such a figure is left out.
        return {name: value for name, value in told.items() if math.isfinite(value)}

    def _move(self, name: str, step: int) -> None:
        """The update of a side, with the mean gradient of all processes."""
        side, config = self.sides[name], self.config
        self._average_gradients(side)
        if config.clip_norm:
            norm = self.fabric.clip_gradients(
                nn.ModuleList(side.networks),
                side.optimizer,
                max_norm=config.clip_norm,
                error_if_nonfinite=False,
            )
            # The scaler of float16 tries large scales, and leaves out the steps that overflow.
            scaled = config.precision == "16-mixed"
            if norm is not None and not scaled and not bool(torch.isfinite(norm)):
                raise self.diverged(step, f"gradient norm of the {name} is {float(norm)}")
        side.optimizer.step()

    def _average_gradients(self, side: Side) -> None:
        if self.fabric.world_size == 1:
            return
        gradients = [p.grad for p in side.trained if p.grad is not None]
        flat = cast(Tensor, self.fabric.all_reduce(torch.cat([g.flatten() for g in gradients])))
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, torch.split(flat, sizes), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    def diverged(self, step: int, found: str) -> FloatingPointError:
        """What is raised when a loss has left all bounds in a step, from 0."""
        config = self.config
        remedy = f"lower lr_generator ({config.lr_generator}) and lr_critic ({config.lr_critic})"
        return divergence(found, step, remedy, self.source, config, self.run)

    @property
    def _scale(self) -> float:
        """The factor that float16's scaler has given to all gradients."""
        scaler = getattr(self.fabric.strategy.precision, "scaler", None)
        return 1.0 if scaler is None else float(scaler.get_scale())


@contextmanager
def _held(sides: Iterable[Side]) -> Iterator[None]:
    """Gradients pass through these networks, but not into their weights."""
    held = [parameter for side in sides for parameter in side.trained]
    for parameter in held:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in held:
            parameter.requires_grad_(True)


def _refuse_taken(name: str) -> None:
    if name in RESERVED or name.startswith("lr"):
        raise UsageError(f"a loss of a game cannot be called {name!r}, the log has that: rename it")


def means_of(told: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure over the updates that have it."""
    names = dict.fromkeys(name for one in told for name in one)
    return {
        name: math.fsum(values) / len(values)
        for name in names
        for values in [[one[name] for one in told if name in one]]
    }
