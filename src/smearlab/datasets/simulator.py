"""The smear simulator: fields of blood cells whose every cell is known.

For tests, the demonstration and the training of what real annotation lacks. Pictures are made of
optical densities over an even ground, then lit, blurred, grained and compressed as a camera would
do. The same seed and configuration give the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.simulated_cells import (
    DRAW,
    RELATIVE_DIAMETER,
    draw_erythrocyte,
    outline_of,
)
from smearlab.datasets.simulated_looks import LOOKS, RANDOM_LOOK, Look, resolve_look
from smearlab.datasets.simulated_placement import Ground, Placed, amodal_box, clip_to_field
from smearlab.datasets.simulated_shapes import Floats, grain
from smearlab.errors import UnknownNameError, UsageError
from smearlab.types import ELEMENT_OF_TYPE, ELEMENTS, Cell, ClassMap, Field, Labels

#: Mean diameter of a human red cell; it gives simulated fields their pixel size.
RBC_DIAMETER_UM = 7.5
#: The types a simulated nucleated cell can have.
WBC_TYPES = tuple(name for name in RELATIVE_DIAMETER if ELEMENT_OF_TYPE[name] == "WBC")


@dataclass(frozen=True)
class SmearConfig:
    """What a simulated field shows.

    Parameters
    ----------
    height_px, width_px : int
        Size of the field, each 32–8192.
    rbc_diameter_px : float
        Mean diameter of a red cell, 8–400; all other sizes follow from it.
    n_rbc, n_plt : int or None
        How many. None: as many as ``coverage`` asks for, and one platelet for every eight red
        cells.
    n_wbc : int
        How many nucleated cells.
    wbc_types : tuple of str
        What they are: drawn in turn from a shuffled copy, so that ``n_wbc = len(wbc_types)``
        gives each once.
    coverage : float
        Share of the field that red cells should cover when ``n_rbc`` is None, 0–0.7.
    touching : float
        Share of red cells laid against another one, 0–1.
    overlap : float
        Greatest overlap of touching cells in mean radii, 0–0.9.
    inside : bool
        Keep every cell entirely within the field.
    gap_px : float
        Least free distance between cells that do not touch.
    dense, oval, crenated : float
        Shares of red cells without pallor, of ovalocytes and of echinocytes; together ≤ 1.
    look : str or Look
        A name of :data:`~smearlab.datasets.simulated_looks.LOOKS`, ``"random"``, or own colours.
    blur_px : float
        Standard deviation of the optical blur, px.
    noise : float
        Standard deviation of the camera's noise, grey levels.
    illumination : float
        Relative loss of light from the brightest to the darkest corner, 0–0.5.
    jpeg_quality : int or None
        1–100: compress and read again. None: leave uncompressed.

    Raises
    ------
    UsageError
        If a value lies outside its range.
    UnknownNameError
        If a type or a look has no such name.
    """

    height_px: int = 480
    width_px: int = 640
    rbc_diameter_px: float = 76.0
    n_rbc: int | None = None
    n_wbc: int = 1
    n_plt: int | None = None
    wbc_types: tuple[str, ...] = WBC_TYPES
    coverage: float = 0.3
    touching: float = 0.3
    overlap: float = 0.35
    inside: bool = False
    gap_px: float = 4.0
    dense: float = 0.15
    oval: float = 0.1
    crenated: float = 0.0
    look: str | Look = "cream"
    blur_px: float = 0.7
    noise: float = 2.0
    illumination: float = 0.05
    jpeg_quality: int | None = 92

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name} must lie within {low}–{high}; received {value}")
        if self.dense + self.oval + self.crenated > 1 + 1e-9:
            raise UsageError(
                "dense + oval + crenated must be at most 1; received "
                f"{self.dense} + {self.oval} + {self.crenated}"
            )
        for name in self.wbc_types:
            if name not in WBC_TYPES:
                raise UnknownNameError("nucleated cell type", name, WBC_TYPES)
        if self.n_wbc and not self.wbc_types:
            raise UsageError(f"wbc_types is empty but n_wbc is {self.n_wbc}; name at least one")
        if isinstance(self.look, str) and self.look not in (*LOOKS, RANDOM_LOOK):
            raise UnknownNameError("look", self.look, (*LOOKS, RANDOM_LOOK))


#: How often a crowded field is arranged anew before it is given up.
_ARRANGEMENTS = 6
_RANGES = {
    "height_px": (32, 8192),
    "width_px": (32, 8192),
    "rbc_diameter_px": (8, 400),
    "n_rbc": (0, 10_000),
    "n_wbc": (0, 1_000),
    "n_plt": (0, 10_000),
    "coverage": (0, 0.7),
    "touching": (0, 1),
    "overlap": (0, 0.9),
    "gap_px": (0, 100),
    "dense": (0, 1),
    "oval": (0, 1),
    "crenated": (0, 1),
    "blur_px": (0, 20),
    "noise": (0, 60),
    "illumination": (0, 0.5),
    "jpeg_quality": (1, 100),
}


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
    """

    field: Field
    labels: Labels
    cells: tuple[Cell, ...]

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
    ground = _place(rng, config)
    pixels = _expose(rng, _densities(rng, ground, look, config), look, config)
    field = Field(
        pixels=pixels,
        name=f"simulated-{seed:04d}",
        um_per_px=RBC_DIAMETER_UM / config.rbc_diameter_px,
        source=f"smear simulator, seed {seed}",
        notes=("simulated",),
    )
    cells = tuple(_truth(field, ground, i) for i in range(len(ground.placed)))
    return SimulatedField(field, Labels(ground.owner), cells)


def _place(rng: np.random.Generator, config: SmearConfig) -> Ground:
    """Place all cells; an arrangement that leaves no room for the last ones is begun anew."""
    for _ in range(_ARRANGEMENTS):
        ground = Ground(config.height_px, config.width_px, config.inside, config.gap_px)
        left_over = _arrange(rng, config, ground)
        if left_over is None:
            return ground
    raise UsageError(
        f"found no place for another {left_over} after {len(ground.placed)} cells in "
        f"{config.width_px}×{config.height_px} px at {config.rbc_diameter_px} px a red cell; "
        "ask for fewer cells, smaller ones, or a larger field"
    )


def _arrange(rng: np.random.Generator, config: SmearConfig, ground: Ground) -> str | None:
    """Fill the ground; returns the type of a cell that was asked for and found no place."""
    turn = list(config.wbc_types)
    for i in range(config.n_wbc):
        if i % len(turn) == 0:
            rng.shuffle(turn)
        if not _add(rng, config, ground, turn[i % len(turn)]):
            return turn[i % len(turn)]
    n_rbc = config.n_rbc
    if n_rbc is None:
        area = math.pi * config.rbc_diameter_px**2 / 4
        n_rbc = round(config.coverage * config.height_px * config.width_px / area)
    n_plt = round(n_rbc / 8) if config.n_plt is None else config.n_plt
    for cell_type, n, asked in (
        ("erythrocyte", n_rbc, config.n_rbc),
        ("platelet", n_plt, config.n_plt),
    ):
        for _ in range(n):
            if not _add(rng, config, ground, cell_type):
                if asked is not None:
                    return cell_type
                break
    return None


def _add(rng: np.random.Generator, config: SmearConfig, ground: Ground, cell_type: str) -> bool:
    low, high = RELATIVE_DIAMETER[cell_type]
    radius = config.rbc_diameter_px / 2 * float(rng.uniform(low, high))
    form = _form(rng, config) if cell_type == "erythrocyte" else ""
    radii = outline_of(rng, cell_type, radius, form)
    touch = None
    if cell_type == "erythrocyte" and rng.random() < config.touching:
        touch = float(rng.uniform(0, config.overlap))
    kind = (cell_type, form)
    over = cell_type == "platelet" and config.overlap > 0 and rng.random() < 0.15
    if over and ground.add_over(rng, kind, radii):
        return True
    if ground.add(rng, kind, radii, touch) or ground.add(rng, kind, radii, None, tries=200):
        return True
    if cell_type != "erythrocyte" or config.touching == 0:
        return False
    return ground.add(rng, kind, radii, config.overlap, tries=200)  # crowded: they do touch


def _form(rng: np.random.Generator, config: SmearConfig) -> str:
    draw = rng.random()
    for form, share in (
        ("dense", config.dense),
        ("ovalocyte", config.oval),
        ("echinocyte", config.crenated),
    ):
        if draw < share:
            return form
        draw -= share
    return "discocyte"


def _densities(rng: np.random.Generator, ground: Ground, look: Look, config: SmearConfig) -> Floats:
    """Optical density of the whole field, shape (H, W, 3): what lies over each other adds up."""
    total = np.zeros((config.height_px, config.width_px, 3), np.float32)
    for cell in ground.placed:
        in_tile, in_field = clip_to_field(cell.tile, config.height_px, config.width_px)
        if in_field is not None:
            total[in_field] += _draw(rng, cell, look)[in_tile]
    return total


def _draw(rng: np.random.Generator, cell: Placed, look: Look) -> Floats:
    if cell.type == "erythrocyte":
        return draw_erythrocyte(rng, cell.tile, look, cell.form)
    return DRAW[cell.type](rng, cell.tile, look)


def _expose(
    rng: np.random.Generator, density: Floats, look: Look, config: SmearConfig
) -> NDArray[np.uint8]:
    """From densities to the camera's picture: light, blur, noise, compression."""
    shape = density.shape[:2]
    light = 1 + 0.006 * grain(rng, shape, max(shape) / 6)
    angle = rng.uniform(0, 2 * math.pi)
    x = np.linspace(-0.5, 0.5, shape[1], dtype=np.float32)
    y = np.linspace(-0.5, 0.5, shape[0], dtype=np.float32)[:, None]
    slope = np.float32(math.cos(angle)) * x + np.float32(math.sin(angle)) * y
    light -= np.float32(config.illumination) * (slope / np.ptp(slope) + 0.5)
    picture = np.exp(-density) * (np.array(look.background, np.float32) * light[..., None])
    if config.blur_px > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), config.blur_px)
    if config.noise > 0:
        grains = rng.standard_normal(picture.shape, dtype=np.float32)
        picture = picture + np.float32(config.noise) * grains
    pixels: NDArray[np.uint8] = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return pixels if config.jpeg_quality is None else _compress(pixels, config.jpeg_quality)


def _compress(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The picture as it comes back from a JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _truth(field: Field, ground: Ground, i: int) -> Cell:
    placed = ground.placed[i]
    box = amodal_box(placed.tile, ground.height_px, ground.width_px)
    x0, y0, x1, y1 = box
    visible = (ground.owner[y0:y1, x0:x1] == i + 1).astype(np.uint8)
    outlines, _ = cv2.findContours(visible, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)[:, 0] + (x0, y0)
    mask = placed.tile.mask
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    cut = (
        placed.tile.x0 + int(columns[0]) < 0
        or placed.tile.y0 + int(rows[0]) < 0
        or placed.tile.x0 + int(columns[-1]) >= ground.width_px
        or placed.tile.y0 + int(rows[-1]) >= ground.height_px
    )
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
