"""Pictures of types out of noise: conditional GANs, and what may teach them the types.

The ways differ in who knows the type:

:class:`TypedPictures`
    Generator, and critic if it is built so: by planes beside the colours (conditional GAN, Mirza &
    Osindero 2014), or by projection (Miyato & Koyama 2018; here of the conditional WGAN-GP). With
    one type, plain GANs such as DCGAN.
:class:`AuxiliaryTypes`
    The critic is not told, but says the type (AC-GAN, Odena et al. 2017).
:class:`SeparateClassifier`
    A third network learns the types of real pictures and teaches the generator (C-WGAN-GP, Hazra
    2022, section 3.5).
:class:`ReadableCodes`
    Nobody: there are codes in the place of types, which an ally reads from the pictures (InfoGAN,
    Chen et al. 2016).

Generated pictures get the types of the batch's real ones, so that both are judged under one
condition and come in the same shares.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.losses.classification import cross_entropy
from smearlab.learn.losses.information import lost_information
from smearlab.learn.objectives import image_batch
from smearlab.learn.train.game import Batch, Game, Judgement


class TypedPictures(Game):
    """A generator of types, and a critic that may be told them.

    Samples have ``pixels``, uint8 (H, W, 3), and ``target``, the number of the type. The loss is
    the loop's.

    Parameters
    ----------
    generator : Module
        ``generator(latent (N, Z), types (N, K))`` → pictures (N, 3, S, S) in [0, 1]; it has the
        attributes ``latent_size`` and ``classes``.
    critic : Module
        ``critic(pictures, types)`` → (N, 1 + further): the logit first.
    weights, allies, further
        As :class:`smearlab.learn.train.game.Game` has them.

    Raises
    ------
    UsageError
        When played, if a key is missing, a sample is of a type that the generator does not know,
        or its pictures are not of the real ones' size.
    """

    def __init__(self, generator: nn.Module, critic: nn.Module, **others: Any) -> None:
        super().__init__(generator, critic, **others)
        self.latent_size = int(cast(Any, generator).latent_size)
        self.classes = int(cast(Any, generator).classes)

    def prepare(self, batch: Batch) -> Batch:
        """``pixels`` (N, 3, S, S) in [0, 1], ``target`` (N,), ``types`` one-hot, ``latent``."""
        missing = {"pixels", "target"} - batch.keys()
        if missing:
            raise UsageError(
                f"this game takes samples with pixels and target; {', '.join(sorted(missing))} is "
                f"missing, there is {', '.join(batch)}"
            )
        target = self._targets(batch["target"].long())
        latent = torch.randn(len(target), self.latent_size, device=target.device)
        return {
            "pixels": image_batch(batch["pixels"]),
            "target": target,
            "types": F.one_hot(target, self.classes).float(),
            "latent": latent,
        }

    def _targets(self, target: Tensor) -> Tensor:
        """The type that each generated picture shall have."""
        if self.classes == 1:  # all samples are of the one type, whatever its number
            return torch.zeros_like(target)
        lowest, highest = (int(bound) for bound in target.aminmax())
        if lowest < 0 or highest >= self.classes:
            wrong = lowest if lowest < 0 else highest
            raise UsageError(
                f"a sample has the type number {wrong}, and the generator knows {self.classes} "
                f"types, 0 to {self.classes - 1}: build it for the types of the data"
            )
        return target

    def real(self, batch: Batch) -> Tensor:
        """The pictures of the batch."""
        return batch["pixels"]

    def generate(self, batch: Batch) -> Tensor:
        """Pictures of the batch's types."""
        made: Tensor = self.generator(batch["latent"], batch["types"])
        if made.shape != batch["pixels"].shape:
            raise UsageError(
                f"the generator makes pictures of {list(made.shape[1:])}, and real ones are "
                f"{list(batch['pixels'].shape[1:])}: give views and networks one size"
            )
        return made

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        """What the critic says; ``answers`` (N, …) is what comes after the logit."""
        said: Tensor = self.critic(pictures, batch["types"])
        return Judgement(said[:, :1].contiguous(), {"answers": said[:, 1:]})


class AuxiliaryTypes(TypedPictures):
    """The critic says the type of all pictures, and the generator wants to be read (AC-GAN).

    Both sides minimise the cross-entropy, the critic on real and generated pictures (the paper's
    L_C): ``critic_types_real``, ``critic_types_fake``, and ``types`` of the generator.

    Parameters
    ----------
    generator, critic : Module
        The critic answers (N, 1 + K).
    types_weight : float
        Of both sides' cross-entropy, at least 0.

    Raises
    ------
    UsageError
        If the weight is negative; when played, if the critic does not answer K types.
    """

    def __init__(self, generator: nn.Module, critic: nn.Module, types_weight: float = 1.0) -> None:
        _refuse_negative("types_weight", types_weight)
        super().__init__(generator, critic, weights={"types": types_weight})
        self.types_weight = types_weight

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        """What the critic says; ``answers`` (N, K) are logits of the types."""
        judged = super().judge(batch, pictures)
        answers = judged.further["answers"].shape[1]
        if answers != self.classes:
            raise UsageError(
                f"this game's critic must say which of {self.classes} types a picture shows; it "
                f"gives {answers} answers: build it as auxiliary"
            )
        return judged

    def critic_losses(self, batch: Batch, real: Judgement, fake: Judgement) -> dict[str, Tensor]:
        """``types_real`` and ``types_fake``, weighted."""
        return {
            name: self.types_weight * _cost(judged.further["answers"], batch)
            for name, judged in (("types_real", real), ("types_fake", fake))
        }

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``types``."""
        return {"types": _cost(judged.further["answers"], batch)}


class SeparateClassifier(TypedPictures):
    """A classifier learns from real pictures alone, and the generator from it (C-WGAN-GP).

    Its own loss is called ``classifier`` in the log, that of the generator ``types``.

    Parameters
    ----------
    generator, critic : Module
    classifier : Module
        ``classifier(pictures)`` → type logits (N, K).
    types_weight : float
        Of the generator's cross-entropy beside the adversarial loss, at least 0.

    Raises
    ------
    UsageError
        If the weight is negative.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        classifier: nn.Module,
        types_weight: float = 1.0,
    ) -> None:
        _refuse_negative("types_weight", types_weight)
        super().__init__(
            generator,
            critic,
            weights={"types": types_weight},
            further={"classifier": classifier},
        )

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``types``: what the classifier takes the generated pictures for."""
        return {"types": _cost(self.further["classifier"](fake), batch)}

    def further_losses(self, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
        """``classifier``, on the batch's real pictures."""
        return {"classifier": _cost(self.further["classifier"](batch["pixels"]), batch)}


class ReadableCodes(TypedPictures):
    """Codes drawn evenly, which a network reads from what was made of them (InfoGAN).

    Real pictures have no code: nothing of their types is learnt. Which type a code came to stand
    for is found afterwards, see :func:`smearlab.learn.games.codes.name_codes`.

    Parameters
    ----------
    generator, critic : Module
        The critic must not look at the types: a real picture has none.
    reader : Module
        The paper's Q, an ally of the generator: ``reader(pictures)`` → logits of codes (N, K).
    information_weight : float
        The paper's λ, at least 0.

    Raises
    ------
    UsageError
        If the weight is negative.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        reader: nn.Module,
        information_weight: float = 1.0,
    ) -> None:
        _refuse_negative("information_weight", information_weight)
        super().__init__(
            generator,
            critic,
            weights={"information": information_weight},
            allies={"reader": reader},
        )

    def _targets(self, target: Tensor) -> Tensor:
        return torch.randint(self.classes, target.shape, device=target.device)

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """``information``: what the reader misses of the codes, below 0 if it reads any."""
        read = self.allies["reader"](fake)
        return {"information": lost_information(read, batch["target"])}


def _cost(logits: Tensor, batch: Batch) -> Tensor:
    return cross_entropy(logits.float(), batch["target"])


def _refuse_negative(name: str, value: float) -> None:
    if not value >= 0:
        raise UsageError(f"{name} must be at least 0; received {value}")
