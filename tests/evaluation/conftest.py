"""An analyser whose answers are known, so that every figure can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.types import ELEMENT_OF_TYPE, Box, Cell, Element, Field, Labels

SIDE = 100


@dataclass(frozen=True, eq=False)
class KnownAnswer:
    """Cells of one field and their labels."""

    cells: tuple[Cell, ...]
    labels: Labels


@dataclass(eq=False)
class KnownAnalyser:
    """Answers from memory: for each field name a list of rectangular cells."""

    cells: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    types: Mapping[str, tuple[str, float, Mapping[str, float]]] = field(default_factory=dict)
    thresholds: Mapping[Element, float] = field(
        default_factory=lambda: {"RBC": 0.5, "WBC": 0.4, "PLT": 0.3}
    )

    def detect(self, field: Field, min_score: float = 0.05) -> tuple[Cell, ...]:
        """Candidates of at least this score."""
        return tuple(c for c in self.cells[field.name] if c.detection_score >= min_score)

    def analyze(self, field: Field) -> KnownAnswer:
        """Cells at the thresholds, their boxes painted as labels."""
        kept = tuple(
            c for c in self.cells[field.name] if c.detection_score >= self.thresholds[c.element]
        )
        array = np.zeros(field.pixels.shape[:2], dtype=np.int32)
        for cell in kept:
            x0, y0, x1, y1 = cell.bbox
            array[y0:y1, x0:x1] = cell.label
        return KnownAnswer(kept, Labels(array))

    def classify_cell_image(self, field: Field) -> tuple[str, float, Mapping[str, float]]:
        """What was put down for this picture."""
        return self.types[field.name]


def make_cell(box: Box, type_name: str = "erythrocyte", score: float = 0.9, label: int = 1) -> Cell:
    """A rectangular cell."""
    x0, y0, x1, y1 = box
    return Cell(
        field="field",
        label=label,
        contour=np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float32),
        bbox=box,
        area_px=float((x1 - x0) * (y1 - y0)),
        touches_border=False,
        element=ELEMENT_OF_TYPE[type_name],
        detection_score=score,
        type=type_name,
    )


@pytest.fixture
def cell() -> Callable[..., Cell]:
    """Makes rectangular cells."""
    return make_cell


@pytest.fixture
def analyser() -> type[KnownAnalyser]:
    """The class of analysers that answer from memory."""
    return KnownAnalyser


@pytest.fixture
def picture() -> Callable[[Path], Path]:
    """Writes a blank picture of 100 × 100 px and returns its path."""

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (SIDE, SIDE), (230, 225, 215)).save(path)
        return path

    return write
