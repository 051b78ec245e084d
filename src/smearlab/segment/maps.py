"""A field through a segmentation network: resized, padded, tiled, stitched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import BundleError, UsageError
from smearlab.io.bundles import Bundle
from smearlab.preprocess.contrast import equalise
from smearlab.preprocess.tiling import pad_to_multiple, plan_tiles
from smearlab.segment.blend import blended
from smearlab.segment.noise import no_noise

#: Side of a tile's core, px of the network's scale.
TILE_PX = 1024
#: Outputs on the grid of centres; the others have ``map_step``.
_ON_GRID = ("heat", "sides")


@dataclass(frozen=True, eq=False)
class FieldMaps:
    """What the network says of one field, at the network's scale.

    Parameters
    ----------
    classes : ndarray of float32, shape (h, w, K)
        Probabilities; ``map_step`` network px a step.
    heat : ndarray of float32, shape (h', w', E), or None
        Probability of a centre; ``grid_step`` network px a step. None without centre heads.
    sides : ndarray of float32, shape (h', w', 4), or None
        Network px to left, top, right, bottom.
    scale_x, scale_y : float
        Network px per field px; they differ only by the rounding of the network's picture to
        whole pixels.
    width_px, height_px : int
        Size of the field, field px.
    segmented : ndarray of float32, shape (h, w, 3), or None
        The element in its colours on black, in [0, 1]; ``map_step`` network px a step. None where
        the network draws no picture.
    """

    classes: NDArray[np.float32]
    heat: NDArray[np.float32] | None
    sides: NDArray[np.float32] | None
    scale_x: float
    scale_y: float
    width_px: int
    height_px: int
    segmented: NDArray[np.float32] | None = None

    def at_field_size(self, values: NDArray[np.float32], step: int = 1) -> NDArray[np.float32]:
        """One of the maps, pixel by pixel of the field, linearly interpolated.

        Parameters
        ----------
        values : ndarray of float32, shape (h, w) or (h, w, C)
            ``step`` network px a step; at most four channels.
        step : int
            From the bundle's card.

        Returns
        -------
        ndarray of float32, shape (height_px, width_px) or (height_px, width_px, C)
        """
        x, y = self.scale_x / step, self.scale_y / step
        # Centres of pixels: the middle of field pixel i lies at (i + 0.5) x steps.
        place = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (self.width_px, self.height_px)
        drawn = cv2.warpAffine(values, place, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(drawn, np.float32)


class Segmenter:
    """Runs a segmenter bundle on pixels of any size.

    Parameters
    ----------
    bundle : Bundle
        Of kind ``segmenter``.
    tile_px, overlap_px : int
        Core of a tile and context around it, px of the network's scale. They change memory and
        time, never the result. Not used where the card has ``blend``.
    """

    def __init__(self, bundle: Bundle, tile_px: int = TILE_PX, overlap_px: int = 0) -> None:
        self.bundle = bundle
        self.tile_px = tile_px
        self.overlap_px = overlap_px

    def maps(
        self, pixels: NDArray[np.uint8], scale: float, keep: NDArray[np.float32] | None = None
    ) -> FieldMaps:
        """Segment a field.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (H, W, 3)
            sRGB.
        scale : float
            Network px per field px, > 0.
        keep : ndarray of float32, shape (1, size), optional
            Factors of a network with ``noise`` on its card, the same for all tiles; by default
            ones, which is the network without noise.

        Returns
        -------
        FieldMaps

        Raises
        ------
        UsageError
            If the scale is not above 0, or ``keep`` is given to a network without noise.
        BundleError
            If the network does not keep its bundle's contract.
        """
        if not scale > 0:
            raise UsageError(f"scale must be above 0; received {scale}")
        card = self.bundle.card
        if keep is not None and "noise" not in card:
            raise UsageError(f"bundle {self.bundle.name!r} has no noise: it takes no keep")
        height, width = pixels.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if size != (width, height):
            flag = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=flag), np.uint8)
        if card.get("clahe"):
            pixels = equalise(pixels, **card["clahe"])
        if "blend" in card:
            maps = self._blended(pixels, keep)
        else:
            maps = self._tiled(pad_to_multiple(pixels, card["stride"]))
        cropped = {}
        for name, value in maps.items():
            step = card["grid_step" if name in _ON_GRID else "map_step"]
            cropped[name] = value[: -(-size[1] // step), : -(-size[0] // step)]
        return FieldMaps(
            cropped["classes"],
            cropped.get("heat"),
            cropped.get("sides"),
            size[0] / width,
            size[1] / height,
            width,
            height,
            cropped.get("segmented"),
        )

    def _blended(
        self, pixels: NDArray[np.uint8], keep: NDArray[np.float32] | None
    ) -> dict[str, NDArray[np.float32]]:
        """Run on overlapping tiles of the card's size."""
        card = self.bundle.card
        given = {}
        if "noise" in card:
            given["keep"] = no_noise(card) if keep is None else keep

        def answer(tile: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
            found = self.bundle.run(pixels=tile, **given)
            for name, value in found.items():
                self._step(name, value, tile)
            return found

        return blended(pixels, answer, **card["blend"], step=card["map_step"])

    def _tiled(self, padded: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run tile by tile and put the cores together."""
        card = self.bundle.card
        height, width = padded.shape[:2]
        whole: dict[str, NDArray[np.float32]] = {}
        for tile in plan_tiles(
            width,
            height,
            tile_px=self.tile_px,
            overlap_px=self.overlap_px,
            stride=card["stride"],
            context_px=card["context_px"],
        ):
            wx0, wy0, wx1, wy1 = tile.window
            window = np.ascontiguousarray(padded[None, wy0:wy1, wx0:wx1])
            answer = self.bundle.run(pixels=window)
            steps = {name: self._step(name, value, window) for name, value in answer.items()}
            if tile.window == (0, 0, width, height):
                return {name: value[0] for name, value in answer.items()}
            x0, y0, x1, y1 = tile.core
            for name, value in answer.items():
                step = steps[name]
                if name not in whole:
                    shape = (height // step, width // step, value.shape[3])
                    whole[name] = np.empty(shape, np.float32)
                part = value[0, (y0 - wy0) // step : (y1 - wy0) // step]
                part = part[:, (x0 - wx0) // step : (x1 - wx0) // step]
                whole[name][y0 // step : y1 // step, x0 // step : x1 // step] = part
        return whole

    def _step(self, name: str, value: NDArray[np.float32], window: NDArray[np.uint8]) -> int:
        """Network px per step of an output, once its shape is seen to be right."""
        card = self.bundle.card
        step = int(card["grid_step" if name in _ON_GRID else "map_step"])
        classes = len(card["classes"])
        channels = {"classes": classes, "heat": classes - 1, "sides": 4, "segmented": 3}
        wanted = (1, window.shape[1] // step, window.shape[2] // step, channels[name])
        if value.shape != wanted:
            raise BundleError(
                f"bundle {self.bundle.name!r} gives {name} of shape {value.shape} for pixels of "
                f"shape {window.shape}; its card promises {wanted}"
            )
        return step
