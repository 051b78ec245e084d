"""What the adversarial loop plays: networks, and what they do with a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from smearlab.errors import UsageError

Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Judgement:
    """What a critic says of pictures.

    Parameters
    ----------
    logits : Tensor, shape (N,), (N, 1) or (N, 1, h, w)
        High for real.
    further : mapping of str to Tensor
        What else it says, for the game's own losses: logits of classes, features.
    """

    logits: Tensor
    further: Mapping[str, Tensor] = field(default_factory=dict)


class Game:
    """A generator, a critic, and what they do with a batch; games derive from it.

    A step calls :meth:`begin_step`, then :meth:`prepare` and :meth:`generate` once a batch,
    :meth:`judge` a few times, and then the losses. Batches are what the source gives, on the
    device. All chance is torch's, which the loop seeds before each batch.

    Parameters
    ----------
    generator, critic : Module
        With fresh weights.
    weights : mapping of str to float, optional
        Of the generator's losses by name; ``adversarial`` is that of the adversarial loss. 1 when
        left out.
    allies : mapping of str to Module, optional
        Networks that learn from the generator's losses together with it, in its optimiser
        (the network Q of InfoGAN).
    further : mapping of str to Module, optional
        Networks that learn from losses of their own (:meth:`further_losses`), each with an
        optimiser of its own (a separate classifier).
    fixed : mapping of str to Module, optional
        Networks that do not learn, put into evaluation mode (features of a content loss). They are
        not in checkpoints.

    Raises
    ------
    UsageError
        If two networks have one name, or a name means something else in a checkpoint.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        *,
        weights: Mapping[str, float] | None = None,
        allies: Mapping[str, nn.Module] | None = None,
        further: Mapping[str, nn.Module] | None = None,
        fixed: Mapping[str, nn.Module] | None = None,
    ) -> None:
        self.generator, self.critic = generator, critic
        self.weights = dict(weights or {})
        self.allies, self.further, self.fixed = dict(allies or {}), dict(further or {}), fixed or {}
        names = ["generator", "critic", *self.allies, *self.further, *self.fixed]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise UsageError(f"two networks of a game are called {sorted(twice)}: rename one")
        for name in names:
            if not name.isidentifier() or name == "averaged" or name.startswith("adam_"):
                raise UsageError(
                    f"a network of a game cannot be called {name!r}: take letters, digits and _, "
                    "not averaged or adam_…, which checkpoints have"
                )

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """All that learn, by name."""
        both = {"generator": self.generator, "critic": self.critic}
        return {**both, **self.allies, **self.further}

    def begin_step(self, left: float) -> None:
        """Told before each step what the schedule leaves of the rates, for what falls with them.

        Parameters
        ----------
        left : float
            In [0, 1].
        """

    def prepare(self, batch: Batch) -> Batch:
        """What all other methods get: pictures as floats, latents and labels drawn.

        Parameters
        ----------
        batch : mapping of str to Tensor
            As the source gives it, (N, …) each, on the device.
        """
        return batch

    def real(self, batch: Batch) -> Tensor:
        """Real pictures of a prepared batch, float (N, …), in [0, 1]."""
        raise NotImplementedError

    def generate(self, batch: Batch) -> Tensor:
        """Generated pictures for a prepared batch, of the shape and range of the real ones."""
        raise NotImplementedError

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        """What the critic says of pictures, under the batch's conditions."""
        raise NotImplementedError

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        """Named losses of the generator beside the adversarial one, unweighted.

        Parameters
        ----------
        batch : mapping of str to Tensor
            Prepared.
        fake : Tensor, shape (N, …)
            Generated pictures.
        judged : Judgement
            Of the generated pictures, with a gradient to them.
        """
        return {}

    def critic_losses(self, batch: Batch, real: Judgement, fake: Judgement) -> dict[str, Tensor]:
        """Named losses of the critic beside the adversarial one; they are added as they are."""
        return {}

    def further_losses(self, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
        """The loss of each further network by the network's name; ``fake`` has no gradient."""
        return {}
