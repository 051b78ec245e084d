"""The supervised loop: one for every segmenter and classifier.

A run is a folder: ``config.json`` (what was asked, and of which machine), ``log.jsonl`` (a line a
step), ``checkpoint.safetensors`` with ``checkpoint.json`` (resume from here) and
``model.safetensors`` (the averaged weights, written with them). A run that validates also has
``validation.jsonl`` (a line an epoch) and ``best.safetensors``.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from smearlab.errors import UsageError
from smearlab.learn.train.averaging import average_of, copy_weights
from smearlab.learn.train.checkpoints import (
    BEST_WEIGHTS,
    Progress,
    State,
    first_non_finite,
    load_checkpoint,
    load_weights,
    one_network,
    parameter_count,
    save_checkpoint,
    what_is_kept,
)
from smearlab.learn.train.config import TrainConfig, build_optimizer, learning_rate
from smearlab.learn.train.dropout import end_dropout
from smearlab.learn.train.hardware import describe_hardware, start_fabric
from smearlab.learn.train.progress import CheckpointPace, Recorder
from smearlab.learn.train.run_folder import STEP_LOG, VALIDATION_LOG, note_hardware, open_run
from smearlab.learn.train.sampling import SampleSource, steps_per_epoch
from smearlab.learn.train.steps import Objective, Stepper
from smearlab.learn.train.stopping import Standing
from smearlab.learn.train.validation import Validate, validated

__all__ = ["Objective", "Validate", "fit"]


def fit(
    model: nn.Module,
    source: SampleSource,
    objective: Objective,
    config: TrainConfig,
    run: Path,
    *,
    validate: Validate | None = None,
    stages: Sequence[Sequence[nn.Parameter]] | None = None,
    describe: Mapping[str, Any] | None = None,
    show: bool = True,
) -> nn.Module:
    """Train, or go on where an interrupted run stopped.

    An interrupted run is taken up at its last checkpoint and ends with the same bytes as one that
    was never interrupted, on the CPU with the same number of threads and processes.

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
        Folder of the run; made if missing. All processes of ``torchrun`` see the same one.
    validate : callable, optional
        See :data:`Validate`; it gives ``"loss"`` among its figures. Called after every epoch, in
        the first process. The result has the weights of the epoch with the lowest loss.
    stages : sequence of sequences of Parameter, optional
        See :func:`~smearlab.learn.train.config.build_optimizer`.
    describe : mapping, optional
        Further facts for ``config.json``: recipe, data.
    show : bool
        Whether to draw a progress bar.

    Returns
    -------
    Module
        The averaged model in evaluation mode, of the last epoch or the best one.

    Raises
    ------
    UsageError
        If the run folder was made with another configuration or network, or the configuration
        needs validation and there is none.
    FloatingPointError
        If a loss or its gradient is no longer finite; the last checkpoint stays.
    """
    if config.needs_validation and validate is None:
        raise UsageError(
            "schedule plateau and stop_patience act on the validation loss: give validation data, "
            "or choose schedule cosine and stop_patience 0"
        )
    fabric = start_fabric(config)
    hardware = describe_hardware(config.precision)
    if fabric.is_global_zero:
        open_run(run, {"train": asdict(config), **(describe or {})}, hardware)
    fabric.barrier()
    averaged = average_of(model, config.ema)
    cast(Any, model).to(memory_format=torch.channels_last)
    optimizer = build_optimizer(model, config, stages)
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    averaged.to(fabric.device)
    stepper = Stepper(fabric, wrapped, wrapped_optimizer, objective, source, config, run)
    state = one_network(model, averaged, optimizer)
    training = _Training(stepper, state, validate)

    # Where to begin and to end
    per_epoch = steps_per_epoch(len(source), config.step_samples)
    progress = load_checkpoint(run, state)
    if not progress.step:  # fresh, or of a version that counted epochs only
        progress = dataclasses.replace(progress, step=progress.epoch * per_epoch)
    last = min(per_epoch * config.epochs, config.max_steps or per_epoch * config.epochs)
    if progress.step < last and not progress.standing.is_over(config):
        if fabric.is_global_zero:
            note_hardware(run, hardware)
        progress = training.go_on(progress, last, per_epoch, show)
    return training.result(progress.standing)


@dataclass(frozen=True)
class _Training:
    """The parts of a training; what ``state`` holds is not wrapped."""

    stepper: Stepper
    state: State
    validate: Validate | None

    @property
    def model(self) -> nn.Module:
        """The network that learns."""
        return self.state.networks["model"]

    @property
    def averaged(self) -> AveragedModel:
        """Its average."""
        return self.state.averaged

    def go_on(self, progress: Progress, last: int, per_epoch: int, show: bool) -> Progress:
        """Train from where ``progress`` stands to before the step ``last``."""
        config, precision = self.stepper.config, self.stepper.fabric.strategy.precision
        standing, unsaved_best = progress.standing, None
        began, pace = time.monotonic(), CheckpointPace(config, parameter_count(self.model))
        if progress.scaler:
            precision.load_state_dict(dict(progress.scaler))
        self.model.train()
        quiet = round(config.dropout_share * per_epoch * config.epochs)
        with self._recorder(progress.step, last, show) as record:
            for step, micro_batches in self.stepper.steps(progress.step, last):
                # One step
                if step >= quiet:
                    end_dropout(self.model)
                rate = learning_rate(step, per_epoch * config.epochs, config, standing.rate_scale)
                losses = self.stepper.take(step, rate, micro_batches)
                if config.ema:
                    self.averaged.update_parameters(self.model)
                done, epoch = step + 1, step // per_epoch
                record.step({"step": done, "epoch": epoch, "lr": rate}, losses)

                # After an epoch: validate
                epoch_ended = done % per_epoch == 0 or done == last
                if epoch_ended and self.validate:
                    record.flush()
                    figures = self._figures(self.validate, epoch + 1)
                    standing = standing.after(epoch + 1, figures["loss"], config)
                    best = standing.best_epoch == epoch + 1
                    if best:
                        unsaved_best = copy_weights(self.averaged.module)
                    line = {"step": done, "epoch": epoch + 1, "best": best}
                    record.validation(line, figures)

                # Often enough: a checkpoint
                over = done == last or standing.is_over(config)
                if over or pace.is_due(epoch_ended):
                    record.flush(to_disk=True)
                    seconds = round(progress.seconds + time.monotonic() - began, 3)
                    scaler = precision.state_dict()
                    reached = Progress(done, done // per_epoch, seconds, standing, scaler)
                    with pace.writing():
                        self._save(reached, unsaved_best)
                    unsaved_best = None
                if over:
                    break
        return reached

    def result(self, standing: Standing) -> nn.Module:
        """The averaged model of the last or the best epoch."""
        self.stepper.fabric.barrier()  # the first process has written all by now
        if standing.best_epoch:
            load_weights(self.stepper.run / BEST_WEIGHTS, self.averaged.module)
        return self.averaged.module.eval()

    def _recorder(self, first: int, last: int, show: bool) -> Recorder:
        """What writes the logs; in the first process only."""
        names: tuple[str, ...] = (STEP_LOG, VALIDATION_LOG) if self.validate else (STEP_LOG,)
        if not self.stepper.fabric.is_global_zero:
            show, names = False, ()
        run, config = self.stepper.run, self.stepper.config
        return Recorder(run, config, first, last, show=show, names=names)

    def _figures(self, validate: Validate, epoch: int) -> dict[str, float]:
        """What the validation says; the loss is the same in every process."""
        fabric, config = self.stepper.fabric, self.stepper.config
        self._bring_average_up_to_date()
        figures = validated(fabric, validate, self.averaged.module)
        if "loss" not in figures:
            raise UsageError(f"validate must give 'loss'; it gave {', '.join(figures)}")
        if not math.isfinite(figures["loss"]):
            raise FloatingPointError(
                f"training diverged: validation loss {figures['loss']} after epoch {epoch}; lower "
                f"train.lr ({config.lr}). {what_is_kept(self.stepper.run)}"
            )
        return figures

    def _save(self, progress: Progress, best: Mapping[str, Tensor] | None) -> None:
        """Write a checkpoint, if this is the first process; never one that is worse than none."""
        self._bring_average_up_to_date()
        self._refuse_non_finite(progress.step)
        if self.stepper.fabric.is_global_zero:
            save_checkpoint(self.stepper.run, self.state, progress, best)

    def _refuse_non_finite(self, step: int) -> None:
        """Gradients that are not clipped are not looked at: a finite loss may have spoilt these."""
        name = first_non_finite(self.model)
        if name:
            raise FloatingPointError(
                f"training diverged: {name} is not finite after step {step}; lower train.lr "
                f"({self.stepper.config.lr}), or set train.clip_norm. "
                f"{what_is_kept(self.stepper.run)}"
            )

    def _bring_average_up_to_date(self) -> None:
        """Without averaging, the average is the model: it is copied when it is looked at."""
        if not self.stepper.config.ema:
            self.averaged.module.load_state_dict(self.model.state_dict())
