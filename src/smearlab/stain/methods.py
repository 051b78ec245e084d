"""The reference-based methods, by the names that users type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UnknownNameError
from smearlab.stain import histogram, macenko, reinhard, vahadane
from smearlab.stain.density import WHITE, Floats

Numbers = dict[str, NDArray[np.float64]]
#: Trained by ``smearlab train``, not fitted.
TRAINED = ("w_cyclegan_gp", "cyclegan", "pix2pix_stain", "stainnet")


@dataclass(frozen=True)
class Method:
    """How the look of a stain is measured, and carried over.

    Parameters
    ----------
    measure : callable
        From transmittances (N, 3) of stained pixels to the method's numbers of them; with
        ``published=True`` from those of all pixels.
    carry : callable
        Transmittances as they would be with the target's numbers in the place of the source's.
    shapes : mapping of str to tuple of int
        The numbers.
    published_light : float
        The one light that is taken for every picture where the ground is not looked at.
    """

    measure: Callable[[Floats, bool], Numbers]
    carry: Callable[[Floats, Numbers, Numbers], Floats]
    shapes: Mapping[str, tuple[int, ...]]
    published_light: float


_STAINS = {"stains": (3, 2), "most": (2,)}
METHODS: Mapping[str, Method] = {
    "vahadane": Method(vahadane.measure, vahadane.carry, _STAINS, 240.0),
    "macenko": Method(macenko.measure, macenko.carry, _STAINS, 240.0),
    "reinhard": Method(reinhard.measure, reinhard.carry, {"mean": (3,), "deviation": (3,)}, WHITE),
    "histogram": Method(
        histogram.measure, histogram.carry, {"share": (3, histogram.LEVELS)}, WHITE
    ),
}


def method_called(name: str) -> Method:
    """The method of a name.

    Raises
    ------
    UnknownNameError
        If there is none; of networks the message says how they are made.
    """
    if name in METHODS:
        return METHODS[name]
    if name in TRAINED:
        raise UnknownNameError(
            f"reference method (networks are trained: smearlab train {name}; then apply the "
            "bundle)",
            name,
            METHODS,
        )
    raise UnknownNameError("method of stain normalisation", name, METHODS)
