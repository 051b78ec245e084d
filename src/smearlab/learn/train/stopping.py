"""What the validation losses say: which epoch was best, when the rate falls, when to stop."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from smearlab.learn.train.config import TrainConfig


@dataclass(frozen=True)
class Standing:
    """What is known after some epochs; a checkpoint keeps it.

    Parameters
    ----------
    best_loss : float or None
        Lowest validation loss; None before the first one.
    best_epoch : int
        The epoch that had it, from 1; 0 before the first one.
    flat_epochs : int
        Epochs without a lower loss, since the last one or since the rate fell.
    rate_scale : float
        What plateaus have left of the learning rate, in (0, 1].
    stop_reference : float or None
        The loss that must be undercut by ``stop_min_delta``.
    stop_epochs : int
        Epochs that did not undercut it.
    """

    best_loss: float | None = None
    best_epoch: int = 0
    flat_epochs: int = 0
    rate_scale: float = 1.0
    stop_reference: float | None = None
    stop_epochs: int = 0

    def after(self, epoch: int, loss: float, config: TrainConfig) -> Standing:
        """The standing once an epoch's validation loss is known.

        Patience is counted as Keras counts it: ``plateau_patience`` or ``stop_patience`` epochs in
        a row without an improvement, and the rate falls, or training ends.

        Parameters
        ----------
        epoch : int
            From 1.
        loss : float
            Finite.
        config : TrainConfig
        """
        standing = self.with_loss(epoch, loss)
        if config.schedule == "plateau" and standing.flat_epochs >= config.plateau_patience:
            scale = self.rate_scale * config.plateau_factor
            standing = dataclasses.replace(standing, rate_scale=scale, flat_epochs=0)
        if self.stop_reference is None or loss < self.stop_reference - config.stop_min_delta:
            return dataclasses.replace(standing, stop_reference=loss, stop_epochs=0)
        return dataclasses.replace(standing, stop_epochs=self.stop_epochs + 1)

    def with_loss(self, epoch: int, loss: float) -> Standing:
        """The standing once an epoch's loss is known, for a training that never acts on it.

        Parameters
        ----------
        epoch : int
            From 1.
        loss : float
            Finite; the lowest one makes its epoch the best.
        """
        if self.best_loss is None or loss < self.best_loss:
            return dataclasses.replace(self, best_loss=loss, best_epoch=epoch, flat_epochs=0)
        return dataclasses.replace(self, flat_epochs=self.flat_epochs + 1)

    def is_over(self, config: TrainConfig) -> bool:
        """Whether training ends early."""
        return 0 < config.stop_patience <= self.stop_epochs
