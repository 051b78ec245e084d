"""The supervised loop: one for every segmenter and classifier.

A run is a folder: ``config.json`` (what was asked), ``log.jsonl`` (a line a step),
``checkpoint.safetensors`` with ``checkpoint.json`` (resume from here, written at the end of every
epoch) and ``model.safetensors`` (the averaged weights, written with them).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning.fabric import Fabric
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from smearlab.learn.train.checkpoints import load_checkpoint, save_checkpoint, save_weights
from smearlab.learn.train.config import TrainConfig, build_optimizer, learning_rate
from smearlab.learn.train.run_folder import open_log, open_run
from smearlab.learn.train.sampling import SampleSource, batches, steps_per_epoch

#: Takes the model and a batch; returns named losses, of which ``"loss"`` is minimised.
Objective = Callable[[nn.Module, Mapping[str, Tensor]], Mapping[str, Tensor]]


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

    An interrupted run is taken up at its last whole epoch and ends with the same bytes as one
    that was never interrupted, on the CPU with the same number of threads.

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
    FloatingPointError
        If the loss or its gradient is no longer finite.
    """
    open_run(run, {"train": asdict(config), **(describe or {})})
    fabric = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=1,
        precision=config.precision,
    )
    averaged = AveragedModel(model, avg_fn=partial(_average, decay=config.ema), use_buffers=True)
    cast(Any, model).to(memory_format=torch.channels_last)
    optimizer = build_optimizer(model, config)
    wrapped, stepper = fabric.setup(model, optimizer)
    averaged.to(fabric.device)

    # Where to begin and to end
    per_epoch = steps_per_epoch(len(source), config.batch_size)
    total = per_epoch * config.epochs
    first = load_checkpoint(run, model, averaged, optimizer) * per_epoch
    last = total if config.max_steps is None else min(total, config.max_steps)
    began = time.monotonic()

    model.train()
    with _Bar(first, last, config.batch_size, show) as bar, open_log(run, first) as log:
        for step, batch in enumerate(batches(source, config, first, last), start=first):
            _fix_chance(config.seed, step)
            rate = learning_rate(step, total, config)
            for group in optimizer.param_groups:
                group["lr"] = rate
            losses = _step(fabric, wrapped, stepper, batch, objective, config)
            averaged.update_parameters(model)
            line = {"step": step + 1, "epoch": step // per_epoch, "lr": rate, **losses}
            log.write(json.dumps(line) + "\n")
            bar.advance(losses["loss"])
            if (step + 1) % per_epoch == 0:
                log.flush()
                epoch, seconds = (step + 1) // per_epoch, round(time.monotonic() - began, 1)
                save_checkpoint(run, model, averaged, optimizer, epoch, seconds)
    if last % per_epoch:  # ended by max_steps: resuming does the begun epoch again
        save_weights(run, averaged)
    return averaged.module.eval()


def _average(old: Tensor, new: Tensor, n: Tensor | int, *, decay: float) -> Tensor:
    """Exponential average whose decay rises to its final value with the number of steps."""
    if not new.is_floating_point():
        return new
    keep = min(decay, (1 + int(n)) / (10 + int(n)))
    return old * keep + new * (1 - keep)


def _fix_chance(seed: int, step: int) -> None:
    """Let dropout follow from the step alone, so that a resumed run draws the same."""
    torch.manual_seed(int(np.random.default_rng([seed, step]).integers(2**63)))


def _step(
    fabric: Fabric,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Mapping[str, Tensor],
    objective: Objective,
    config: TrainConfig,
) -> dict[str, float]:
    """One optimiser step; what is not finite ends the run instead of spoiling it."""
    optimizer.zero_grad(set_to_none=True)
    losses = objective(model, {k: v.to(fabric.device) for k, v in batch.items()})
    values = {name: float(value.detach()) for name, value in losses.items()}
    if not math.isfinite(values["loss"]):
        raise FloatingPointError(f"training diverged: {values}; lower train.lr ({config.lr})")
    fabric.backward(losses["loss"])
    if config.clip_norm:
        norm = fabric.clip_gradients(
            model, optimizer, max_norm=config.clip_norm, error_if_nonfinite=False
        )
        if norm is not None and not bool(torch.isfinite(norm)):
            raise FloatingPointError(
                f"training diverged: gradient norm {float(norm)} at {values}; lower train.lr "
                f"({config.lr})"
            )
    optimizer.step()
    return values


class _Bar:
    """Progress bar with speed and loss."""

    def __init__(self, first: int, last: int, batch_size: int, show: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            disable=not show,
        )
        self._task = self._progress.add_task("training", total=last, completed=first, state="")
        self._batch_size, self._last = batch_size, time.monotonic()

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def advance(self, loss: float) -> None:
        """One step is done."""
        now = time.monotonic()
        speed = self._batch_size / max(1e-9, now - self._last)
        self._last = now
        self._progress.update(self._task, advance=1, state=f"{speed:.0f} img/s loss {loss:.3f}")
