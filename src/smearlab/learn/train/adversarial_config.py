"""How to train adversarially, and what follows from it: rates and optimisers of each side."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.losses.adversarial import adversarial_loss
from smearlab.learn.train.config import Precision

Steps = Literal["alternating", "simultaneous"]
Penalty = Literal["none", "interpolates", "r1"]
RateSchedule = Literal["constant", "cosine", "linear"]


@dataclass(frozen=True)
class AdversarialConfig:
    """How to train adversarially.

    Parameters
    ----------
    epochs : int
        At least 1.
    batch_size : int
        Samples that go through the networks at once, in all processes together; at least 1.
    loss : {"bce", "least_squares", "hinge", "wasserstein"}
        See :data:`smearlab.learn.losses.adversarial.ADVERSARIAL_LOSSES`.
    steps : {"alternating", "simultaneous"}
        Whether the generator answers to the critic after its update, or both move at once.
    critic_steps : int
        Updates of the critic, each with a batch of its own, for one of the generator, which goes
        with the last of these batches; at least 1.
    penalty : {"none", "interpolates", "r1"}
        On the critic's slope, see :mod:`smearlab.learn.losses.gradient_penalty`.
    penalty_weight, penalty_target : float
        Factor of it, and the norm that the slope between real and generated pictures should have;
        at least 0.
    penalty_every : int
        It is computed in one of so many updates of the critic, with as many times the weight; at
        least 1.
    lr_generator, lr_critic, lr_further : float
        Adam's rate of the generator (with its allies), the critic and each further network; above
        0.
    betas_generator, betas_critic, betas_further : (float, float)
        Of Adam, in [0, 1).
    schedule : {"constant", "cosine", "linear"}
        What the rates do after ``decay_from``; the last two fall to 0.
    decay_from : float
        Share of all steps, in [0, 1).
    ema : float
        Decay of the generator's averaged weights, in [0, 1); 0 switches averaging off. The
        averaged generator is the result.
    clip_norm : float
        Largest gradient norm of each side; 0 switches clipping off.
    precision : {"auto", "32-true", "bf16-mixed", "16-mixed"}
        As :class:`smearlab.learn.train.config.TrainConfig` has it.
    seed, workers, max_steps, checkpoint_minutes, tensorboard
        As ``TrainConfig`` has them; ``max_steps`` counts updates of the generator.
    validate_every : int
        Epochs from one validation to the next; the last epoch always has one. At least 1.
    watch_steps : int
        Steps that the watch for collapse looks back on, see
        :mod:`smearlab.learn.train.adversarial_watch`; at least 2.
    loss_limit : float
        Training has diverged when a loss was larger than that in ten steps in a row; above 0.

    Raises
    ------
    UsageError
        If a value lies outside its range, or is none of the names.
    """

    epochs: int = 10
    batch_size: int = 1
    loss: str = "bce"
    steps: Steps = "alternating"
    critic_steps: int = 1
    penalty: Penalty = "none"
    penalty_weight: float = 10.0
    penalty_target: float = 1.0
    penalty_every: int = 1
    lr_generator: float = 2e-4
    lr_critic: float = 2e-4
    lr_further: float = 2e-4
    betas_generator: tuple[float, float] = (0.5, 0.999)
    betas_critic: tuple[float, float] = (0.5, 0.999)
    betas_further: tuple[float, float] = (0.9, 0.999)
    schedule: RateSchedule = "constant"
    decay_from: float = 0.0
    ema: float = 0.0
    clip_norm: float = 0.0
    precision: Precision = "32-true"
    seed: int = 0
    workers: int = 0
    max_steps: int | None = None
    checkpoint_minutes: float = 5.0
    tensorboard: bool = False
    validate_every: int = 1
    watch_steps: int = 100
    loss_limit: float = 1e5

    def __post_init__(self) -> None:
        adversarial_loss(self.loss)
        for name, known in (
            ("steps", get_args(Steps)),
            ("penalty", get_args(Penalty)),
            ("schedule", get_args(RateSchedule)),
            ("precision", get_args(Precision)),
        ):
            if getattr(self, name) not in known:
                raise UnknownNameError(name, str(getattr(self, name)), known)
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"{name} must be a finite number; received {value}")
        for name, lowest in _LOWEST.items():
            value = getattr(self, name)
            if value < lowest:
                raise UsageError(f"{name} must be at least {lowest}; received {value}")
        for name in ("lr_generator", "lr_critic", "lr_further", "loss_limit"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} must be above 0; received {getattr(self, name)}")
        for name in ("ema", "decay_from"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} must lie within [0, 1); received {getattr(self, name)}")
        for name in ("betas_generator", "betas_critic", "betas_further"):
            betas = getattr(self, name)
            if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
                raise UsageError(f"{name} must be two numbers within [0, 1); received {betas}")
        if self.max_steps is not None and self.max_steps < 1:
            raise UsageError(f"max_steps must be at least 1 or None; received {self.max_steps}")
        if self.steps == "simultaneous" and self.precision == "16-mixed":
            # Both sides share a scaler, whose scale may change between their two updates.
            raise UsageError(
                "simultaneous steps cannot be taken in 16-mixed: take bf16-mixed, 32-true or auto, "
                "or alternating steps"
            )

    @property
    def accumulate(self) -> int:
        """Batches that a step takes."""
        return self.critic_steps

    @property
    def step_samples(self) -> int:
        """Samples that a step takes."""
        return self.batch_size * self.critic_steps


_LOWEST = {
    "epochs": 1, "batch_size": 1, "critic_steps": 1, "penalty_every": 1, "validate_every": 1,
    "watch_steps": 2, "penalty_weight": 0, "penalty_target": 0, "clip_norm": 0, "seed": 0,
    "workers": 0, "checkpoint_minutes": 0,
}  # fmt: skip


def rate_factor(step: int, total: int, config: AdversarialConfig) -> float:
    """What the schedule leaves of the learning rates.

    Parameters
    ----------
    step : int
        From 0.
    total : int
        Steps of the whole training, whatever ``max_steps`` says.
    config : AdversarialConfig

    Returns
    -------
    float
        In (0, 1]; 1 up to ``decay_from``, 0 only after the last step.
    """
    start = round(total * config.decay_from)
    if config.schedule == "constant" or step < start:
        return 1.0
    progress = (step - start) / max(1, total - start)
    if config.schedule == "linear":
        return 1 - progress
    return (1 + math.cos(math.pi * progress)) / 2


def build_adam(
    networks: Iterable[nn.Module], lr: float, betas: tuple[float, float], precision: Precision
) -> torch.optim.Optimizer:
    """Adam of one side of a game, without weight decay.

    Parameters
    ----------
    networks : iterable of Module
        Their trainable parameters are optimised.
    lr : float
    betas : (float, float)
    precision : str

    Returns
    -------
    Optimizer

    Raises
    ------
    UsageError
        If there is nothing to train.
    """
    trained = [p for network in networks for p in network.parameters() if p.requires_grad]
    if not trained:
        raise UsageError("a network of the game has no trainable parameter: call it fixed")
    # As in the supervised loop: the scaler of float16 cannot clip with the fused one.
    return torch.optim.Adam(trained, lr=lr, betas=betas, fused=precision != "16-mixed")
