"""The smear simulator: fields of blood cells whose every cell is known.

For tests, the demonstration and the training of what real annotation lacks. Pictures are made of
optical densities over an even ground, then lit, blurred, grained and compressed as a camera would
do. The same seed and configuration give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.simulated_arrangement import place_cells
from smearlab.datasets.simulated_camera import expose
from smearlab.datasets.simulated_cells import draw_cell
from smearlab.datasets.simulated_config import WBC_TYPES, SmearConfig
from smearlab.datasets.simulated_looks import Look, resolve_look
from smearlab.datasets.simulated_placement import Ground, amodal_box, clip_to_field, whole_box
from smearlab.datasets.simulated_shapes import Floats
from smearlab.errors import UsageError
from smearlab.types import ELEMENT_OF_TYPE, ELEMENTS, Cell, ClassMap, Field, Labels

__all__ = [
    "CELL_CONFIG",
    "RBC_DIAMETER_UM",
    "WBC_TYPES",
    "SimulatedField",
    "SmearConfig",
    "simulate_cell",
    "simulate_field",
]

#: Mean diameter of a human red cell; it gives simulated fields their pixel size.
RBC_DIAMETER_UM = 7.5
#: Pictures of single cells: size and scale of the Barcelona set's.
CELL_CONFIG = SmearConfig(height_px=363, width_px=360, rbc_diameter_px=68, n_wbc=0)


@dataclass(frozen=True, eq=False)
class SimulatedField:
    """A simulated picture and all that is true of it.

    Parameters
    ----------
    field : Field
        The picture; its pixel size follows from the red cells.
    labels : Labels
        Visible pixels of each cell; label i + 1 is ``cells[i]``.
    cells : tuple of Cell
        The truth: type, visible contour, and the box of the whole shape (hidden parts included)
        clipped to the field. ``confidence`` and ``detection_score`` are 1.
    nuclei : ndarray of bool, shape (H, W)
        Visible pixels of all nuclei.
    """

    field: Field
    labels: Labels
    cells: tuple[Cell, ...]
    nuclei: NDArray[np.bool_]

    @property
    def class_map(self) -> ClassMap:
        """Background, RBC, WBC and PLT as probabilities of 0 and 1, shape (H, W, 4)."""
        index = [0, *(1 + ELEMENTS.index(cell.element) for cell in self.cells)]
        elements = np.array(index)[self.labels.array]
        return ClassMap(np.eye(4, dtype=np.float32)[elements], ("background", *ELEMENTS))

    def count(self, name: str) -> int:
        """How many cells of a type (``"monocyte"``) or element (``"WBC"``) there are."""
        return sum(name in (cell.type, cell.element) for cell in self.cells)


def simulate_field(seed: int, config: SmearConfig | None = None) -> SimulatedField:
    """Make a field of which every cell is known.

    Parameters
    ----------
    seed : int
        ≥ 0. The same seed and configuration give the same bytes.
    config : SmearConfig, optional
        What the field shows.

    Returns
    -------
    SimulatedField
        Never more or fewer cells in the picture than in the truth.

    Raises
    ------
    UsageError
        If the seed is negative, or the cells asked for do not fit.

    Examples
    --------
    >>> truth = simulate_field(1, SmearConfig(n_rbc=12, n_wbc=2, n_plt=3))
    >>> truth.count("RBC"), truth.count("WBC"), truth.count("PLT")
    (12, 2, 3)
    """
    if seed < 0:
        raise UsageError(f"seed must be 0 or more; received {seed}")
    config = config or SmearConfig()
    rng = np.random.default_rng(seed)
    look = resolve_look(config.look, rng)
    ground = place_cells(rng, config)
    density, nuclei = _draw(rng, ground, look)
    pixels = expose(rng, np.float32(config.dye) * density, look, config)
    field = Field(
        pixels=pixels,
        name=f"simulated-{seed:04d}",
        um_per_px=RBC_DIAMETER_UM / config.rbc_diameter_px,
        source=f"smear simulator, seed {seed}",
        notes=("simulated",),
    )
    cells = tuple(_truth(field, ground, i) for i in range(len(ground.placed)))
    return SimulatedField(field, Labels(ground.owner), cells, nuclei)


def simulate_cell(seed: int, cell_type: str, config: SmearConfig | None = None) -> SimulatedField:
    """Make a picture of one cell, whole and in the middle, among the red cells around it.

    Parameters
    ----------
    seed : int
        ≥ 0. The same seed, type and configuration give the same bytes.
    cell_type : str
        One of the nine types.
    config : SmearConfig, optional
        Of the picture; its ``centre`` is replaced. :data:`CELL_CONFIG` when left out.

    Returns
    -------
    SimulatedField
        ``cells[0]`` is the cell; nothing lies over or under it.

    Raises
    ------
    UnknownNameError
        If the type has no such name.
    UsageError
        If the seed is negative, or the cell does not fit.

    Examples
    --------
    >>> truth = simulate_cell(1, "monocyte")
    >>> truth.cells[0].type, truth.cells[0].touches_border
    ('monocyte', False)
    """
    return simulate_field(seed, replace(config or CELL_CONFIG, centre=cell_type))


def _draw(rng: np.random.Generator, ground: Ground, look: Look) -> tuple[Floats, NDArray[np.bool_]]:
    """Density, shape (H, W, 3), and nuclei, shape (H, W); what lies over each other adds up."""
    total = np.zeros((ground.height_px, ground.width_px, 3), np.float32)
    nuclei = np.zeros((ground.height_px, ground.width_px), np.bool_)
    for label, cell in enumerate(ground.placed, start=1):
        in_tile, in_field = clip_to_field(cell.tile, ground.height_px, ground.width_px)
        if in_field is None:
            continue
        drawing = draw_cell(rng, cell.type, cell.form, cell.tile, look)
        total[in_field] += drawing.density[in_tile]
        if drawing.nucleus is not None:
            nuclei[in_field] |= drawing.nucleus[in_tile] & (ground.owner[in_field] == label)
    return total, nuclei


def _truth(field: Field, ground: Ground, i: int) -> Cell:
    placed = ground.placed[i]
    box = amodal_box(placed.tile, ground.height_px, ground.width_px)
    x0, y0, x1, y1 = box
    visible = (ground.owner[y0:y1, x0:x1] == i + 1).astype(np.uint8)
    outlines, _ = cv2.findContours(visible, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)[:, 0] + (x0, y0)
    cut = box != whole_box(placed.tile)
    return Cell(
        field=field.name,
        label=i + 1,
        contour=outline.astype(np.float32),
        bbox=box,
        area_px=float(visible.sum()),
        touches_border=cut,
        element=ELEMENT_OF_TYPE[placed.type],
        detection_score=1.0,
        type=placed.type,
        probabilities={placed.type: 1.0},
        confidence=1.0,
    )
