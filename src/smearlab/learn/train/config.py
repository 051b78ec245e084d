"""How to train, and what follows from it: the learning rate of a step and the optimiser."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import nn

from smearlab.errors import UnknownNameError, UsageError

OptimizerName = Literal["adamw", "adam", "sgd"]
Schedule = Literal["cosine", "constant"]
Precision = Literal["32-true", "bf16-mixed"]


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Parameters
    ----------
    epochs, batch_size : int
        At least 1.
    lr : float
        Highest learning rate, above 0; warmed up linearly, then lowered as a cosine to 1 % of it.
    optimizer : {"adamw", "adam", "sgd"}
        SGD has Nesterov momentum 0.9.
    weight_decay : float
        Of convolution and linear weights only; at least 0.
    warmup_share : float
        Share of all steps, in [0, 1].
    schedule : {"cosine", "constant"}
        What follows the warm-up.
    ema : float
        Decay of the averaged weights, in [0, 1); 0 switches averaging off. Early on it is less,
        so that the fresh weights are soon forgotten.
    clip_norm : float
        Largest gradient norm; 0 switches clipping off.
    precision : {"32-true", "bf16-mixed"}
        Fabric's names.
    seed, workers : int
        Source of all chance; worker processes that make samples. At least 0.
    max_steps : int or None
        Ends training early, for trials; at least 1.

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

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or self.lr <= 0:
            raise UsageError(
                "epochs and batch_size must be at least 1 and lr above 0; received "
                f"{self.epochs}, {self.batch_size}, {self.lr}"
            )
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema must lie within [0, 1); received {self.ema}")
        if not 0 <= self.warmup_share <= 1:
            raise UsageError(f"warmup_share must lie within [0, 1]; received {self.warmup_share}")
        for name in ("weight_decay", "clip_norm", "seed", "workers"):
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


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """Learning rate of a step: linear warm-up, then cosine down to 1 %, or constant.

    Parameters
    ----------
    step : int
        From 0.
    total : int
        Steps of the whole training, whatever ``max_steps`` says.
    config : TrainConfig

    Returns
    -------
    float
        In (0, ``config.lr``].
    """
    warm = max(1, round(total * config.warmup_share))
    if step < warm:
        return config.lr * (step + 1) / warm
    if config.schedule == "constant":
        return config.lr
    progress = (step - warm) / max(1, total - warm)
    return config.lr * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Optimiser with weight decay on matrices and kernels only.

    Parameters
    ----------
    model : Module
        Its trainable parameters are optimised.
    config : TrainConfig
    """
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=0.9, nesterov=True)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.lr)
