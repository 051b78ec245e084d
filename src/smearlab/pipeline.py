"""The one file that chains the stages: field → maps → cells → types."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from smearlab.classify.types_of_cells import Classifier, from_shares
from smearlab.errors import UsageError
from smearlab.instances.decoders import Found, decode, make_ready, outline_cells
from smearlab.instances.labels import paint_labels
from smearlab.instances.middle import BESIDE, COVERS, nearest_to_middle
from smearlab.instances.scales import look_at_field, needs_scout
from smearlab.io.bundles import Bundle, elements_seen, find_bundle
from smearlab.segment.maps import FieldMaps, Segmenter
from smearlab.types import (
    ELEMENT_OF_TYPE,
    ELEMENTS,
    UNIDENTIFIED,
    Box,
    Cell,
    Element,
    Field,
    Labels,
)

_MIN_SCORE = 0.02  # of candidates for precision–recall curves
_LEAST_CONTRAST = 8  # of 255; between the darkest and the brightest value of a field
_MIDDLE_SCORE = 0.15  # in a picture of one cell, that cell may be taken for certain
#: Type, confidence, probability per type.
Verdict = tuple[str, float, dict[str, float]]


@dataclass(frozen=True, eq=False)
class Analysis:
    """The answer for one field.

    Parameters
    ----------
    cells : tuple of Cell
        Labels from 1, top to bottom.
    width_px, height_px : int
        Size of the field.
    notes : tuple of str
        What had to be decided on the way.
    """

    cells: tuple[Cell, ...]
    width_px: int
    height_px: int
    notes: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> Labels:
        """The label picture, painted when it is asked for."""
        return paint_labels(self.cells, self.width_px, self.height_px)


class Analyzer:
    """Chains a segmenter and a classifier; thread-safe, so one serves all workers.

    Parameters
    ----------
    segmenter, classifier : Bundle
        Anything with ``card``, ``name``, ``sha256`` and ``run`` as bundles have them. Without a
        classifier every nucleated cell stays unidentified.
    tile_px, overlap_px : int
        How large fields are cut for the network; the result does not depend on them.
    scout : Bundle, optional
        A segmenter with the decoder ``centres``, which measures the red cells for one that
        cannot.
    """

    def __init__(
        self,
        segmenter: Bundle,
        classifier: Bundle | None,
        tile_px: int = 1024,
        overlap_px: int = 0,
        scout: Bundle | None = None,
    ) -> None:
        self._segmenter = Segmenter(segmenter, tile_px, overlap_px)
        self._scout = None if scout is None else Segmenter(scout)
        make_ready(segmenter.card)
        #: Elements that can be found; of others nothing can be said.
        self.elements: tuple[Element, ...] = elements_seen(segmenter.card)
        self._classifier = None if classifier is None else Classifier(classifier)
        self.bundles = {"segmenter": segmenter}
        if classifier is not None:
            self.bundles["classifier"] = classifier
        if scout is not None:
            self.bundles["scout"] = scout
        scores = segmenter.card.get("thresholds", {})
        #: Lowest score that counts as a cell, for each element.
        self.thresholds: Mapping[Element, float] = {
            element: float(scores.get(element, _MIN_SCORE)) for element in ELEMENTS
        }

    @classmethod
    def load(
        cls,
        segmenter: str = "default",
        classifier: str | None = "default",
        threads: int = 1,
        tile_px: int = 1024,
        overlap_px: int = 0,
    ) -> Analyzer:
        """Load bundles by name or folder (:func:`smearlab.io.bundles.find_bundle`).

        Parameters
        ----------
        segmenter, classifier : str
            ``"default"``, the path of a bundle folder, or a name in ``$SMEARLAB_MODELS``; no
            classifier where it is None.
        threads : int
            Threads of one network call; workers that run side by side want 1.
        tile_px, overlap_px : int
            See the class.

        Raises
        ------
        UnknownNameError, BundleError
            If a bundle is not there or not sound.
        """
        first = Bundle(find_bundle("segmenter", segmenter), "segmenter", threads)
        second = third = None
        if classifier is not None:
            second = Bundle(find_bundle("classifier", classifier), "classifier", threads)
        if needs_scout(first.card):
            third = Bundle(find_bundle("segmenter", "default"), "segmenter", threads)
        return cls(first, second, tile_px, overlap_px, third)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Card and checksum of every bundle, for reports."""
        return {
            kind: {**bundle.card, "sha256": bundle.sha256} for kind, bundle in self.bundles.items()
        }

    def analyze(self, field: Field) -> Analysis:
        """Find, split and type the cells of one field.

        Parameters
        ----------
        field : Field

        Returns
        -------
        Analysis

        Raises
        ------
        BundleError
            If a network does not keep its bundle's contract.
        """
        maps, notes = self.look(field)
        return Analysis(self.cells_of(field, maps), field.width_px, field.height_px, tuple(notes))

    def look(self, field: Field) -> tuple[FieldMaps, list[str]]:
        """What the segmenter says of every pixel, and what had to be decided on the way."""
        return look_at_field(self._segmenter, field, self._scout)

    def cells_of(self, field: Field, maps: FieldMaps) -> tuple[Cell, ...]:
        """The cells that maps of a field show, as :meth:`analyze` gives them."""
        return self._cells(field, maps, self.thresholds)

    def detect(self, field: Field, min_score: float = _MIN_SCORE) -> tuple[Cell, ...]:
        """All candidates from ``min_score`` on, for precision–recall curves.

        With a ``min_score`` below :attr:`thresholds`, those that reach the threshold of their
        element are the cells of :meth:`analyze`; only their labels and outlines may differ, as
        weaker candidates are numbered and claim pixels too.

        Parameters
        ----------
        field : Field
        min_score : float
            In [0, 1]; the least :attr:`~smearlab.types.Cell.detection_score`.

        Returns
        -------
        tuple of Cell
            Top to bottom.

        Raises
        ------
        UsageError
            If ``min_score`` is not within 0–1.
        """
        if not 0 <= min_score <= 1:
            raise UsageError(f"min_score must lie within 0–1; received {min_score}")
        maps, _ = self.look(field)
        return self._cells(field, maps, dict.fromkeys(ELEMENTS, min_score))

    def classify_cell_image(self, field: Field) -> tuple[str, float, dict[str, float]]:
        """Type of the one cell that a picture was taken of.

        The nucleated cell or platelet that covers the middle of the picture, else one beside it,
        else the red cell that covers the middle, else the middle itself.

        Returns
        -------
        type : str
            Or ``unidentified``.
        confidence : float
        probabilities : dict
            Per type.

        Raises
        ------
        UsageError
            If the analyser has no classifier.
        """
        if self._classifier is None:
            raise UsageError("this analyser was loaded without a classifier; name one")
        box = self.central_cell(field)
        return self._classifier.decide(self._classifier.probabilities(field.pixels, [box])[0])

    def central_cell(self, field: Field) -> tuple[float, float, float, float]:
        """Box of the cell in the middle of a single-cell picture.

        Parameters
        ----------
        field : Field

        Returns
        -------
        tuple of float
            ``(x0, y0, x1, y1)`` field px; a square in the middle where no cell is found there.
        """
        maps, _ = self.look(field)
        card = self._segmenter.bundle.card
        found = decode(maps, card, dict.fromkeys(ELEMENTS, _MIDDLE_SCORE))
        size = field.width_px, field.height_px

        def nearest(elements: tuple[Element | None, ...], within: float) -> Found | None:
            asked = [cell for cell in found if cell.element in elements]
            place = nearest_to_middle(
                [cell.bbox for cell in asked], [cell.score for cell in asked], *size, within
            )
            return None if place is None else asked[place]

        # Pictures are taken of nucleated cells and platelets: one beside the middle is more likely
        # meant than the red cell that happens to lie there.
        cell = (
            nearest(("WBC",), COVERS)
            or nearest(("PLT", None), COVERS)
            or nearest(("WBC", "PLT", None), BESIDE)
            or nearest(("RBC",), COVERS)
        )
        if cell is not None:
            x0, y0, x1, y1 = cell.bbox
            return float(x0), float(y0), float(x1), float(y1)
        middle, half = np.array(size) / 2, 0.22 * min(size)
        return (*(middle - half).tolist(), *(middle + half).tolist())

    def _cells(
        self, field: Field, maps: FieldMaps, lowest: Mapping[Element, float]
    ) -> tuple[Cell, ...]:
        """Cells that reach the lowest score of the element they are taken for in the end."""
        card = self._segmenter.bundle.card
        floor = dict.fromkeys(ELEMENTS, min(lowest.values()))
        found = decode(maps, card, floor) if _has_contrast(field) else []
        typed = []
        for cell, verdict in zip(found, self._verdicts(field, found), strict=True):
            element = ELEMENT_OF_TYPE.get(verdict[0], cell.element or "WBC")
            if cell.score >= lowest[element]:
                typed.append((cell, element, verdict))
        outlines = outline_cells(
            [cell for cell, _, _ in typed], [element for _, element, _ in typed], maps, card
        )
        return tuple(
            Cell(
                field=field.name,
                label=label,
                contour=outline.contour,
                bbox=cell.bbox,
                area_px=outline.area_px,
                touches_border=_touches(cell.bbox, field),
                element=element,
                detection_score=cell.score,
                type=kind,
                probabilities=shares,
                confidence=confidence,
            )
            for label, (outline, (cell, element, (kind, confidence, shares))) in enumerate(
                zip(outlines, typed, strict=True), start=1
            )
        )

    def _verdicts(self, field: Field, found: Sequence[Found]) -> list[Verdict]:
        """Type of every cell; the classifier sees those the segmenter cannot type.

        What the classifier takes for an element that was not looked for stays unidentified: such
        an element is not counted, as others of it were not found.
        """
        asked = [cell.bbox for cell in found if cell.element in ("WBC", None)]
        if self._classifier is None:
            answers: Iterator[Verdict] = iter([(UNIDENTIFIED, math.nan, {})] * len(asked))
        else:
            rows = self._classifier.probabilities(field.pixels, asked)
            answers = map(self._of_elements_seen, map(self._classifier.decide, rows))
        return [
            next(answers)
            if cell.element is None or cell.element == "WBC"
            else from_shares(cell.element, cell.shares)
            for cell in found
        ]

    def _of_elements_seen(self, verdict: Verdict) -> Verdict:
        kind, confidence, shares = verdict
        seen = ELEMENT_OF_TYPE.get(kind, "WBC") in self.elements
        return (kind if seen else UNIDENTIFIED), confidence, shares


def _has_contrast(field: Field) -> bool:
    """Whether there is anything to see: a network may answer even to one even colour."""
    return int(field.pixels.max()) - int(field.pixels.min()) >= _LEAST_CONTRAST


def _touches(bbox: Box, field: Field) -> bool:
    x0, y0, x1, y1 = bbox
    return x0 <= 0 or y0 <= 0 or x1 >= field.width_px or y1 >= field.height_px
