"""Answers of a network that looks at one pixel alone, each colour asked for once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.stain.density import Pixels

_COLOURS = 1 << 24
#: Colours that are asked at once.
_AT_ONCE = 1 << 18
#: Where a colour has its answer, and which bits say it; the fourth byte tells that there is one.
_WORD = np.dtype("<u4")
_COLOUR_BITS = _WORD.type(_COLOURS - 1)


class ColourTable:
    """A place for every colour, filled as colours are met; may be asked from several threads.

    It takes 64 MiB at most, less where few colours occur, and then two looks at memory a pixel.

    Parameters
    ----------
    answer : callable
        uint8 (H, W, 3) → the same shape; of a pixel it may depend on nothing but its colour.
    """

    def __init__(self, answer: Callable[[Pixels], Pixels]) -> None:
        self._answer = answer
        self._table = np.zeros(_COLOURS, _WORD)
        self._filling = Lock()

    def __call__(self, pixels: Pixels) -> Pixels:
        """What the network answers.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (H, W, 3)

        Returns
        -------
        ndarray of uint8, shape (H, W, 3)
        """
        places = self._words(pixels) & _COLOUR_BITS
        found = self._table[places]
        lacking = found <= _COLOUR_BITS
        if lacking.any():
            self._fill(np.unique(places[lacking]))
            found = self._table[places]
        shown = found.view(np.uint8).reshape(*pixels.shape[:2], 4)
        return np.asarray(cv2.cvtColor(shown, cv2.COLOR_RGBA2RGB), np.uint8)

    def _fill(self, places: NDArray[np.uint32]) -> None:
        colours = np.ascontiguousarray(places).view(np.uint8).reshape(1, -1, 4)[..., :3]
        for start in range(0, len(places), _AT_ONCE):
            asked = np.ascontiguousarray(colours[:, start : start + _AT_ONCE])
            answers = self._words(self._answer(asked))[0]
            with self._filling:
                self._table[places[start : start + _AT_ONCE]] = answers

    @staticmethod
    def _words(pixels: Pixels) -> NDArray[np.uint32]:
        """Colours as numbers, red in the lowest byte and 255 in the highest; shape (H, W)."""
        four = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
        return np.asarray(four.view(_WORD)[..., 0])
