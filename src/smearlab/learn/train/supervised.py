"""The supervised loop: one for every segmenter and classifier.

A run is a folder: ``config.json`` (what was asked), ``log.jsonl`` (a line a step and an epoch),
``checkpoint.safetensors`` with ``checkpoint.json`` (resume from here) and ``model.safetensors``
(the averaged weights, written at the end of every epoch).
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset, Sampler

from smearlab.errors import UsageError
from smearlab.learn.train.checkpoints import load_checkpoint, save_checkpoint

Sample = Mapping[str, NDArray[Any]]
#: Takes the model and a batch; returns named losses, of which ``"loss"`` is minimised.
Objective = Callable[[nn.Module, Mapping[str, Tensor]], Mapping[str, Tensor]]


class SampleSource(Protocol):
    """Anything that makes training samples."""

    def __len__(self) -> int:
        """Samples in an epoch."""

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """Sample ``index`` as arrays of equal shapes; all chance comes from ``rng``."""


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Parameters
    ----------
    epochs, batch_size : int
        At least 1.
    lr : float
        Highest learning rate; warmed up linearly, then lowered as a cosine to 1 % of it.
    optimizer : {"adamw", "adam", "sgd"}
        SGD has Nesterov momentum 0.9.
    weight_decay : float
        Of convolution and linear weights only.
    warmup_share : float
        Share of all steps.
    schedule : {"cosine", "constant"}
    ema : float
        Decay of the averaged weights; 0 switches averaging off. Early on it is less, so that
        the fresh weights are soon forgotten.
    clip_norm : float
        Largest gradient norm; 0 switches clipping off.
    precision : str
        Fabric's: "32-true" or "bf16-mixed".
    seed, workers : int
        Source of all chance; worker processes that make samples.
    max_steps : int or None
        Ends training early, for trials.
    """

    epochs: int = 10
    batch_size: int = 16
    lr: float = 1e-3
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    weight_decay: float = 1e-4
    warmup_share: float = 0.03
    schedule: Literal["cosine", "constant"] = "cosine"
    ema: float = 0.998
    clip_norm: float = 5.0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
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
    """Batches of items from ``first_epoch`` on; an incomplete last batch is left out."""

    def __init__(self, n: int, config: TrainConfig, first_epoch: int) -> None:
        self.n, self.config, self.first_epoch = n, config, first_epoch

    def __iter__(self) -> Iterator[list[int]]:
        size = self.config.batch_size
        for epoch in range(self.first_epoch, self.config.epochs):
            for start in range(0, steps_per_epoch(self.n, size) * size, size):
                yield [epoch * self.n + (start + i) % self.n for i in range(size)]


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Full batches in an epoch; one if there are fewer samples than a batch."""
    return max(1, n // batch_size)


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """Learning rate of a step: linear warm-up, then cosine down to 1 %."""
    warm = max(1, round(total * config.warmup_share))
    if step < warm:
        return config.lr * (step + 1) / warm
    if config.schedule == "constant":
        return config.lr
    progress = (step - warm) / max(1, total - warm)
    return config.lr * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Optimiser with weight decay on matrices and kernels only."""
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


def fit(
    model: nn.Module,
    source: SampleSource,
    objective: Objective,
    config: TrainConfig,
    run: Path,
    *,
    describe: Mapping[str, Any] | None = None,
    show: bool = True,
) -> nn.Module:
    """Train, or go on where an interrupted run stopped.

    Parameters
    ----------
    model : Module
        Fresh weights; replaced by the checkpoint's if the run has one.
    source : SampleSource
        Where samples come from.
    objective : callable
        See :data:`Objective`.
    config : TrainConfig
    run : Path
        Folder of the run; made if missing.
    describe : mapping, optional
        Further facts for ``config.json``: recipe, data.
    show : bool
        Whether to draw a progress bar.

    Returns
    -------
    Module
        The averaged model in evaluation mode.

    Raises
    ------
    UsageError
        If the run folder was made with another configuration.
    """
    torch.manual_seed(config.seed)
    fabric = Fabric(accelerator="cpu" if not torch.cuda.is_available() else "cuda", devices=1,
                    precision=config.precision)  # fmt: skip
    run.mkdir(parents=True, exist_ok=True)
    _keep_config(run, config, describe or {})
    averaged = AveragedModel(model, avg_fn=partial(_average, decay=config.ema), use_buffers=True)
    optimizer = build_optimizer(model, config)
    epoch = load_checkpoint(run, model, averaged, optimizer)
    wrapped, optimizer = fabric.setup(model.to(memory_format=torch.channels_last), optimizer)
    averaged.to(fabric.device)
    per_epoch = steps_per_epoch(len(source), config.batch_size)
    total, step, began = per_epoch * config.epochs, epoch * per_epoch, time.monotonic()
    loader = DataLoader(
        _Samples(source, config.seed),
        batch_sampler=_Steps(len(source), config, epoch),
        num_workers=config.workers,
        prefetch_factor=3 if config.workers else None,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[speed]}"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, disable=not show) as bar, (run / "log.jsonl").open("a") as log:
        task = bar.add_task("training", total=total, completed=step, speed="")
        model.train()
        for batch in loader:
            rate = learning_rate(step, total, config)
            for group in optimizer.param_groups:
                group["lr"] = rate
            began_step = time.monotonic()
            losses = _step(fabric, wrapped, optimizer, batch, objective, config)
            averaged.update_parameters(model)
            step += 1
            line = {"step": step, "epoch": (step - 1) // per_epoch, "lr": rate, **losses}
            log.write(json.dumps(line) + "\n")
            speed = config.batch_size / max(1e-9, time.monotonic() - began_step)
            bar.update(task, completed=step, speed=f"{speed:.0f} img/s loss {losses['loss']:.3f}")
            if step % per_epoch == 0:
                log.flush()
                seconds = round(time.monotonic() - began, 1)
                save_checkpoint(run, model, averaged, optimizer, step // per_epoch, seconds)
            if config.max_steps is not None and step >= config.max_steps:
                save_checkpoint(run, model, averaged, optimizer, step // per_epoch, 0.0)
                break
    best = averaged.module if config.ema else model
    return best.eval()


def _average(old: Tensor, new: Tensor, n: Tensor | int, *, decay: float) -> Tensor:
    """Exponential average whose decay rises to its final value with the number of steps."""
    if not new.is_floating_point():
        return new
    keep = min(decay, (1 + int(n)) / (10 + int(n)))
    return old * keep + new * (1 - keep)


def _step(
    fabric: Fabric,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Mapping[str, Tensor],
    objective: Objective,
    config: TrainConfig,
) -> dict[str, float]:
    """One optimiser step; a loss that is not finite ends the run instead of spoiling it."""
    optimizer.zero_grad(set_to_none=True)
    losses = objective(model, {k: v.to(fabric.device) for k, v in batch.items()})
    if not bool(torch.isfinite(losses["loss"])):
        values = {name: float(value.detach()) for name, value in losses.items()}
        raise FloatingPointError(f"training diverged: {values}; lower train.lr ({config.lr})")
    fabric.backward(losses["loss"])
    if config.clip_norm:
        fabric.clip_gradients(model, optimizer, max_norm=config.clip_norm)  # type: ignore[arg-type]
    optimizer.step()
    return {name: float(value.detach()) for name, value in losses.items()}


def _keep_config(run: Path, config: TrainConfig, describe: Mapping[str, Any]) -> None:
    """Write the resolved configuration, or check that the run has the same one."""
    path = run / "config.json"
    asked = json.loads(json.dumps({"train": asdict(config), **describe}))
    if path.exists():
        found = json.loads(path.read_text())["asked"]
        if found != asked:
            differ = sorted(k for k in {*found, *asked} if found.get(k) != asked.get(k))
            raise UsageError(
                f"{run} was begun with another configuration (differs in {', '.join(differ)}): "
                "choose another run folder, or delete this one"
            )
        return
    hardware = {"machine": platform.machine(), "threads": torch.get_num_threads(),
                "torch": torch.__version__, "cuda": torch.cuda.is_available()}  # fmt: skip
    path.write_text(json.dumps({"asked": asked, "hardware": hardware}, indent=1))
