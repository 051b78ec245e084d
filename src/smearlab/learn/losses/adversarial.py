"""What generator and critic play for: one signature for every adversarial loss.

All losses take logits, whatever the shape: one a picture or one a patch, (N,), (N, 1) or
(N, 1, h, w). They are means over all of them, so that the mean over two halves of a batch is the
value of the whole, and computed in 32 bits. One convention for all: the critic's loss is the *sum*
of its loss on real and of its loss on generated pictures (Khan et al. 2024, eq. 5; Goodfellow et
al. 2014, eq. 1), not their mean, and there is no ½ before either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from smearlab.registry import look_up

Part = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class AdversarialLoss:
    """A pair of losses, put together from what single logits cost.

    Parameters
    ----------
    on_real, on_fake : callable
        What the critic pays for each logit of real and of generated pictures.
    on_fooling : callable
        What the generator pays for each logit of its pictures.
    boundary : float or None
        The critic takes what lies above for real; None where only differences mean something.
    """

    on_real: Part
    on_fake: Part
    on_fooling: Part
    boundary: float | None = 0.0

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """What the generator minimises.

        Parameters
        ----------
        real_logits : Tensor or None
            Not looked at by any of these losses; part of the shared signature.
        fake_logits : Tensor
            Of generated pictures, with a gradient to the generator.

        Returns
        -------
        Tensor, shape ()
            float32.
        """
        return self.on_fooling(fake_logits.float()).mean()

    def critic_parts(self, real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
        """The critic's loss on real and on generated pictures; each shape (), float32."""
        return self.on_real(real_logits.float()).mean(), self.on_fake(fake_logits.float()).mean()

    def critic(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the critic minimises: the sum of :meth:`critic_parts`.

        Parameters
        ----------
        real_logits, fake_logits : Tensor
            The generated pictures detached from their generator.

        Returns
        -------
        Tensor, shape ()
            float32.
        """
        real, fake = self.critic_parts(real_logits, fake_logits)
        return real + fake


#: Sigmoid cross-entropy (Goodfellow et al. 2014); the generator's is −log D(G(z)), which has a
#: slope where the critic is right, not log(1 − D(G(z))).
_BCE = AdversarialLoss(
    on_real=lambda z: F.softplus(-z), on_fake=F.softplus, on_fooling=lambda z: F.softplus(-z)
)
#: Least squares (Mao et al. 2017, eq. 9: a = 0, b = c = 1), without its factors ½.
_LEAST_SQUARES = AdversarialLoss(
    on_real=lambda z: (z - 1).square(),
    on_fake=lambda z: z.square(),
    on_fooling=lambda z: (z - 1).square(),
    boundary=0.5,
)
#: Hinge (Lim & Ye 2017; Miyato et al. 2018, eq. 16 and 17).
_HINGE = AdversarialLoss(
    on_real=lambda z: F.relu(1 - z), on_fake=lambda z: F.relu(1 + z), on_fooling=lambda z: -z
)
#: Wasserstein distance (Arjovsky et al. 2017, eq. 2); its critic must be kept from growing steep.
_WASSERSTEIN = AdversarialLoss(
    on_real=lambda z: -z, on_fake=lambda z: z, on_fooling=lambda z: -z, boundary=None
)

ADVERSARIAL_LOSSES: Mapping[str, AdversarialLoss] = {
    "bce": _BCE,
    "least_squares": _LEAST_SQUARES,
    "hinge": _HINGE,
    "wasserstein": _WASSERSTEIN,
}


def adversarial_loss(name: str) -> AdversarialLoss:
    """The loss called ``name``.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    return look_up("adversarial loss", ADVERSARIAL_LOSSES, name)
