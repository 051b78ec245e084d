"""Losses of a classifier that answers one logit a class.

All are means over the pictures of a batch, weighted or not: the mean over two halves is the value
of the whole, so that gradient accumulation and several processes change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from smearlab.errors import UsageError


def cross_entropy(
    logits: Tensor, target: Tensor, smoothing: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """Cross-entropy of the softmax against smoothed labels (Szegedy et al. 2016, section 7).

    Parameters
    ----------
    logits : Tensor, shape (B, K)
    target : Tensor of int64, shape (B,)
        In [0, K).
    smoothing : float
        In [0, 1): the share of the label that is spread evenly over all classes.
    weights : Tensor, shape (K,), optional
        Factor of each class; also of the share that smoothing gives it.

    Returns
    -------
    Tensor, shape ()
        Sum ÷ B. torch's own divides by the sum of the weights instead, which makes a picture's
        weight hang on its neighbours in the batch.
    """
    total = F.cross_entropy(logits, target, weights, label_smoothing=smoothing, reduction="sum")
    return total / len(target)


def multiclass_hinge(
    logits: Tensor, target: Tensor, margin: float = 1.0, weights: Tensor | None = None
) -> Tensor:
    """Multi-class hinge (Crammer & Singer 2001): max(0, m + max_{j ≠ y} z_j − z_y).

    Parameters
    ----------
    logits : Tensor, shape (B, K)
        Scores z; K is at least 2.
    target : Tensor of int64, shape (B,)
        The true class y, in [0, K).
    margin : float
        By how much m the true class must lead; above 0.
    weights : Tensor, shape (K,), optional
        Factor of each true class.

    Returns
    -------
    Tensor, shape ()
        Mean over the batch.
    """
    true = logits.gather(1, target[:, None])
    others = logits.scatter(1, target[:, None], -torch.inf)
    losses = (margin + others.amax(1) - true[:, 0]).clamp(min=0)
    return _weighted_mean(losses, target, weights)


def focal(
    logits: Tensor, target: Tensor, gamma: float = 2.0, weights: Tensor | None = None
) -> Tensor:
    """Focal loss (Lin et al. 2017, eq. 5) of the softmax: −α_y (1 − p_y)^γ log p_y.

    Parameters
    ----------
    logits : Tensor, shape (B, K)
    target : Tensor of int64, shape (B,)
        The true class y, in [0, K).
    gamma : float
        Focusing γ, at least 0; 0 gives the cross-entropy.
    weights : Tensor, shape (K,), optional
        The paper's α, one a class.

    Returns
    -------
    Tensor, shape ()
        Mean over the batch.
    """
    surprise = F.cross_entropy(logits, target, reduction="none")  # −log p_y
    # 1 − p_y, from the logarithm: exact where p_y is nearly 1, and never 0, where x^γ has no slope.
    missing = (-torch.expm1(-surprise)).clamp(min=1e-12)
    return _weighted_mean(missing**gamma * surprise, target, weights)


def balanced_weights(counts: Sequence[int]) -> tuple[float, ...]:
    """Class weights that make all classes count the same: N / (K · n_c), 1 on average.

    Parameters
    ----------
    counts : sequence of int
        Pictures n_c of each class; at least 1.

    Returns
    -------
    tuple of float
        A weight for each class, in their order.

    Raises
    ------
    UsageError
        If a class has no picture.

    Examples
    --------
    >>> balanced_weights([10, 30])
    (2.0, 0.6666666666666666)
    """
    if not counts or min(counts) < 1:
        raise UsageError(
            f"every class needs a picture to be weighted; received {list(counts)} pictures a class"
        )
    return tuple(sum(counts) / (len(counts) * count) for count in counts)


def _weighted_mean(losses: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
    return losses.mean() if weights is None else (losses * weights[target]).mean()
