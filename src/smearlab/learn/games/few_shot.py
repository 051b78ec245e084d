"""Games of few pictures: of noise alone, and of encoded pictures with two noise vectors each."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.losses.mode_seeking import mode_seeking
from smearlab.learn.losses.pixels import l1
from smearlab.learn.models.few_shot_gan import FewShotGenerator
from smearlab.learn.objectives import image_batch
from smearlab.learn.train.game import Batch, Game, Judgement
from smearlab.learn.transforms.diff_augment import DiffAugment


class NoisePictures(Game):
    """A generator of noise, and a critic that may rebuild what it sees: FIGR, FastGAN.

    Samples have ``pixels``, uint8 (H, W, 3).

    Parameters
    ----------
    generator : Module
        ``generator.make(noise)`` → pictures (N, 3, S, S) in [0, 1]; ``config.noise`` is the length
        of the noise.
    critic : Module
        ``critic(pictures)`` → logits, and the pictures rebuilt smaller or None.
    augment : tuple of str
        What is done to pictures before the critic sees them, see
        :class:`smearlab.learn.transforms.diff_augment.DiffAugment`.
    weights : mapping of str to float, optional
        Of the generator's losses.
    """

    noises = 1

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        augment: tuple[str, ...] = (),
        weights: dict[str, float] | None = None,
    ) -> None:
        super().__init__(generator, critic, weights=weights)
        self.augment = DiffAugment(augment)

    def prepare(self, batch: Batch) -> Batch:
        """Pictures as floats (N, 3, H, W) in [0, 1], and noise (noises · N, noise)."""
        pictures = image_batch(batch["pixels"])
        size = cast(int, self.generator.config.noise)  # type: ignore[union-attr]
        noise = torch.randn(self.noises * len(pictures), size, device=pictures.device)
        return {"pixels": pictures, "noise": noise}

    def real(self, batch: Batch) -> Tensor:
        """The pictures, as often as there are noise vectors for each."""
        return batch["pixels"].repeat(self.noises, 1, 1, 1)

    def generate(self, batch: Batch) -> Tensor:
        """Pictures of the noise; a generator with an encoder also sees real ones."""
        made: Tensor = self.generator.make(batch["noise"], batch["pixels"])  # type: ignore[operator]
        return made

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        """What the critic says of changed pictures, and what it rebuilt of them."""
        seen = self.augment(pictures)
        logits, rebuilt = self.critic(seen)
        return Judgement(logits, {} if rebuilt is None else {"rebuilt": rebuilt, "seen": seen})

    def critic_losses(self, batch: Batch, real: Judgement, fake: Judgement) -> dict[str, Tensor]:
        """``rebuilt``: L1 of real pictures to what the critic rebuilt of them (Liu et al. 2021)."""
        if "rebuilt" not in real.further:
            return {}
        rebuilt = real.further["rebuilt"]
        wanted = F.adaptive_avg_pool2d(real.further["seen"], rebuilt.shape[-1])
        return {"rebuilt": l1(rebuilt, wanted)}


class EncodedPictures(NoisePictures):
    """Every picture is encoded, and made again with two noise vectors (Hazra 2022, section 3.6).

    The critic's and the generator's losses are means over both (equations 34 and 37), and so is
    ``encoder_l1``, the difference to the encoded picture (40 to 42); ``mode_seeking`` keeps the two
    apart (44).

    Parameters
    ----------
    generator : FewShotGenerator
        With an encoder.
    critic : Module
        See :class:`NoisePictures`.
    l1_weight, mode_weight : float
        The paper's λ_En and λ_MSR; at least 0.
    augment : tuple of str
        See :class:`NoisePictures`.

    Raises
    ------
    UsageError
        If a weight is negative, or the generator has no encoder.
    """

    noises = 2

    def __init__(
        self,
        generator: FewShotGenerator,
        critic: nn.Module,
        l1_weight: float = 1.0,
        mode_weight: float = 1.0,
        augment: tuple[str, ...] = (),
    ) -> None:
        for name, value in (("l1_weight", l1_weight), ("mode_weight", mode_weight)):
            if not value >= 0:
                raise UsageError(f"{name} must be at least 0; received {value}")
        if generator.encoder is None:
            raise UsageError("a game of encoded pictures needs a generator with features above 0")
        weights = {"encoder_l1": l1_weight, "mode_seeking": mode_weight}
        super().__init__(generator, critic, augment, weights)

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``encoder_l1`` and ``mode_seeking``."""
        first, second = fake.chunk(2)
        return {
            "encoder_l1": l1(fake, self.real(batch)),
            "mode_seeking": mode_seeking(first, second, *batch["noise"].chunk(2)),
        }
