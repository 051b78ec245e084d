"""Measuring how a stain looks over many pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smearlab.errors import ImageError, UsageError
from smearlab.stain.density import Floats, Pixels, density, light_of, transmittance
from smearlab.stain.ground import (
    FEWEST_STAINED,
    LEAST_STAINED,
    ground_of,
    is_stained,
    sampled,
)
from smearlab.stain.methods import method_called
from smearlab.stain.normaliser import Ground, Look
from smearlab.stain.stains import TooPlainError

#: Pixels that each picture gives at most.
PIXELS_EACH = 20_000


def measure_look(
    pictures: Sequence[Pixels], method: str, ground: Ground = "match", name: str = "the pictures"
) -> Look:
    """How pictures of one stain look, all together.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (H, W, 3)
        At least one; blank ones count for the ground only.
    method : str
        See :data:`smearlab.stain.methods.METHODS`.
    ground : {"match", "keep", "published"}
        As the normaliser will have it: densities are over each picture's own ground, unless
        ``"published"``.
    name : str
        What they are called in messages.

    Returns
    -------
    Look
        The ground is the median over the pictures.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    UsageError
        If there is no picture.
    ImageError
        If all are blank, or two stains cannot be told in them.
    """
    how = method_called(method)
    if not pictures:
        raise UsageError(f"there is no picture in {name}; name folders or files with pictures")
    grounds, parts = [], []
    for pixels in pictures:
        grounds.append(ground_of(pixels))
        part = _part(pixels, grounds[-1], how.published_light if ground == "published" else None)
        if part is not None:
            parts.append(part)
    if not parts:
        raise ImageError(
            f"{name}: {'the picture is' if len(pictures) == 1 else 'all pictures are'} blank, or "
            "nearly so; name fields with cells"
        )
    try:
        numbers = how.measure(np.concatenate(parts), ground == "published")
    except TooPlainError as error:
        raise ImageError(f"{name}: {error}") from error
    return Look(np.median(grounds, axis=0), numbers)


def _part(pixels: Pixels, ground: np.ndarray, published_light: float | None) -> Floats | None:
    """Transmittances of a picture's stained pixels, or of all; None of one without any."""
    sample = sampled(pixels, PIXELS_EACH)
    through = transmittance(sample, light_of(ground))
    stained = is_stained(density(through))
    if stained.mean() < LEAST_STAINED or stained.sum() < FEWEST_STAINED:
        return None
    if published_light is not None:
        return transmittance(sample, np.full(3, published_light))
    return through[stained]
