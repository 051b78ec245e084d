"""Picture to picture where part of the target is unknown."""

from __future__ import annotations

import torch
from torch import Tensor

from smearlab.learn.games.paired import PairedPictures
from smearlab.learn.train.game import Batch


class KnownPairs(PairedPictures):
    """The paired game, in which nobody is judged by what is not known.

    Samples also have ``known``, uint8 (H, W) of 0 and 1. Where it is 0 the generated picture is
    replaced by the target, for all losses and for the critic: no gradient comes from there.

    See :class:`smearlab.learn.games.paired.PairedPictures` for the parameters.
    """

    def prepare(self, batch: Batch) -> Batch:
        """Pictures as floats, and where they are known: bool (N, 1, H, W)."""
        return {**super().prepare(batch), "known": batch["known"].unsqueeze(1) > 0}

    def generate(self, batch: Batch) -> Tensor:
        """The generator's answer where the target is known, and the target elsewhere."""
        made = super().generate(batch)
        return torch.where(batch["known"], made, batch["target"].to(made.dtype))
