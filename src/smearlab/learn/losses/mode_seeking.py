"""The mode-seeking term: different noise should make different pictures (Mao et al. 2019)."""

from __future__ import annotations

from torch import Tensor


def mode_seeking(first: Tensor, second: Tensor, noise: Tensor, other_noise: Tensor) -> Tensor:
    """Minus the distance of two pictures over that of their noise, mean over pairs.

    Equation 3 of Mao et al. (2019), to be minimised; both distances are mean absolute differences.
    The code that was published with the paper minimises the inverse of the ratio instead, which has
    no bound where a fresh generator makes the same of all noise.

    Parameters
    ----------
    first, second : Tensor, shape (N, …)
        Pictures of one condition.
    noise, other_noise : Tensor, shape (N, Z)
        What they were made of.

    Returns
    -------
    Tensor, shape ()
        float32, at most 0.
    """
    made = (first.float() - second.float()).abs().flatten(1).mean(1)
    asked = (noise.float() - other_noise.float()).abs().flatten(1).mean(1)
    return -(made / asked.clamp(min=1e-6)).mean()
