"""Pictures made larger, by bicubic interpolation or by a network, tile by tile without seams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import BundleError, UsageError
from smearlab.io.bundles import Bundle, bundle_of_run
from smearlab.preprocess.tiling import plan_tiles

#: The name of the interpolation, in the place of a bundle's.
BICUBIC = "bicubic"
#: Factors that interpolation takes, and the one that it has when none is named.
FACTORS, FACTOR = range(2, 9), 4
#: Side of a tile's core, px of the small picture. Of the paper's network a tile needs about 1 GB.
TILE_PX = 128


@dataclass(frozen=True, eq=False)
class Upscaler:
    """Makes pictures ``factor`` times as wide and high.

    Parameters
    ----------
    name : str
        Of the model.
    factor : int
    card : mapping
        What the model says of itself; ``name`` and ``sha256`` at least.
    bundle : Bundle or None
        The network; None interpolates.
    tile_px : int
        Side of a tile's core, px of the small picture. It changes memory and time; a pixel
        changes by one level at most, where the arithmetic of another shape rounds otherwise.
    """

    name: str
    factor: int
    card: Mapping[str, Any] = field(repr=False)
    bundle: Bundle | None = field(default=None, repr=False)
    tile_px: int = TILE_PX

    @classmethod
    def load(
        cls, model: str, factor: int | None = None, threads: int = 1, tile_px: int = TILE_PX
    ) -> Upscaler:
        """Open a model.

        Parameters
        ----------
        model : str
            ``bicubic``, the folder of a run that :mod:`smearlab.learn` finished, that of a bundle
            of kind ``upscaler``, or the name of one of these in ``$SMEARLAB_MODELS``.
        factor : int, optional
            2 to 8 with ``bicubic``, which takes 4 when left out. A network has its own.
        threads : int
            Of one call of the network.
        tile_px : int
            See :class:`Upscaler`.

        Raises
        ------
        BundleError, UnknownNameError
            If there is no such bundle, or it is damaged or of another kind.
        UsageError
            If the factor is out of range, or another than the network's; or it is a run without a
            bundle.
        """
        if model == BICUBIC:
            by = FACTOR if factor is None else factor
            if by not in FACTORS:
                raise UsageError(f"the factor of {BICUBIC} must be 2 to 8; received {by}")
            card = {"name": BICUBIC, "kind": "upscaler", "factor": by, "sha256": ""}
            return cls(BICUBIC, by, card, None, tile_px)
        bundle = Bundle(bundle_of_run("upscaler", model), "upscaler", threads)
        own = int(bundle.card["factor"])
        if factor not in (None, own):
            raise UsageError(
                f"model {bundle.name} makes pictures {own} times as wide, and {factor} is asked "
                f"for: leave out the factor, take another model, or {BICUBIC}"
            )
        return cls(bundle.name, own, bundle.card, bundle, tile_px)

    def upscale(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Make one picture larger.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (H, W, 3)
            sRGB, of any size.

        Returns
        -------
        ndarray of uint8, shape (factor · H, factor · W, 3)
            Nothing is shifted: each pixel becomes the square of pixels in its place.

        Raises
        ------
        UsageError
            If it is no picture of three channels.
        BundleError
            If the network fails, or does not keep its bundle's contract.

        Examples
        --------
        >>> grey = np.full((5, 7, 3), 90, np.uint8)
        >>> Upscaler.load("bicubic", 2).upscale(grey).shape
        (10, 14, 3)
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise UsageError(
                f"a picture must be uint8 (H, W, 3); received {pixels.dtype} {pixels.shape}"
            )
        height, width = pixels.shape[:2]
        if self.bundle is None:
            size = (self.factor * width, self.factor * height)
            return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        by, tile_px = self.factor, self.tile_px
        whole = np.empty((by * height, by * width, 3), np.uint8)
        for tile in plan_tiles(
            width,
            height,
            tile_px=tile_px,
            overlap_px=0,
            stride=1,
            context_px=int(self.card["context_px"]),
        ):
            wx0, wy0, wx1, wy1 = tile.window
            x0, y0, x1, y1 = tile.core
            answer = self._answer(self.bundle, pixels[wy0:wy1, wx0:wx1])
            part = answer[by * (y0 - wy0) : by * (y1 - wy0), by * (x0 - wx0) : by * (x1 - wx0)]
            whole[by * y0 : by * y1, by * x0 : by * x1] = part
        return whole

    def _answer(self, bundle: Bundle, window: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The network's answer for one window."""
        answer = bundle.run(pixels=np.ascontiguousarray(window[None]))["upscaled"]
        wanted = (1, self.factor * window.shape[0], self.factor * window.shape[1], 3)
        if answer.shape != wanted or answer.dtype != np.uint8:
            raise BundleError(
                f"bundle {self.name!r} gives {answer.dtype} of shape {answer.shape} for pixels of "
                f"shape {window.shape}; its card promises uint8 of shape {wanted}"
            )
        return np.asarray(answer[0], np.uint8)
