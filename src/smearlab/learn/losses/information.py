"""How much of a code can be read from what was made of it."""

from __future__ import annotations

import math

from torch import Tensor

from smearlab.learn.losses.classification import cross_entropy


def lost_information(logits: Tensor, codes: Tensor) -> Tensor:
    """What a reader misses of an evenly drawn code: −L_I of InfoGAN (Chen et al. 2016, eq. 5).

    The mutual information of code and picture is at least L_I = E[log Q(c | x)] + H(c), and H(c) of
    K codes drawn evenly is log K.

    Parameters
    ----------
    logits : Tensor, shape (N, K)
        What the network Q reads; K is at least 2.
    codes : Tensor of int64, shape (N,)
        What was drawn.

    Returns
    -------
    Tensor, shape ()
        float32, nats: 0 if nothing can be read, −log K if everything, more than 0 if Q is wrong.
    """
    return cross_entropy(logits.float(), codes) - math.log(logits.shape[1])
