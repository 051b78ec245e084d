"""What an analyser must offer to be measured; :class:`smearlab.pipeline.Analyzer` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smearlab.types import Cell, Element, Field, Labels


class FoundCells(Protocol):
    """The answer for one field; :class:`smearlab.pipeline.Analysis` is one."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that count."""
        ...

    @property
    def labels(self) -> Labels:
        """Which cell each pixel belongs to."""
        ...


class CellDetector(Protocol):
    """Finds candidates, sure and unsure, with a threshold above which they count."""

    @property
    def thresholds(self) -> Mapping[Element, float]:
        """Detection score from which a candidate counts, for each element."""
        ...

    def detect(self, field: Field, min_score: float = 0.05) -> tuple[Cell, ...]:
        """All typed candidates of a field whose detection score is at least ``min_score``."""
        ...


class FieldAnalyzer(Protocol):
    """Finds, splits and types the cells of a field."""

    def analyze(self, field: Field) -> FoundCells:
        """The answer for one field."""
        ...


class CellClassifier(Protocol):
    """Types a picture of a single cell."""

    def classify_cell_image(self, field: Field) -> tuple[str, float, Mapping[str, float]]:
        """Type or *unidentified*, confidence in [0, 1], probability of every type."""
        ...


class FoundElement(Protocol):
    """One element of one field, segmented."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """True on the element, shape (H, W)."""
        ...

    @property
    def segmented(self) -> NDArray[np.uint8]:
        """The field's own pixels inside the mask, black elsewhere, shape (H, W, 3)."""
        ...

    @property
    def generated(self) -> NDArray[np.uint8] | None:
        """The picture that a network drew, shape (H, W, 3); None where none was drawn."""
        ...

    @property
    def labels(self) -> NDArray[np.int32] | None:
        """Which cell each pixel belongs to, shape (H, W); None where cells are not told apart."""
        ...


class ElementPictures(Protocol):
    """Segments elements of a field, each into a picture of its own."""

    def segment(self, field: Field, elements: Sequence[Element]) -> Mapping[Element, FoundElement]:
        """The elements asked for, at the field's own size."""
        ...
