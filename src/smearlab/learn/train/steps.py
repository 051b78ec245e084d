"""One optimiser step: micro-batches, gradients, a check that all is finite."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.wrappers import _FabricModule
from torch import Tensor, nn

from smearlab.learn.train.checkpoints import what_is_kept
from smearlab.learn.train.config import LoopSettings, TrainConfig
from smearlab.learn.train.hardware import resolve_precision
from smearlab.learn.train.sampling import (
    SampleSource,
    Share,
    batches,
    name_samples,
    samples_of_step,
    steps_per_epoch,
)

#: Takes the model and a batch; returns named losses, of which ``"loss"`` is minimised.
Objective = Callable[[nn.Module, Mapping[str, Tensor]], Mapping[str, Tensor]]
Batch = Mapping[str, Tensor]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stepper:
    """Takes steps.

    Parameters
    ----------
    fabric : Fabric
    model : Module
        As Fabric wrapped it.
    optimizer : Optimizer
        As Fabric wrapped it.
    objective : callable
        See :data:`Objective`.
    source : SampleSource
    config : TrainConfig
    run : Path
        Named in messages.
    """

    fabric: Fabric
    model: _FabricModule
    optimizer: torch.optim.Optimizer
    objective: Objective
    source: SampleSource
    config: TrainConfig
    run: Path

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Iterator[Batch]]]:
        """Each step from ``first`` to before ``last`` with its batches: all must be taken."""
        yield from step_batches(self.fabric, self.source, self.config, first, last)

    def take(self, step: int, rate: float, micro_batches: Iterable[Batch]) -> dict[str, float]:
        """Take a step.

        Some processors' bf16 kernels now and then return a gradient that is not finite where 32
        bits have one. So a processor's bf16 step that fails is done again in 32 bits, and said;
        only if that fails, too, has the training diverged. Batch norms see its pictures twice.

        Parameters
        ----------
        step : int
            From 0, counted over all epochs.
        rate : float
            The learning rate.
        micro_batches : iterable of mappings of str to Tensor
            ``accumulate`` of them.

        Returns
        -------
        dict of str to float
            The losses, mean over micro-batches and processes.

        Raises
        ------
        FloatingPointError
            If the loss or the gradient is not finite; the weights are as they were.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("lr_scale", 1.0)
        drawn = list(micro_batches)
        losses, wrong = self._gradient(step, drawn, self.model)
        if wrong and self._can_be_more_exact:
            _LOG.warning("step %d in bf16: %s; done again in 32 bits", step + 1, wrong)
            losses, wrong = self._gradient(step, drawn, self.model.module)
        if wrong:
            raise self._diverged(step, wrong)
        self.optimizer.step()
        return losses

    @property
    def _can_be_more_exact(self) -> bool:
        """Whether this is one process that computes in bf16 on a CPU."""
        mixed = resolve_precision(self.config.precision) == "bf16-mixed"
        return mixed and self.fabric.device.type == "cpu" and self.fabric.world_size == 1

    def _gradient(
        self, step: int, micro_batches: Iterable[Batch], model: nn.Module
    ) -> tuple[dict[str, float], str]:
        """Losses, and what is not finite of them or of the clipped gradient: empty if all is."""
        self.optimizer.zero_grad(set_to_none=True)
        losses = self._backward(step, micro_batches, model)
        if not math.isfinite(losses["loss"]):
            return losses, str(losses)
        if self.config.clip_norm:
            norm = self.fabric.clip_gradients(
                self.model,
                self.optimizer,
                max_norm=self.config.clip_norm,
                error_if_nonfinite=False,
            )
            # The scaler of float16 tries large scales, and leaves out the steps that overflow.
            scaled = self.config.precision == "16-mixed"
            if norm is not None and not scaled and not bool(torch.isfinite(norm)):
                return losses, f"gradient norm {float(norm)} at {losses}"
        return losses, ""

    def _backward(
        self, step: int, micro_batches: Iterable[Batch], model: nn.Module
    ) -> dict[str, float]:
        """Mean gradient and losses of the micro-batches of all processes."""
        fabric, count = self.fabric, self.config.accumulate
        losses: Mapping[str, Tensor] = {}
        kept: list[Tensor] = []
        for n, batch in enumerate(micro_batches):
            fix_chance(self.config.seed, step, n, fabric.device, fabric.global_rank)
            with fabric.no_backward_sync(self.model, enabled=n + 1 < count):
                on_device = {key: value.to(fabric.device) for key, value in batch.items()}
                losses = self.objective(model, on_device)
                fabric.backward(losses["loss"] / count)
            kept.append(torch.stack([value.detach().float() for value in losses.values()]))
        means = cast(Tensor, fabric.all_reduce(torch.stack(kept).mean(0)))
        return dict(zip(losses, means.tolist(), strict=True))

    def _diverged(self, step: int, found: str) -> FloatingPointError:
        remedy = f"lower train.lr ({self.config.lr})"
        return divergence(found, step, remedy, self.source, self.config, self.run)


def step_batches(
    fabric: Fabric, source: SampleSource, config: LoopSettings, first: int, last: int
) -> Iterator[tuple[int, Iterator[Batch]]]:
    """Each step from ``first`` to before ``last`` with this process's part of its batches.

    All batches of a step must be taken before the next one.
    """
    share = Share(fabric.global_rank, fabric.world_size)
    loader = iter(batches(source, config, first, last, share))
    for step in range(first, last):
        yield step, islice(loader, config.accumulate)


def divergence(
    found: str, step: int, remedy: str, source: SampleSource, config: LoopSettings, run: Path
) -> FloatingPointError:
    """What is raised when a training has diverged.

    Parameters
    ----------
    found, remedy : str
        Parts of the message.
    step : int
        From 0; its samples are named.
    source : SampleSource
    config : TrainConfig or AdversarialConfig
    run : Path
        Folder of the run.
    """
    n = len(source)
    epoch = step // steps_per_epoch(n, config.step_samples)
    names = name_samples(source, samples_of_step(n, config, step))
    return FloatingPointError(
        f"training diverged: {found} in step {step + 1}, epoch {epoch + 1}; {remedy}, or look at "
        f"its samples: {names}. {what_is_kept(run)}"
    )


def fix_chance(seed: int, step: int, micro_batch: int, device: torch.device, rank: int) -> None:
    """Let dropout follow from the place alone, so that a resumed run draws the same.

    Parameters
    ----------
    seed, step, micro_batch, rank : int
        The place: which batch of which step, in which process.
    device : device
        Its generator is set beside that of the CPU.
    """
    rng = np.random.default_rng([seed, step, micro_batch, rank])
    drawn = int(rng.integers(2**63))
    # Not torch.manual_seed: for devices that are not in use it keeps the whole call stack.
    torch.default_generator.manual_seed(drawn)
    if device.type == "cuda":
        torch.cuda.manual_seed(drawn)
