"""Penalties on a critic's slope; each with the gradient that the critic learns from.

The slope is that of the *sum* of a picture's logits, its norm taken over all values of the picture.
For a critic with one logit a picture that is the logit itself. For a patch critic the sum, not the
mean, is what keeps the penalty as strict for many patches as for one, and it is what others compute
(a vector of ones as the outer derivative), so that weights from the literature keep their meaning.
A condition stays outside: the slope is taken with respect to the judged picture alone.

Everything is computed in 32 bits, also under autocast: squares of small slopes vanish in 16.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: Takes pictures (N, …), the condition bound already; gives logits (N,) or (N, …).
Critic = Callable[[Tensor], Tensor]


def gradient_penalty(
    critic: Critic, real: Tensor, fake: Tensor, target: float = 1.0, mix: Tensor | None = None
) -> Tensor:
    """Two-sided penalty on interpolates (Gulrajani et al. 2017, eq. 3): mean of (‖∇D(x̂)‖ − t)².

    Parameters
    ----------
    critic : callable
        See :data:`Critic`.
    real, fake : Tensor, shape (N, …)
        Between them lie the points x̂ = ε·real + (1 − ε)·fake.
    target : float
        The norm t that the slope should have, at least 0.
    mix : Tensor, shape (N,), optional
        The paper's ε, in [0, 1]; drawn evenly, one for each picture, when left out.

    Returns
    -------
    Tensor, shape ()
        float32, unweighted; it can be differentiated with respect to the critic's weights.
    """
    real, fake = real.detach().float(), fake.detach().float()
    if mix is None:
        mix = torch.rand(len(real), device=real.device)
    between = torch.lerp(fake, real, mix.reshape(-1, *[1] * (real.dim() - 1)))
    return (slope_norms(critic, between) - target).square().mean()


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Penalty on real pictures (Mescheder et al. 2018, eq. 9): mean of ‖∇D(x)‖².

    Parameters
    ----------
    critic : callable
        See :data:`Critic`.
    real : Tensor, shape (N, …)

    Returns
    -------
    Tensor, shape ()
        float32, unweighted: the paper's factor γ/2 is the weight.
    """
    return _slopes(critic, real.detach().float()).square().sum(1).mean()


def slope_norms(critic: Critic, pictures: Tensor) -> Tensor:
    """Norm of the slope of each picture's summed logits.

    Parameters
    ----------
    critic : callable
        See :data:`Critic`.
    pictures : Tensor, shape (N, …)

    Returns
    -------
    Tensor, shape (N,)
        float32, with its graph. Where a slope is 0 the norm's own derivative is 0, too.
    """
    # ‖g‖ has no derivative at 0; torch's norm gives the subgradient 0 there, √Σg² gives NaN.
    norms: Tensor = torch.linalg.vector_norm(_slopes(critic, pictures), dim=1)
    return norms


def _slopes(critic: Critic, pictures: Tensor) -> Tensor:
    """Gradient of each picture's summed logits, shape (N, values of a picture)."""
    with torch.enable_grad(), torch.autocast(pictures.device.type, enabled=False):
        at = pictures.detach().requires_grad_(True)
        total = critic(at).float().sum()  # a picture's logits hang on that picture alone
        slopes: Tensor = torch.autograd.grad(total, at, create_graph=True)[0]
    return slopes.flatten(1)
