"""Larger pictures: the game of SRGAN (Ledig et al. 2017; Ferdousi et al. 2024, section 3)."""

from __future__ import annotations

from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.losses.content import content
from smearlab.learn.losses.pixels import l2
from smearlab.learn.objectives import upscaling_batch
from smearlab.learn.train.game import Batch, Game, Judgement


class SuperResolution(Game):
    """A generator that enlarges pictures, and a critic that sees only the large ones.

    Samples have ``pixels`` and ``target``, both uint8 (H, W, 3), the second ``factor`` times as
    large.

    Parameters
    ----------
    generator : Module
        ``generator(small)`` → large; float (N, 3, H, W), sRGB in [0, 1].
    critic : Module
        ``critic(large)`` → logits.
    features : Module
        Fixed; pictures → feature maps, whose mean squared difference is ``content``.
    content_weight, adversarial_weight : float
        Of the losses; 1 and 10⁻³ in the papers. At least 0.
    pixel_weight : float
        Of ``pixels``, the mean squared difference of the pictures themselves; at least 0, in the
        papers 0.

    Raises
    ------
    UsageError
        If a weight is negative; when played, if a key is missing or the sizes do not fit.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        features: nn.Module,
        *,
        content_weight: float = 1.0,
        adversarial_weight: float = 1e-3,
        pixel_weight: float = 0.0,
    ) -> None:
        weights = {
            "content": content_weight,
            "adversarial": adversarial_weight,
            "pixels": pixel_weight,
        }
        for name, weight in weights.items():
            if not weight >= 0:
                raise UsageError(f"the weight of {name} must be at least 0; received {weight}")
        super().__init__(generator, critic, weights=weights, fixed={"features": features})
        self._features = features

    def prepare(self, batch: Batch) -> Batch:
        """Both as floats (N, 3, H, W) in [0, 1]."""
        return upscaling_batch(batch)

    def real(self, batch: Batch) -> Tensor:
        """The large pictures."""
        return batch["target"]

    def generate(self, batch: Batch) -> Tensor:
        """The small pictures, enlarged."""
        made: Tensor = self.generator(batch["pixels"])
        if made.shape != batch["target"].shape:
            raise UsageError(
                f"the generator makes pictures of shape {list(made.shape)}, and the targets have "
                f"{list(batch['target'].shape)}: one factor for both"
            )
        return made

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        """What the critic says of large pictures by themselves."""
        return Judgement(self.critic(pictures))

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``content`` and ``pixels``."""
        target = batch["target"]
        return {
            "content": content(self._features(fake), self._features(target)),
            "pixels": l2(fake, target),
        }
