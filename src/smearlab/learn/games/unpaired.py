"""Stain to stain without pairs: the game of CycleGAN (Zhu et al. 2017) and W-CycleGAN-GP.

Hazra (2022), section 3.4: both generators play against the critic of the stain that they make, and
what went there and back shall be what it was (equation 20), and what has the stain already shall
stay (equation 23). The paper adds the losses of both ways; here they are their mean, all of them,
so that only the scale of the sum differs, which Adam does not see.
"""

from __future__ import annotations

import torch
from torch import Tensor

from smearlab.errors import UsageError
from smearlab.learn.losses.pixels import l1
from smearlab.learn.models.stain_ways import StainCritics, StainWays
from smearlab.learn.objectives import image_batch
from smearlab.learn.train.game import Batch, Game, Judgement


class UnpairedPictures(Game):
    """Two generators and two critics, each pair held by one module.

    Samples have ``pixels_a`` and ``pixels_b``, both uint8 (H, W, 3) of one size; nothing says that
    they show the same.

    Parameters
    ----------
    generator : StainWays
        With both ways.
    critic : StainCritics
    cycle_weight, identity_weight : float
        Of ``cycle`` and ``identity``, both at least 0; without the second it is not computed.

    Raises
    ------
    UsageError
        If a weight is negative, or there is one way only; when played, if a key is missing or the
        shapes differ.
    """

    def __init__(
        self,
        generator: StainWays,
        critic: StainCritics,
        *,
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
    ) -> None:
        weights = {"cycle": cycle_weight, "identity": identity_weight}
        for name, weight in weights.items():
            if not weight >= 0:
                raise UsageError(f"the weight of {name} must be at least 0; received {weight}")
        if len(generator.ways) != 2:
            raise UsageError(
                f"an unpaired game needs generators of both ways; received "
                f"{', '.join(generator.ways)}"
            )
        if not identity_weight:
            del weights["identity"]
        super().__init__(generator, critic, weights=weights)
        self._ways = generator

    def prepare(self, batch: Batch) -> Batch:
        """``pixels`` (2 N, 3, H, W) in [0, 1]: those of A, then those of B."""
        missing = {"pixels_a", "pixels_b"} - batch.keys()
        if missing:
            raise UsageError(
                f"an unpaired game takes samples with pixels_a and pixels_b; "
                f"{', '.join(sorted(missing))} is missing, there is {', '.join(batch)}"
            )
        a, b = batch["pixels_a"], batch["pixels_b"]
        if a.shape != b.shape:
            raise UsageError(
                f"pictures of both stains must have one shape; received {list(a.shape)} and "
                f"{list(b.shape)}"
            )
        return {"pixels": image_batch(torch.cat([a, b]))}

    def real(self, batch: Batch) -> Tensor:
        """What generated pictures shall be like: first those of B, then those of A."""
        a, b = torch.chunk(batch["pixels"], 2)
        return torch.cat([b, a])

    def generate(self, batch: Batch) -> Tensor:
        """A in the stain of B, then B in that of A."""
        made: Tensor = self.generator(batch["pixels"])
        return made

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        """What the critics of B and of A say of the halves."""
        return Judgement(self.critic(pictures))

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``cycle`` and ``identity``: L1 to what should be there."""
        pixels = batch["pixels"]
        losses = {"cycle": l1(self._ways.across(fake, back=True), pixels)}
        if "identity" in self.weights:
            real = self.real(batch)
            losses["identity"] = l1(self._ways.across(real), real)
        return losses
