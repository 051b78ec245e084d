"""Picture to picture: the game of pix2pix (Isola et al. 2017) and RWP-GAN (Khan et al. 2024)."""

from __future__ import annotations

from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.losses.pixels import l1
from smearlab.learn.objectives import image_batch
from smearlab.learn.train.game import Batch, Game, Judgement


class PairedPictures(Game):
    """A generator that maps pictures to targets, and a critic that sees both.

    Samples have ``pixels`` and ``target``, both uint8 (H, W, 3) of one size. All chance lies in the
    networks, as in dropout that stays on.

    Parameters
    ----------
    generator : Module
        ``generator(input)`` → output; float (N, 3, H, W) in [0, 1] both.
    critic : Module
        ``critic(input, output)`` → logits (N, 1, h, w), or (N,).
    l1_weight : float
        The paper's λ, at least 0.

    Raises
    ------
    UsageError
        If the weight is negative; when played, if a key is missing or pictures and targets do not
        have one shape.
    """

    def __init__(self, generator: nn.Module, critic: nn.Module, l1_weight: float = 100.0) -> None:
        if l1_weight < 0:
            raise UsageError(f"l1_weight must be at least 0; received {l1_weight}")
        super().__init__(generator, critic, weights={"l1": l1_weight})

    def prepare(self, batch: Batch) -> Batch:
        """Both as floats (N, 3, H, W) in [0, 1]."""
        missing = {"pixels", "target"} - batch.keys()
        if missing:
            raise UsageError(
                f"a paired game takes samples with pixels and target; {', '.join(sorted(missing))} "
                f"is missing, there is {', '.join(batch)}"
            )
        pixels, target = batch["pixels"], batch["target"]
        if pixels.shape != target.shape:
            raise UsageError(
                f"pictures and targets must have one shape; received {list(pixels.shape)} and "
                f"{list(target.shape)}"
            )
        return {"pixels": image_batch(pixels), "target": image_batch(target)}

    def real(self, batch: Batch) -> Tensor:
        """The targets."""
        return batch["target"]

    def generate(self, batch: Batch) -> Tensor:
        """The generator's answer to the pictures."""
        made: Tensor = self.generator(batch["pixels"])
        return made

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        """What the critic says of answers to the batch's pictures."""
        return Judgement(self.critic(batch["pixels"], pictures))

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``l1``, to the targets."""
        return {"l1": l1(fake, batch["target"])}
