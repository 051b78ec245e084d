"""What a simulated field shall show: every parameter of the simulator, checked where it is set."""

from __future__ import annotations

from dataclasses import dataclass

from smearlab.datasets.simulated_cells import RELATIVE_DIAMETER
from smearlab.datasets.simulated_looks import LOOKS, RANDOM_LOOK, Look
from smearlab.errors import UnknownNameError, UsageError
from smearlab.types import ELEMENT_OF_TYPE

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
    centre : str or None
        Type of a further cell that lies whole in the middle; the others keep off it.
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
    dye : float
        How strongly all dyes took, relative to the look, 0.3–2.
    blur_px : float
        Standard deviation of the optical blur, px.
    uneven_focus_px : float
        How much more blur there is at the worst place of the field than at the best, px; focus
        falls off across the field as on a tilted slide.
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
    centre: str | None = None
    coverage: float = 0.3
    touching: float = 0.3
    overlap: float = 0.35
    inside: bool = False
    gap_px: float = 4.0
    dense: float = 0.15
    oval: float = 0.1
    crenated: float = 0.0
    look: str | Look = "cream"
    dye: float = 1.0
    blur_px: float = 0.7
    uneven_focus_px: float = 0.0
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
        if self.centre is not None and self.centre not in RELATIVE_DIAMETER:
            raise UnknownNameError("cell type", self.centre, RELATIVE_DIAMETER)
        if isinstance(self.look, str) and self.look not in (*LOOKS, RANDOM_LOOK):
            raise UnknownNameError("look", self.look, (*LOOKS, RANDOM_LOOK))


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
    "dye": (0.3, 2),
    "blur_px": (0, 20),
    "uneven_focus_px": (0, 20),
    "noise": (0, 60),
    "illumination": (0, 0.5),
    "jpeg_quality": (1, 100),
}
