"""How to train, and what follows from it: the learning rate of a step and the optimiser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import torch
from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.train.transfer import stage_parameters

OptimizerName = Literal["adamw", "adam", "sgd"]
Schedule = Literal["cosine", "constant", "step", "plateau"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]

#: Settings that change no number of a training: a run may go on with others.
FREE_SETTINGS = ("workers", "checkpoint_minutes", "tensorboard")


class LoopSettings(Protocol):
    """What the configuration of every loop has, with the meaning that TrainConfig gives it."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def accumulate(self) -> int: ...
    @property
    def step_samples(self) -> int: ...
    @property
    def precision(self) -> Precision: ...
    @property
    def seed(self) -> int: ...
    @property
    def workers(self) -> int: ...
    @property
    def checkpoint_minutes(self) -> float: ...
    @property
    def tensorboard(self) -> bool: ...


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Parameters
    ----------
    epochs : int
        At least 1.
    batch_size : int
        Samples that go through the network at once, in all processes together; at least 1.
    accumulate : int
        So many batches make one step: it is that of one batch so many times as large, except for
        batch norms, which see one batch at a time. At least 1.
    lr : float
        Highest learning rate, above 0; warmed up linearly, then ``schedule``.
    optimizer : {"adamw", "adam", "sgd"}
    momentum, nesterov : float, bool
        Of SGD; in [0, 1).
    weight_decay : float
        Of convolution and linear weights only; at least 0.
    backbone_lr_scale : float
        Of a network in stages, each learns at the rate of the next one towards the head times
        this; above 0.
    warmup_share : float
        Share of all steps, in [0, 1].
    schedule : {"cosine", "constant", "step", "plateau"}
        What follows the warm-up: a cosine down to 1 %; the same rate; ``step_factor`` times the
        rate after every ``step_epochs``; ``plateau_factor`` times the rate whenever the
        validation loss has not fallen for ``plateau_patience`` epochs.
    step_epochs, step_factor, plateau_patience, plateau_factor : int, float, int, float
        Epochs are at least 1, factors in (0, 1).
    stop_patience : int
        End when the validation loss has not fallen by more than ``stop_min_delta`` for so many
        epochs; 0 switches this off.
    stop_min_delta : float
        At least 0.
    ema : float
        Decay of the averaged weights, in [0, 1); 0 switches averaging off. Early on it is less,
        so that the fresh weights are soon forgotten.
    clip_norm : float
        Largest gradient norm; 0 switches clipping off.
    precision : {"auto", "32-true", "bf16-mixed", "16-mixed"}
        Fabric's names; ``auto`` is bf16 where the hardware computes with it, else 32 bits.
    seed, workers : int
        Source of all chance; worker processes that make samples. At least 0.
    max_steps : int or None
        Ends training early, for trials; at least 1.
    checkpoint_minutes : float
        Longest time from one checkpoint to the next inside an epoch; 0 writes them at the end of
        epochs only.
    tensorboard : bool
        Whether to write what the log says as a TensorBoard event file, too.
    dropout_share : float
        Share of all steps, from the first on, in which layers of dropout drop anything, in [0, 1];
        see :func:`smearlab.learn.train.dropout.end_dropout`.

    Raises
    ------
    UsageError
        If a value lies outside its range, or is none of the names.
    """

    epochs: int = 10
    batch_size: int = 16
    lr: float = 1e-3
    optimizer: OptimizerName = "adamw"
    weight_decay: float = 1e-4
    warmup_share: float = 0.03
    schedule: Schedule = "cosine"
    ema: float = 0.998
    clip_norm: float = 5.0
    precision: Precision = "32-true"
    seed: int = 0
    workers: int = 0
    max_steps: int | None = None
    accumulate: int = 1
    momentum: float = 0.9
    nesterov: bool = True
    backbone_lr_scale: float = 1.0
    step_epochs: int = 30
    step_factor: float = 0.1
    plateau_patience: int = 10
    plateau_factor: float = 0.1
    stop_patience: int = 0
    stop_min_delta: float = 0.0
    checkpoint_minutes: float = 5.0
    tensorboard: bool = False
    dropout_share: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"{name} must be a finite number; received {value}")
        if self.epochs < 1 or self.batch_size < 1 or self.lr <= 0:
            raise UsageError(
                "epochs and batch_size must be at least 1 and lr above 0; received "
                f"{self.epochs}, {self.batch_size}, {self.lr}"
            )
        for name in ("ema", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} must lie within [0, 1); received {getattr(self, name)}")
        for name in ("step_factor", "plateau_factor"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(f"{name} must lie within (0, 1); received {getattr(self, name)}")
        for name in ("warmup_share", "dropout_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must lie within [0, 1]; received {getattr(self, name)}")
        if self.backbone_lr_scale <= 0:
            raise UsageError(
                f"backbone_lr_scale must be above 0; received {self.backbone_lr_scale}"
            )
        for name in ("accumulate", "step_epochs", "plateau_patience"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1; received {getattr(self, name)}")
        for name in _AT_LEAST_0:
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be at least 0; received {getattr(self, name)}")
        if self.max_steps is not None and self.max_steps < 1:
            raise UsageError(f"max_steps must be at least 1 or None; received {self.max_steps}")
        for name, known in (
            ("optimizer", get_args(OptimizerName)),
            ("schedule", get_args(Schedule)),
            ("precision", get_args(Precision)),
        ):
            if getattr(self, name) not in known:
                raise UnknownNameError(name, str(getattr(self, name)), known)

    @property
    def step_samples(self) -> int:
        """Samples that a step learns from."""
        return self.batch_size * self.accumulate

    @property
    def needs_validation(self) -> bool:
        """Whether something acts on the validation loss."""
        return self.schedule == "plateau" or self.stop_patience > 0


_AT_LEAST_0 = (
    "weight_decay", "clip_norm", "seed", "workers", "stop_patience", "stop_min_delta",
    "checkpoint_minutes",
)  # fmt: skip


def learning_rate(step: int, total: int, config: TrainConfig, plateau: float = 1.0) -> float:
    """Learning rate of a step: linear warm-up, then the schedule.

    Parameters
    ----------
    step : int
        From 0.
    total : int
        Steps of the whole training, whatever ``max_steps`` says.
    config : TrainConfig
    plateau : float
        What plateaus of the validation loss have left of it, in (0, 1].

    Returns
    -------
    float
        In (0, ``config.lr``].
    """
    warm = max(1, round(total * config.warmup_share))
    if step < warm:
        return config.lr * plateau * (step + 1) / warm
    if config.schedule == "cosine":
        progress = (step - warm) / max(1, total - warm)
        return config.lr * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)
    if config.schedule == "step":
        epoch = step // max(1, total // config.epochs)
        return float(config.lr * config.step_factor ** (epoch // config.step_epochs))
    return config.lr * plateau


def build_optimizer(
    model: nn.Module,
    config: TrainConfig,
    stages: Sequence[Sequence[nn.Parameter]] | None = None,
) -> torch.optim.Optimizer:
    """Optimiser with weight decay on matrices and kernels only.

    Parameters
    ----------
    model : Module
        Its trainable parameters are optimised.
    config : TrainConfig
    stages : sequence of sequences of Parameter, optional
        All of the model's from stem to head, for a learning rate each. Those of
        :func:`smearlab.learn.train.transfer.stage_parameters` when left out, if they are needed.

    Returns
    -------
    Optimizer
        The factor of a group's learning rate is its ``lr_scale``.

    Raises
    ------
    UsageError
        If nothing is left to train, or the network is asked for stages and has none.
    """
    if stages is None:
        one = [list(model.parameters())]
        stages = one if config.backbone_lr_scale == 1 else stage_parameters(model)
    groups: list[dict[str, Any]] = []
    for distance, stage in enumerate(reversed(stages)):
        trained = [p for p in stage if p.requires_grad]
        shared = {"lr_scale": config.backbone_lr_scale**distance}
        decayed = [p for p in trained if p.ndim > 1]
        groups.append({"params": decayed, "weight_decay": config.weight_decay, **shared})
        plain = [p for p in trained if p.ndim <= 1]
        groups.append({"params": plain, "weight_decay": 0.0, **shared})
    if not any(group["params"] for group in groups):
        raise UsageError("the network has no trainable parameter left: freeze less of it")
    # One pass over memory instead of one for each term; the scaler of float16 cannot clip with it.
    fused = config.precision != "16-mixed"
    if config.optimizer == "sgd":
        nesterov = config.nesterov and config.momentum > 0
        return torch.optim.SGD(
            groups, lr=config.lr, momentum=config.momentum, nesterov=nesterov, fused=fused
        )
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.lr, fused=fused)
