"""What all annotation formats have in common: labelled boxes and contours on one picture."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import index
from typing import Protocol

from smearlab.errors import AnnotationError
from smearlab.types import Box, Cell

Property = str | int | float | bool
Contour = tuple[tuple[float, float], ...]

#: Contours are exported to a hundredth of a pixel, as QuPath does.
_CONTOUR_DIGITS = 2


@dataclass(frozen=True)
class Annotation:
    """One labelled cell.

    Parameters
    ----------
    label : str
        Class name; one line, no blanks around it.
    bbox : tuple of int
        ``(x0, y0, x1, y1)`` px, half-open, not empty.
    contour : tuple of (float, float) or None
        Closed polygon of (x, y) px, at least 3 points, first not repeated.
    score : float or None
        How sure the finder is; None for what a person drew.
    properties : mapping of str to str, int, float or bool
        Whatever else is known. ``"score"`` is no property's name.

    Raises
    ------
    AnnotationError
        If a value is none of these; numbers must be finite.
    """

    label: str
    bbox: Box
    contour: Contour | None = None
    score: float | None = None
    properties: Mapping[str, Property] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_line("label", self.label)
        x0, y0, x1, y1 = box = tuple(index(edge) for edge in self.bbox)
        if x0 >= x1 or y0 >= y1:
            raise AnnotationError(
                f"a box must be wider and higher than 0 px; {self.label!r} has {box}"
            )
        object.__setattr__(self, "bbox", box)
        if self.contour is not None:
            contour = tuple((float(x), float(y)) for x, y in self.contour)
            if len(contour) < 3 or not all(map(math.isfinite, (v for p in contour for v in p))):
                raise AnnotationError(
                    f"a contour needs at least 3 finite points; {self.label!r} at {box} "
                    f"has {contour[:3]}"
                )
            object.__setattr__(self, "contour", contour)
        if self.score is not None:
            object.__setattr__(self, "score", float(self.score))
            if not math.isfinite(self.score):
                raise AnnotationError(f"a score must be finite; {self.label!r} has {self.score}")
        for key, value in self.properties.items():
            _check_property(key, value)


@dataclass(frozen=True)
class AnnotationSet:
    """All annotations of one picture.

    Parameters
    ----------
    name : str
        Of the picture or field; one line.
    width_px, height_px : int
        Its size.
    items : tuple of Annotation
        In order; their boxes lie within the picture.
    notes : tuple of str
        What a reader had to clip, drop or decide. Not compared.

    Raises
    ------
    AnnotationError
        If the size is not positive or a box lies outside.
    """

    name: str
    width_px: int
    height_px: int
    items: tuple[Annotation, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _check_line("name", self.name)
        for key in ("width_px", "height_px"):
            object.__setattr__(self, key, index(getattr(self, key)))
        if self.width_px < 1 or self.height_px < 1:
            raise AnnotationError(
                f"{self.name}: a picture has at least 1×1 px; received "
                f"{self.width_px}×{self.height_px}"
            )
        for item in self.items:
            x0, y0, x1, y1 = item.bbox
            if x0 < 0 or y0 < 0 or x1 > self.width_px or y1 > self.height_px:
                raise AnnotationError(
                    f"{self.name}: the box {item.bbox} of a {item.label!r} lies outside the "
                    f"{self.width_px}×{self.height_px} px of the picture; clip it first"
                )


class _Picture(Protocol):
    """A field or the record of one."""

    @property
    def name(self) -> str: ...
    @property
    def width_px(self) -> int: ...
    @property
    def height_px(self) -> int: ...


def from_cells(picture: _Picture, cells: Iterable[Cell]) -> AnnotationSet:
    """Make annotations of found cells.

    Parameters
    ----------
    picture : Field or FieldRecord
        Gives the name and the size.
    cells : iterable of Cell
        Of that picture.

    Returns
    -------
    AnnotationSet
        ``label`` is the cell's type, ``score`` its detection score; ``properties`` hold
        ``cell_id``, ``element``, ``confidence``, ``area_px``, ``touches_border`` and
        ``probability <type>``. Contours are rounded to 0.01 px.
    """
    builder = SetBuilder(picture.name, picture.name, picture.width_px, picture.height_px)
    for cell in cells:
        properties: dict[str, Property] = {
            "cell_id": int(cell.label),
            "element": cell.element,
            "area_px": float(cell.area_px),
            "touches_border": bool(cell.touches_border),
        }
        if math.isfinite(cell.confidence):
            properties["confidence"] = float(cell.confidence)
        for name, probability in cell.probabilities.items():
            properties[f"probability {name}"] = float(probability)
        contour = tuple(
            (round(float(x), _CONTOUR_DIGITS), round(float(y), _CONTOUR_DIGITS))
            for x, y in cell.contour
        )
        score = float(cell.detection_score)
        builder.add(
            f"cell {cell.label}",
            cell.type,
            cell.bbox,
            contour=contour if len(contour) >= 3 else None,
            score=score if math.isfinite(score) else None,
            properties=properties,
        )
    return builder.build()


class SetBuilder:
    """Collects what a reader finds; clips boxes to the picture and drops empty ones, and says so.

    Parameters
    ----------
    source : str
        The file, for errors.
    name : str
        Of the picture.
    width_px, height_px : int
        Its size.
    """

    def __init__(self, source: str, name: str, width_px: int, height_px: int) -> None:
        self._source = source
        self._name = name
        self._size = (width_px, height_px)
        self._items: list[Annotation] = []
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Remember what was decided."""
        self._notes.append(text)

    def add(
        self,
        where: str,
        label: str,
        edges: tuple[float, float, float, float],
        *,
        contour: Contour | None = None,
        score: float | None = None,
        properties: Mapping[str, Property] | None = None,
    ) -> None:
        """Take one annotation.

        Parameters
        ----------
        where : str
            Line or element, for notes and errors.
        label : str
            Class name.
        edges : tuple of float
            ``(x0, y0, x1, y1)`` px, half-open; rounded to the nearest pixel edge. A box that is
            thinner than half a pixel keeps one pixel.
        contour, score, properties
            See :class:`Annotation`.

        Raises
        ------
        AnnotationError
            If a value cannot be; names the file and ``where``.
        """
        if not all(map(math.isfinite, edges)) or max(map(abs, edges)) > 2**31:
            raise AnnotationError(
                f"{self._source}: {where}: the box {edges} is not made of usable numbers; "
                "correct or remove it"
            )
        (x0, x1), (y0, y1) = _rounded(edges[0], edges[2]), _rounded(edges[1], edges[3])
        if x0 >= x1 or y0 >= y1:
            self.note(f"{where}: empty box dropped")
            return
        width, height = self._size
        box = (max(x0, 0), max(y0, 0), min(x1, width), min(y1, height))
        if box[0] >= box[2] or box[1] >= box[3]:
            self.note(f"{where}: box outside the picture dropped")
            return
        if box != (x0, y0, x1, y1):
            self.note(f"{where}: box clipped to the picture")
        try:
            item = Annotation(label, box, contour, score, dict(properties or {}))
        except AnnotationError as error:
            raise AnnotationError(f"{self._source}: {where}: {error}") from error
        self._items.append(item)

    def build(self) -> AnnotationSet:
        """All that was taken, in order."""
        try:
            return AnnotationSet(self._name, *self._size, tuple(self._items), tuple(self._notes))
        except AnnotationError as error:
            raise AnnotationError(f"{self._source}: {error}") from error


def polygon_area(contour: Contour) -> float:
    """Area within a closed polygon, px² (shoelace formula)."""
    shifted = (*contour[1:], contour[0])
    return (
        abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(contour, shifted, strict=True))) / 2
    )


def enclosing(contour: Contour) -> tuple[float, float, float, float]:
    """The smallest box of whole pixels around a polygon, ``(x0, y0, x1, y1)`` half-open."""
    xs, ys = [x for x, _ in contour], [y for _, y in contour]
    if not all(map(math.isfinite, (*xs, *ys))):
        return (math.nan,) * 4
    return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))


def _rounded(low: float, high: float) -> tuple[int, int]:
    """The nearest whole pixel edges; one pixel is left of what is not empty."""
    first, last = math.floor(low + 0.5), math.floor(high + 0.5)
    if first == last and high > low:
        first = math.floor(low)
        last = first + 1
    return first, last


def _check_line(what: str, text: object) -> None:
    """Refuse what could not be a line of a text file or the content of an XML element."""
    if not isinstance(text, str) or not text or text != text.strip():
        raise AnnotationError(f"a {what} must be text without blanks around it; received {text!r}")
    bad = [c for c in text if unicodedata.category(c) in _UNWRITABLE or c in "\ufeff\ufffe\uffff"]
    if bad:
        raise AnnotationError(f"a {what} must be one printable line; {text!r} holds {bad[0]!r}")


_UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")


def _check_property(key: object, value: object) -> None:
    if not isinstance(key, str) or not key or key == "score":
        raise AnnotationError(
            f"a property's name must be text other than 'score'; received {key!r}"
        )
    if not isinstance(value, (str, bool, int, float)) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raise AnnotationError(f"the property {key!r} must be text or a finite number; is {value!r}")
    for text in (key, value):
        if isinstance(text, str) and any("\ud800" <= c <= "\udfff" for c in text):
            raise AnnotationError(f"the property {key!r} holds text that is no Unicode: {text!r}")
