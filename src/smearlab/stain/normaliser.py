"""A fitted reference method at work: any picture in, the same picture in the target's stain out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.registry import look_up
from smearlab.stain.density import Floats, Pixels, colours, density, light_of, to_pixels
from smearlab.stain.density import transmittance as through_of
from smearlab.stain.ground import (
    FEWEST_STAINED,
    ground_of,
    is_stained,
    sampled,
    stained_share,
    why_blank,
)
from smearlab.stain.methods import Numbers, method_called
from smearlab.stain.nuclei import shows_nuclei
from smearlab.stain.stains import TooPlainError

Ground = Literal["keep", "match", "published"]
Estimate = Literal["picture", "source"]
#: What becomes of the ground, and where the numbers of the source come from.
GROUNDS: Mapping[str, str] = {
    "match": "the ground becomes the target's",
    "keep": "the ground keeps its own colour",
    "published": "the ground is not looked at, as the methods were published",
}
ESTIMATES: Mapping[str, str] = {
    "picture": "every picture is measured",
    "source": "all pictures have the numbers of the source",
}
#: Pixels that are worked on at once; their number alters no result.
_STRIP_PX = 1 << 20


@dataclass(frozen=True, eq=False)
class Normalised:
    """What became of a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.
    changed : bool
        False where the picture came back as it was, bit by bit.
    why : str
        Why it was not changed, or what had to be decided; empty where there is nothing to say.
    """

    pixels: Pixels
    changed: bool = True
    why: str = ""


class Normaliser(Protocol):
    """Makes pictures look as if stained like the target. May be called from several threads."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def card(self) -> Mapping[str, Any]:
        """What the model says of itself; ``name``, ``kind`` and ``sha256`` at least."""

    def normalise(self, pixels: Pixels) -> Normalised:
        """The picture in the target's stain, and what was decided; uint8 (H, W, 3)."""

    def apply(self, pixels: Pixels) -> Pixels:
        """The picture in the target's stain, uint8 (H, W, 3)."""


@dataclass(frozen=True, eq=False)
class Look:
    """How a stain looks in the numbers of a method.

    Parameters
    ----------
    ground : ndarray of float64, shape (3,)
        Colour of the ground, sRGB.
    numbers : dict of str to ndarray
        Of :class:`smearlab.stain.methods.Method`.
    """

    ground: NDArray[np.float64]
    numbers: Numbers


@dataclass(frozen=True, eq=False)
class ReferenceNormaliser:
    """A method with the numbers of a target, and of a source to fall back on.

    Parameters
    ----------
    name : str
        Of the model.
    method : str
        See :data:`smearlab.stain.methods.METHODS`.
    target : Look
    source : Look or None
        Of the pictures that are to be normalised; None where they are not known.
    ground : {"match", "keep", "published"}
        See :data:`GROUNDS`.
    estimate : {"picture", "source"}
        See :data:`ESTIMATES`. A picture in which two stains cannot be told has the source's
        numbers, and comes back as it is where there are none.
    card : mapping
        What the model says of itself.

    Raises
    ------
    UnknownNameError
        If a word is none of those above.
    UsageError
        If the source's numbers are wanted and not there.
    """

    name: str
    method: str
    target: Look
    source: Look | None = None
    ground: Ground = "match"
    estimate: Estimate = "picture"
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        method_called(self.method)
        look_up("way with the ground", GROUNDS, self.ground)
        look_up("estimate", ESTIMATES, self.estimate)
        if self.estimate == "source" and self.source is None:
            raise UsageError(
                "estimate is 'source', but no source was measured; fit with one, or take 'picture'"
            )

    def apply(self, pixels: Pixels) -> Pixels:
        """The picture in the target's stain; see :meth:`normalise`."""
        return self.normalise(pixels).pixels

    def normalise(self, pixels: Pixels) -> Normalised:
        """The picture in the target's stain.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (H, W, 3)
            sRGB, of any size.

        Returns
        -------
        Normalised
            As it was, where it is blank or nearly so, or its stains cannot be told.

        Raises
        ------
        UsageError
            If it is no picture of three channels.
        """
        check_picture(pixels)
        light, sample = self._light(pixels), sampled(pixels)
        through = through_of(sample, light)
        stained = is_stained(density(through))
        if blank := why_blank(stained, FEWEST_STAINED):
            return Normalised(pixels, False, blank)
        source, why = self._source(through, stained)
        if source is None:
            return Normalised(pixels, False, f"{why}: left as it is")
        return Normalised(self._carried(pixels, light, source), True, why)

    def _light(self, pixels: Pixels) -> Floats:
        if self.ground == "published":
            return np.full(3, method_called(self.method).published_light, np.float32)
        return light_of(ground_of(pixels))

    def _source(self, through: Floats, stained: NDArray[np.bool_]) -> tuple[Numbers | None, str]:
        """Numbers of the picture, or of the source; and why, if not what was asked for."""
        known = None if self.source is None else self.source.numbers
        if self.estimate == "source":
            return known, ""
        published = self.ground == "published"
        try:
            if not (published or shows_nuclei(density(through[stained]))):
                # The darkest red cells would be made as dark as nuclei.
                raise TooPlainError("no nucleus is to be seen")
            taken = through if published else through[stained]
            return method_called(self.method).measure(taken, published), ""
        except TooPlainError as error:
            if known is None:
                return None, str(error)
            return known, f"{error}; taken for stained as the source"

    def _carried(self, pixels: Pixels, light: Floats, source: Numbers) -> Pixels:
        """Every pixel by itself, so that strips leave no seam."""
        whole = np.empty_like(pixels)
        rows = max(1, _STRIP_PX // pixels.shape[1])
        for top in range(0, len(pixels), rows):
            whole[top : top + rows] = self._strip(pixels[top : top + rows], light, source)
        return whole

    def _strip(self, pixels: Pixels, light: Floats, source: Numbers) -> Pixels:
        through = through_of(pixels, light)
        carried = method_called(self.method).carry(through, source, self.target.numbers)
        if self.ground == "published":
            return to_pixels(colours(carried, light))
        shown = light if self.ground == "keep" else light_of(self.target.ground)
        share = stained_share(density(through))
        return to_pixels(colours(share * carried + (1 - share) * through, shown))


def check_picture(pixels: Pixels) -> None:
    """Refuse what is no picture.

    Raises
    ------
    UsageError
        If it is not uint8 of shape (H, W, 3), or has no pixel.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise UsageError(
            f"a picture must be uint8 (H, W, 3); received {pixels.dtype} {pixels.shape}"
        )
