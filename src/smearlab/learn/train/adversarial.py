"""The adversarial loop: one for all games of a generator and a critic.

A run is a folder as that of the supervised loop: ``config.json``, ``log.jsonl``,
``checkpoint.safetensors`` with ``checkpoint.json`` (all networks and optimisers), and
``model.safetensors`` (the averaged generator). A run that validates has ``validation.jsonl`` and,
if it is told a loss, ``best.safetensors``. At its end ``losses.json`` is written: the least, mean
and largest value of every loss, and what went wrong in the game.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from smearlab.learn.train.adversarial_config import (
    AdversarialConfig,
    build_adam,
    rate_factor,
)
from smearlab.learn.train.adversarial_steps import AdversarialStepper, Side
from smearlab.learn.train.adversarial_watch import GameWarning, Watch
from smearlab.learn.train.averaging import average_of, copy_weights
from smearlab.learn.train.checkpoints import (
    BEST_WEIGHTS,
    Progress,
    State,
    first_non_finite,
    load_checkpoint,
    load_weights,
    parameter_count,
    save_checkpoint,
    what_is_kept,
)
from smearlab.learn.train.game import Game
from smearlab.learn.train.hardware import describe_hardware, start_fabric
from smearlab.learn.train.loss_table import loss_table, write_loss_table
from smearlab.learn.train.progress import CheckpointPace, Recorder
from smearlab.learn.train.run_folder import (
    STEP_LOG,
    VALIDATION_LOG,
    note_hardware,
    open_run,
    read_log,
)
from smearlab.learn.train.sampling import SampleSource, steps_per_epoch
from smearlab.learn.train.stopping import Standing
from smearlab.learn.train.validation import Validate, validated

__all__ = ["Validate", "fit_adversarial"]

#: Losses that may not explode.
_BOUNDED = ("critic_total", "adversarial", "total")


def fit_adversarial(
    game: Game,
    source: SampleSource,
    config: AdversarialConfig,
    run: Path,
    *,
    validate: Validate | None = None,
    describe: Mapping[str, Any] | None = None,
    show: bool = True,
    stepper: Callable[..., AdversarialStepper] = AdversarialStepper,
    optimizers: Mapping[str, torch.optim.Optimizer] | None = None,
) -> nn.Module:
    """Play, or go on where an interrupted run stopped.

    An interrupted run is taken up at its last checkpoint and ends with the same bytes as one that
    was never interrupted, on the CPU with the same number of threads and processes.

    Parameters
    ----------
    game : Game
        With fresh networks; their weights are replaced by the checkpoint's if the run has one.
    source : SampleSource
        Where samples come from.
    config : AdversarialConfig
    run : Path
        Folder of the run; made if missing. All processes of ``torchrun`` see the same one.
    validate : callable, optional
        Takes the averaged generator in evaluation mode, returns named figures. If ``"loss"`` is
        among them, the result is the generator of the epoch with the lowest. Called in the first
        process.
    describe : mapping, optional
        Further facts for ``config.json``: recipe, data.
    show : bool
        Whether to draw a progress bar.
    stepper : callable
        Makes what takes the steps, of fabric, game, sides, source, configuration and run; see
        :mod:`smearlab.learn.train.meta` for one whose steps are episodes.
    optimizers : mapping of str to Optimizer, optional
        Further ones that the stepper uses, kept in checkpoints by name.

    Returns
    -------
    Module
        The averaged generator in evaluation mode, of the last epoch or the best one.

    Raises
    ------
    UsageError
        If the run folder was made with another configuration or other networks, or the game's
        losses do not fit its networks or weights.
    FloatingPointError
        If a loss or its gradient is no longer finite, or grows beyond ``loss_limit``; the last
        checkpoint stays.

    Warns
    -----
    GameWarning
        At the end, if the critic won or lost for good, or generated pictures became alike: see
        :mod:`smearlab.learn.train.adversarial_watch`.
    """
    fabric = start_fabric(config)
    hardware = describe_hardware(config.precision)
    if fabric.is_global_zero:
        asked, defaults = {"train": asdict(config), **(describe or {})}, asdict(AdversarialConfig())
        open_run(run, asked, hardware, defaults)
    fabric.barrier()
    averaged = average_of(game.generator, config.ema)
    for network in (*game.networks.values(), *game.fixed.values()):
        cast(Any, network.to(fabric.device)).to(memory_format=torch.channels_last)
    for network in game.fixed.values():
        network.eval().requires_grad_(False)
    averaged.to(fabric.device)
    sides = _sides(game, config)
    kept = {f"adam_{name}": side.optimizer for name, side in sides.items()}
    state = State(game.networks, averaged, {**kept, **(optimizers or {})})
    progress = load_checkpoint(run, state)
    if fabric.world_size > 1:
        _begin_alike(state)
    wrapped = {
        name: replace(side, optimizer=cast(Any, fabric.setup_optimizers(side.optimizer)))
        for name, side in sides.items()
    }
    taking = stepper(fabric, game, wrapped, source, config, run)

    # Where to begin and to end
    per_epoch = steps_per_epoch(len(source), config.step_samples)
    last = min(per_epoch * config.epochs, config.max_steps or per_epoch * config.epochs)
    if progress.step < last:
        if fabric.is_global_zero:
            note_hardware(run, hardware)
        progress = _Playing(taking, state, validate).go_on(progress, last, per_epoch, show)
        if fabric.is_global_zero:
            write_loss_table(run)
    fabric.barrier()  # the first process has written all by now
    if fabric.is_global_zero:
        _warn(run)
    if progress.standing.best_epoch:
        load_weights(run / BEST_WEIGHTS, averaged.module)
    return averaged.module.eval()


@dataclass(frozen=True)
class _Playing:
    """The parts of a training; what ``state`` holds is not wrapped."""

    stepper: AdversarialStepper
    state: State
    validate: Validate | None

    def go_on(self, progress: Progress, last: int, per_epoch: int, show: bool) -> Progress:
        """Train from where ``progress`` stands to before the step ``last``."""
        stepper, config = self.stepper, self.stepper.config
        fabric, generator = stepper.fabric, stepper.game.generator
        standing, unsaved_best = progress.standing, None
        parameters = sum(parameter_count(network) for network in self.state.networks.values())
        began, pace = time.monotonic(), CheckpointPace(config, parameters)
        if progress.scaler:
            fabric.strategy.precision.load_state_dict(dict(progress.scaler))
        for network in self.state.networks.values():
            network.train()
        watch = Watch(config.watch_steps, read_log(stepper.run, progress.step))
        drawn = stepper.steps(progress.step, last)
        with self._recorder(progress.step, last, show) as record:
            for step, batches in drawn:
                # One step
                factor = rate_factor(step, per_epoch * config.epochs, config)
                figures = stepper.take(step, factor, batches)
                if config.ema:
                    self.state.averaged.update_parameters(generator)
                done, epoch = step + 1, step // per_epoch
                self._record(record, watch, {"step": done, "epoch": epoch}, factor, figures)

                # After an epoch: validate
                over = done == last
                epoch_ended = done % per_epoch == 0 or over
                if epoch_ended and (over or (epoch + 1) % config.validate_every == 0):
                    standing = self._validated(record, standing, done, epoch + 1)
                    if standing.best_epoch == epoch + 1:
                        unsaved_best = copy_weights(self.state.averaged.module)

                # Often enough: a checkpoint
                if over or pace.is_due(epoch_ended):
                    record.flush(to_disk=True)
                    seconds = round(progress.seconds + time.monotonic() - began, 3)
                    scaler = fabric.strategy.precision.state_dict()
                    reached = Progress(done, done // per_epoch, seconds, standing, scaler)
                    with pace.writing():
                        self._save(reached, unsaved_best)
                    unsaved_best = None
        return reached

    def _record(
        self,
        record: Recorder,
        watch: Watch,
        line: dict[str, Any],
        factor: float,
        figures: Mapping[str, float],
    ) -> None:
        """Write a step down with what the watch says of it; end a training that explodes."""
        config = self.stepper.config
        found = watch.add({**line, **figures})
        line |= self.stepper.rates(factor)
        if found:
            line["warnings"] = found
        record.step(line, figures)
        name = watch.exploding(_BOUNDED, config.loss_limit)
        if name:
            record.flush(to_disk=True)
            raise self.stepper.diverged(
                line["step"] - 1,
                f"the loss {name} is {figures[name]} and was beyond loss_limit "
                f"({config.loss_limit}) for ten steps",
            )

    def _recorder(self, first: int, last: int, show: bool) -> Recorder:
        """What writes the logs; in the first process only."""
        names: tuple[str, ...] = (STEP_LOG, VALIDATION_LOG) if self.validate else (STEP_LOG,)
        if not self.stepper.fabric.is_global_zero:
            show, names = False, ()
        stepper, shown = self.stepper, ("critic", "total")
        # The bar tells pictures a second, and some steps take more of them than others.
        seen = stepper.config.batch_size * stepper.batches_a_step
        paced = replace(stepper.config, batch_size=seen, critic_steps=1)
        return Recorder(stepper.run, paced, first, last, show=show, names=names, shown=shown)

    def _validated(self, record: Recorder, standing: Standing, done: int, epoch: int) -> Standing:
        """The standing after an epoch's validation, if there is any; a loss decides it."""
        if self.validate is None:
            return standing
        record.flush()
        self._bring_average_up_to_date()
        found = validated(self.stepper.fabric, self.validate, self.state.averaged.module)
        if not math.isfinite(found.get("loss", 0.0)):
            raise FloatingPointError(
                f"training diverged: validation loss {found['loss']} after epoch {epoch}; lower "
                f"lr_generator and lr_critic. {what_is_kept(self.stepper.run)}"
            )
        if "loss" in found:
            standing = standing.with_loss(epoch, found["loss"])
        best = standing.best_epoch == epoch
        record.validation({"step": done, "epoch": epoch, "best": best}, found)
        return standing

    def _save(self, progress: Progress, best: Mapping[str, Tensor] | None) -> None:
        """Write a checkpoint, if this is the first process; never one that is worse than none."""
        self._bring_average_up_to_date()
        for part, network in self.state.networks.items():
            name = first_non_finite(network)
            if name:
                raise FloatingPointError(
                    f"training diverged: {name} of the {part} is not finite after step "
                    f"{progress.step}; lower lr_generator and lr_critic, or set clip_norm. "
                    f"{what_is_kept(self.stepper.run)}"
                )
        if self.stepper.fabric.is_global_zero:
            save_checkpoint(self.stepper.run, self.state, progress, best)

    def _bring_average_up_to_date(self) -> None:
        """Without averaging, the average is the generator: it is copied when it is looked at."""
        if not self.stepper.config.ema:
            weights = self.stepper.game.generator.state_dict()
            self.state.averaged.module.load_state_dict(weights)


def _sides(game: Game, config: AdversarialConfig) -> dict[str, Side]:
    """The sides with optimisers that are not wrapped."""

    def side(networks: tuple[nn.Module, ...], lr: float, betas: tuple[float, float]) -> Side:
        return Side(networks, build_adam(networks, lr, betas, config.precision), lr)

    together = (game.generator, *game.allies.values())
    return {
        "generator": side(together, config.lr_generator, config.betas_generator),
        "critic": side((game.critic,), config.lr_critic, config.betas_critic),
        **{
            name: side((network,), config.lr_further, config.betas_further)
            for name, network in game.further.items()
        },
    }


def _begin_alike(state: State) -> None:
    """Give all processes the weights of the first."""
    for module in state.modules.values():
        for value in module.state_dict().values():
            torch.distributed.broadcast(value, 0)


def _warn(run: Path) -> None:
    """Say at the end what went wrong in the game."""
    for kind, found in loss_table(run)["warnings"].items():
        warnings.warn(
            f"{kind} in {found['steps']} steps, from {found['first_step']} to "
            f"{found['last_step']}: {found['means']}. See {run / STEP_LOG}",
            GameWarning,
            stacklevel=3,
        )
