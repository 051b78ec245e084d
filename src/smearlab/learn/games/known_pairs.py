"""Picture to picture where part of the target is unknown."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.games.paired import PairedPictures
from smearlab.learn.losses.pixels import l1_within
from smearlab.learn.train.game import Batch, Judgement


class KnownPairs(PairedPictures):
    """The paired game, in which nobody is judged by what is not known.

    Samples also have ``known``, uint8 (H, W) of 0 and 1. Where it is 0 the generated picture is
    replaced by the target, for all losses and for the critic: no gradient comes from there.

    Parameters
    ----------
    generator, critic, l1_weight
        As :class:`smearlab.learn.games.paired.PairedPictures` has them.
    element_weight : float
        Of L1 over the element's pixels alone, where the target is not black; at least 0. What
        covers a thousandth of a picture is lost in a mean over all of it: black is nearly right.
        It falls with the learning rates, so that in the end no more is drawn than there is.

    Raises
    ------
    UsageError
        If a weight is negative.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        l1_weight: float = 100.0,
        element_weight: float = 0.0,
    ) -> None:
        if element_weight < 0:
            raise UsageError(f"element_weight must be at least 0; received {element_weight}")
        super().__init__(generator, critic, l1_weight)
        self.element_weight = element_weight
        self.begin_step(1.0)

    def begin_step(self, left: float) -> None:
        """The element's own weight falls with the rates."""
        if self.element_weight:
            self.weights["l1_element"] = self.element_weight * left

    def prepare(self, batch: Batch) -> Batch:
        """Pictures as floats, and where they are known: bool (N, 1, H, W)."""
        return {**super().prepare(batch), "known": batch["known"].unsqueeze(1) > 0}

    def generate(self, batch: Batch) -> Tensor:
        """The generator's answer where the target is known, and the target elsewhere."""
        made = super().generate(batch)
        return torch.where(batch["known"], made, batch["target"].to(made.dtype))

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``l1`` to the targets; ``l1_element`` on the element alone, if it counts."""
        losses = super().generator_losses(batch, fake, judged)
        if "l1_element" in self.weights:
            target = batch["target"]
            shown = target.amax(1, keepdim=True) > 0
            losses["l1_element"] = l1_within(fake, target, shown)
        return losses
