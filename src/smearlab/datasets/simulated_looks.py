"""How a simulated smear is stained and lit: named looks, and looks drawn at random.

A look is seven sRGB colours. They are turned into optical densities, ``D = -ln(colour /
background)``, because dyes that lie over each other add their densities, not their colours
(Beer-Lambert).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UnknownNameError, UsageError

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """The colours of one stain on one microscope, each sRGB 0–255.

    Parameters
    ----------
    background : tuple of int
        The empty ground.
    erythrocyte : tuple of int
        A red cell between its pallor and its rim.
    nucleus : tuple of int
        Dense chromatin.
    basophilic : tuple of int
        Blue cytoplasm (lymphocyte, monocyte).
    neutral : tuple of int
        Pale pink cytoplasm (neutrophil).
    eosin : tuple of int
        Eosinophil granules.
    azure : tuple of int
        Azurophil granules and platelets.

    Raises
    ------
    UsageError
        If a channel lies outside 0–255, or the background is too dark to be lit through.
    """

    background: Colour
    erythrocyte: Colour
    nucleus: Colour
    basophilic: Colour
    neutral: Colour
    eosin: Colour
    azure: Colour

    def __post_init__(self) -> None:
        for item in fields(self):
            colour = getattr(self, item.name)
            if len(colour) != 3 or not all(0 <= channel <= 255 for channel in colour):
                raise UsageError(
                    f"look colour {item.name} must be three channels of 0–255; received {colour}"
                )
        if min(self.background) < 40:
            raise UsageError(
                f"look background must be at least 40 in every channel; received {self.background}"
            )

    def density(self, name: str) -> NDArray[np.float32]:
        """Optical density of one of the colours over the background, shape (3,), ≥ 0."""
        colour = np.maximum(np.array(getattr(self, name), np.float32), 4)
        ground = np.array(self.background, np.float32)
        return np.maximum(-np.log(colour / ground), 0).astype(np.float32)


#: The named looks; close to public picture sets of these grounds.
LOOKS: Mapping[str, Look] = {
    "cream": Look(
        background=(253, 228, 203),
        erythrocyte=(202, 161, 165),
        nucleus=(74, 36, 118),
        basophilic=(126, 124, 178),
        neutral=(219, 184, 186),
        eosin=(188, 106, 100),
        azure=(120, 58, 126),
    ),
    "pink": Look(
        background=(216, 183, 169),
        erythrocyte=(138, 108, 130),
        nucleus=(94, 18, 106),
        basophilic=(146, 122, 156),
        neutral=(192, 150, 152),
        eosin=(178, 84, 82),
        azure=(112, 46, 108),
    ),
    "grey": Look(
        background=(199, 200, 194),
        erythrocyte=(178, 152, 158),
        nucleus=(128, 84, 194),
        basophilic=(156, 148, 192),
        neutral=(188, 170, 190),
        eosin=(192, 122, 128),
        azure=(144, 102, 186),
    ),
    "blue": Look(
        background=(206, 211, 216),
        erythrocyte=(74, 90, 120),
        nucleus=(84, 28, 106),
        basophilic=(112, 118, 170),
        neutral=(166, 156, 182),
        eosin=(160, 82, 96),
        azure=(116, 54, 122),
    ),
    "mint": Look(
        background=(182, 218, 194),
        erythrocyte=(179, 102, 136),
        nucleus=(62, 48, 124),
        basophilic=(108, 122, 162),
        neutral=(166, 182, 178),
        eosin=(178, 88, 82),
        azure=(96, 66, 122),
    ),
}

#: The word for a look that is drawn anew for every field.
RANDOM_LOOK = "random"


def draw_look(rng: np.random.Generator) -> Look:
    """Draw a look between two named ones, with its own dye strengths.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Look
        Plausible: densities are mixed, so that every colour stays darker than the background.
    """
    names = list(LOOKS)
    first, second = (LOOKS[names[i]] for i in rng.choice(len(names), 2, replace=False))
    mix = float(rng.uniform(0, 1))
    ground = (1 - mix) * np.array(first.background) + mix * np.array(second.background)
    ground = np.clip(ground * rng.uniform(0.85, 1.12) * rng.uniform(0.95, 1.05, 3), 120, 254)
    colours: dict[str, Colour] = {}
    for item in fields(Look):
        if item.name == "background":
            continue
        density = (1 - mix) * first.density(item.name) + mix * second.density(item.name)
        density = density * rng.uniform(0.75, 1.3) * rng.uniform(0.9, 1.1, 3)
        colours[item.name] = _colour(ground * np.exp(-density))
    return Look(background=_colour(ground), **colours)


def resolve_look(look: str | Look, rng: np.random.Generator) -> Look:
    """The look behind a name; ``"random"`` draws one.

    Raises
    ------
    UnknownNameError
        If the name is neither in :data:`LOOKS` nor ``"random"``.
    """
    if isinstance(look, Look):
        return look
    if look == RANDOM_LOOK:
        return draw_look(rng)
    if look not in LOOKS:
        raise UnknownNameError("look", look, (*LOOKS, RANDOM_LOOK))
    return LOOKS[look]


def _colour(values: NDArray[np.floating]) -> Colour:
    red, green, blue = (round(float(value)) for value in np.clip(values, 0, 255))
    return red, green, blue
