"""Networks that carry pictures from one stain to another, run tile by tile without seams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from smearlab.errors import BundleError
from smearlab.io.bundles import Bundle
from smearlab.preprocess.tiling import plan_tiles
from smearlab.stain.colour_table import ColourTable
from smearlab.stain.density import Pixels, density, light_of, transmittance
from smearlab.stain.ground import ground_of, is_stained, on_ground, sampled, why_blank
from smearlab.stain.normaliser import Normalised, check_picture


@dataclass(frozen=True, eq=False)
class NetworkNormaliser:
    """A bundle of kind ``stain`` at work.

    Where its card names a ``ground``, pictures are put on that ground first, as those were that it
    learned from. A network that looks at one pixel alone (``context_px`` 0) is asked once for each
    colour.

    Parameters
    ----------
    bundle : Bundle
    tile_px : int, optional
        Side of a tile's core; the card's when left out. It changes memory and time; a pixel
        changes by one level at most, where the arithmetic of another shape rounds otherwise.
    """

    bundle: Bundle
    tile_px: int | None = None

    @property
    def name(self) -> str:
        """Of the bundle."""
        return self.bundle.name

    @property
    def card(self) -> Mapping[str, Any]:
        """The bundle's."""
        return self.bundle.card

    @property
    def is_pointwise(self) -> bool:
        """Whether it looks at one pixel alone, and so is asked once for each colour."""
        return int(self.card["context_px"]) == 0 and int(self.card["multiple_px"]) == 1

    def apply(self, pixels: Pixels) -> Pixels:
        """The picture in the other stain; see :meth:`normalise`."""
        return self.normalise(pixels).pixels

    def normalise(self, pixels: Pixels) -> Normalised:
        """The picture in the other stain.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (H, W, 3)
            sRGB, of any size; sides that the network cannot take are continued by their mirror
            image and cut again.

        Returns
        -------
        Normalised
            As it was, where it is blank or nearly so.

        Raises
        ------
        UsageError
            If it is no picture of three channels.
        BundleError
            If the network fails, or does not keep its bundle's contract.
        """
        check_picture(pixels)
        ground = ground_of(pixels)
        through = transmittance(sampled(pixels), light_of(ground))
        if blank := why_blank(is_stained(density(through))):
            return Normalised(pixels, False, blank)
        if self.card.get("ground") is not None:
            pixels = on_ground(pixels, self.card["ground"], ground)
        if self.is_pointwise:
            return Normalised(self._colours(pixels))
        return Normalised(self._tiled(pixels))

    @cached_property
    def _colours(self) -> ColourTable:
        return ColourTable(self._answer)

    def _tiled(self, pixels: Pixels) -> Pixels:
        """The network's answer, tile by tile."""
        card, (height, width) = self.bundle.card, pixels.shape[:2]
        multiple = int(card["multiple_px"])
        pads = ((0, -height % multiple), (0, -width % multiple), (0, 0))
        padded = np.pad(pixels, pads, mode="reflect")
        whole = np.empty_like(padded)
        for tile in plan_tiles(
            padded.shape[1],
            padded.shape[0],
            tile_px=int(card["tile_px"]) if self.tile_px is None else self.tile_px,
            overlap_px=0,
            stride=multiple,
            context_px=int(card["context_px"]),
        ):
            wx0, wy0, wx1, wy1 = tile.window
            x0, y0, x1, y1 = tile.core
            answer = self._answer(padded[wy0:wy1, wx0:wx1])
            whole[y0:y1, x0:x1] = answer[y0 - wy0 : y1 - wy0, x0 - wx0 : x1 - wx0]
        return whole[:height, :width]

    def _answer(self, window: Pixels) -> Pixels:
        """The network's answer for one window."""
        answer = self.bundle.run(pixels=np.ascontiguousarray(window[None]))["normalised"]
        if answer.shape != (1, *window.shape) or answer.dtype != np.uint8:
            raise BundleError(
                f"bundle {self.name!r} gives {answer.dtype} of shape {answer.shape} for pixels of "
                f"shape {window.shape}; its kind promises uint8 of the same size"
            )
        return np.asarray(answer[0], np.uint8)
