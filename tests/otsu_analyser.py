"""A real little analyser (Otsu's threshold, connected components) and its command line.

``python tests/otsu_analyser.py PATH... --out DIR`` is ``smearlab analyze`` with this analyser in
place of the bundles; ``--segmenter otsu:0.2`` makes it take 0.2 s longer a field.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import typer

from smearlab.cli import analyze
from smearlab.pipeline import Analysis
from smearlab.types import ELEMENT_OF_TYPE, Cell, Field


class OtsuAnalyser:
    """Dark spots are cells: small ones platelets, large ones lymphocytes, others erythrocytes.

    Parameters
    ----------
    delay_s : float
        Added to every field.
    thresholds : tuple of float
        Areas, px², from which on a spot is an erythrocyte, and a lymphocyte.
    """

    def __init__(self, delay_s: float = 0.0, thresholds: tuple[float, float] = (60, 700)) -> None:
        self.delay_s = delay_s
        self.thresholds = thresholds
        self.at_work = 0
        self.most_at_work = 0
        self._lock = threading.Lock()

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        """Two cards, as bundles have them."""
        digest = hashlib.sha256(repr(self.thresholds).encode()).hexdigest()
        return {
            kind: {"name": "otsu", "kind": kind, "sha256": digest, "trained_on": "nothing"}
            for kind in ("segmenter", "classifier")
        }

    def analyze(self, field: Field) -> Analysis:
        """Find the spots."""
        with self._lock:
            self.at_work += 1
            self.most_at_work = max(self.at_work, self.most_at_work)
        try:
            time.sleep(self.delay_s)
            return Analysis(self._cells(field), field.width_px, field.height_px, ("by Otsu",))
        finally:
            with self._lock:
                self.at_work -= 1

    def _cells(self, field: Field) -> tuple[Cell, ...]:
        grey = cv2.cvtColor(field.pixels, cv2.COLOR_RGB2GRAY)
        _, dark = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
        contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cells: list[Cell] = []
        for contour in contours:
            area = cv2.contourArea(contour)
            if area < 5:
                continue
            x, y, width, height = cv2.boundingRect(contour)
            cells.append(self._cell(field, len(cells) + 1, contour, (x, y, width, height), area))
        return tuple(cells)

    def _cell(
        self, field: Field, label: int, contour: Any, box: tuple[int, int, int, int], area: float
    ) -> Cell:
        x, y, width, height = box
        small, large = self.thresholds
        kind = "platelet" if area < small else "lymphocyte" if area >= large else "erythrocyte"
        rest = 1 / (3 + area)
        return Cell(
            field=field.name,
            label=label,
            contour=contour.reshape(-1, 2).astype(np.float32) + np.float32(0.1),
            bbox=(x, y, x + width, y + height),
            area_px=area,
            touches_border=x == 0
            or y == 0
            or x + width == field.width_px
            or y + height == field.height_px,
            element=ELEMENT_OF_TYPE[kind],
            detection_score=1 - rest,
            type=kind,
            probabilities={kind: 1 - rest, "monocyte": rest},
            confidence=1 - rest,
        )


def draw_field(path: Path, seed: int, size: tuple[int, int] = (160, 120)) -> None:
    """Write a picture of discs whose number, places and sizes the seed decides."""
    rng = np.random.default_rng(seed)
    width, height = size
    pixels = np.full((height, width, 3), (235, 220, 225), np.uint8)
    for _ in range(int(rng.integers(3, 9))):
        centre = int(rng.integers(0, width)), int(rng.integers(0, height))
        colour = tuple(int(value) for value in rng.integers(40, 130, 3))
        cv2.circle(pixels, centre, int(rng.choice((3, 10, 18))), colour, cv2.FILLED)
    cv2.imwrite(str(path), pixels)


def _load(segmenter: str, classifier: str) -> OtsuAnalyser:
    return OtsuAnalyser(float(segmenter.partition(":")[2] or 0))


if __name__ == "__main__":
    app = typer.Typer()
    analyze.register(app, load=_load)
    app()
