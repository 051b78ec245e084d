"""Red cells, white cells and platelets of a field, each on a picture of its own.

A model is one bundle that tells the elements apart (the shipped segmenter), or one bundle for each
element (paper B's way, Khan et al. 2024). Cells come from the same decoders as those of
``smearlab analyze``, so that both count the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.count.summary import element_of
from smearlab.elements.models import ElementModel, find_model
from smearlab.elements.pictures import ElementPicture, ElementPictures, shared_notes
from smearlab.errors import UsageError
from smearlab.instances.labels import paint_labels
from smearlab.instances.scales import needs_scout, red_cell_diameter, scale_by_size
from smearlab.io.bundles import Bundle, elements_seen, find_bundle
from smearlab.pipeline import Analyzer
from smearlab.segment.maps import FieldMaps, Segmenter
from smearlab.segment.noise import draw_noise
from smearlab.segment.segmented_picture import own_pixels
from smearlab.types import ELEMENTS, Cell, Element, Field

__all__ = ["ElementPicture", "ElementPictures", "ElementSegmenter"]


@dataclass(frozen=True)
class _Network:
    """One bundle ready to run, and the elements that it is asked for."""

    segmenter: Segmenter
    analyzer: Analyzer
    elements: tuple[Element, ...]

    @property
    def card(self) -> dict[str, Any]:
        return self.segmenter.bundle.card


@dataclass(frozen=True, eq=False)
class _Seen:
    """Maps of a field, averaged over the draws, and the spread of their classes."""

    maps: FieldMaps
    spread: NDArray[np.float32] | None
    notes: list[str]


class ElementSegmenter:
    """Segments the elements of fields; thread-safe, so one serves all workers.

    Parameters
    ----------
    model : ElementModel
    elements : sequence of str
        Those that will be asked for; only their networks are loaded.
    threads : int
        Threads of one network call.
    samples : int
        How often noise is drawn; 2 or more give a mean and a spread.
    noise : bool
        Whether noise is drawn at all. More than one sample draws it in any case.
    seed : int
        Of the draws, not negative. Every field and every tile gets the same draws, so a result
        does not depend on what was segmented before.

    Raises
    ------
    UsageError
        If the model lacks an element, ``samples`` is below 1, ``seed`` below 0, or noise is asked
        of a network that has none.
    BundleError
        If a bundle is not sound.
    """

    def __init__(
        self,
        model: ElementModel,
        elements: Sequence[Element],
        threads: int = 1,
        samples: int = 1,
        noise: bool = False,
        seed: int = 0,
    ) -> None:
        if samples < 1 or seed < 0:
            raise UsageError(
                f"samples must be at least 1 and seed at least 0; received {samples} and {seed}"
            )
        model.check(elements)
        self.model = model
        self.samples = samples
        self.seed = seed
        self.noise = noise or samples > 1
        self._networks = _load(model, elements, threads)
        without = [n.segmenter.bundle.name for n in self._networks if "noise" not in n.card]
        if self.noise and without:
            raise UsageError(
                f"{', '.join(without)} of model {model.name} has no noise to draw: all its answers "
                "are equal; leave out samples and noise"
            )
        self._scout: Segmenter | None = None
        if any(needs_scout(network.card) for network in self._networks):
            place = find_bundle("segmenter", "default")
            self._scout = Segmenter(Bundle(place, "segmenter", threads))

    @classmethod
    def load(
        cls,
        model: str = "default",
        threads: int = 1,
        samples: int = 1,
        noise: bool = False,
        seed: int = 0,
    ) -> ElementSegmenter:
        """Load all networks of a model by its name or folder.

        Parameters
        ----------
        model : str
            See :func:`smearlab.elements.models.find_model`.
        threads, samples, noise, seed
            See the class.
        """
        found = find_model(model)
        return cls(found, found.elements, threads, samples, noise, seed)

    @property
    def elements(self) -> tuple[Element, ...]:
        """Those that can be asked for."""
        loaded = {element for network in self._networks for element in network.elements}
        return tuple(element for element in ELEMENTS if element in loaded)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Card and checksum of every bundle that was loaded, for reports."""
        cards = {}
        for network in self._networks:
            prefix = "-".join(element.lower() for element in network.elements)
            for kind, card in network.analyzer.describe().items():
                cards[prefix if kind == "segmenter" else kind] = card
        if self._scout is not None:
            bundle = self._scout.bundle
            cards["scout"] = {**bundle.card, "sha256": bundle.sha256}
        return cards

    def segment(self, field: Field, elements: Sequence[Element] | None = None) -> ElementPictures:
        """Segment the elements of a field.

        Parameters
        ----------
        field : Field
        elements : sequence of str, optional
            By default all that were loaded.

        Returns
        -------
        ElementPictures

        Raises
        ------
        UsageError
            If an element was not loaded.
        BundleError
            If a network does not keep its bundle's contract.
        """
        wanted = self.elements if elements is None else tuple(elements)
        lacking = [element for element in wanted if element not in self.elements]
        if lacking:
            raise UsageError(
                f"{', '.join(lacking)} was not loaded; loaded are {', '.join(self.elements)}"
            )
        diameter = None
        if self._scout is not None and field.um_per_px is None:
            diameter = red_cell_diameter(self._scout, field)
        pictures: dict[Element, ElementPicture] = {}
        notes: dict[str, None] = {}
        n_cells = 0
        for network in self._networks:
            own = [element for element in network.elements if element in wanted]
            if not own:
                continue
            seen = self._look(network, field, diameter)
            notes |= dict.fromkeys(seen.notes)
            cells = network.analyzer.cells_of(field, seen.maps)
            cells = tuple(replace(cell, label=cell.label + n_cells) for cell in cells)
            n_cells += len(cells)
            labels = paint_labels(cells, field.width_px, field.height_px).array
            for element in own:
                pictures[element] = _picture(field, element, network, seen, cells, labels)
        ordered = {element: pictures[element] for element in ELEMENTS if element in pictures}
        return ElementPictures(ordered, (*notes, *shared_notes(ordered)))

    def _look(self, network: _Network, field: Field, diameter_px: float | None) -> _Seen:
        if network.card["decoder"] == "centres":
            maps, notes = network.analyzer.look(field)
            return _Seen(maps, None, notes)
        scale, notes = scale_by_size(network.card, field, diameter_px)
        return _averaged(
            (network.segmenter.maps(field.pixels, scale, keep) for keep in self._draws(network)),
            notes,
        )

    def _draws(self, network: _Network) -> Iterator[NDArray[np.float32] | None]:
        for draw in range(self.samples):
            yield draw_noise(network.card, self.seed, draw) if self.noise else None


def _load(model: ElementModel, elements: Sequence[Element], threads: int) -> list[_Network]:
    """The networks of some elements, each bundle once."""
    by_folder: dict[Path, list[Element]] = {}
    for element in elements:
        by_folder.setdefault(model.bundles[element], []).append(element)
    networks = []
    for folder, own in by_folder.items():
        bundle = Bundle(folder, "segmenter", threads)
        classifier = None
        # One that finds several elements has the classifier's second opinion, as in analyze.
        if len(elements_seen(bundle.card)) > 1:
            classifier = Bundle(find_bundle("classifier", "default"), "classifier", threads)
        networks.append(_Network(Segmenter(bundle), Analyzer(bundle, classifier), tuple(own)))
    return networks


def _averaged(draws: Iterator[FieldMaps], notes: list[str]) -> _Seen:
    """Mean maps and the standard deviation of the classes, draw by draw (Welford 1962)."""
    first = next(draws)
    mean = first.classes.astype(np.float64)
    squares = np.zeros_like(mean)
    drawn = None if first.segmented is None else first.segmented.astype(np.float64)
    n = 1
    for n, maps in enumerate(draws, start=2):
        step = maps.classes - mean
        mean += step / n
        squares += step * (maps.classes - mean)
        if drawn is not None and maps.segmented is not None:
            drawn += (maps.segmented - drawn) / n
    if n == 1:
        return _Seen(first, None, notes)
    segmented = None if drawn is None else drawn.astype(np.float32)
    averaged = replace(first, classes=mean.astype(np.float32), segmented=segmented)
    return _Seen(averaged, np.sqrt(squares / (n - 1)).astype(np.float32), notes)


def _picture(
    field: Field,
    element: Element,
    network: _Network,
    seen: _Seen,
    cells: tuple[Cell, ...],
    labels: NDArray[np.int32],
) -> ElementPicture:
    own = tuple(cell for cell in cells if element_of(cell) == element)
    kept = np.zeros(max((cell.label for cell in cells), default=0) + 1, np.int32)
    kept[[cell.label for cell in own]] = [cell.label for cell in own]
    mine = kept[labels]
    card, maps = network.card, seen.maps
    channel = card["classes"].index(element) if element in card["classes"] else 1
    step = card["map_step"]

    def at_field_size(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return maps.at_field_size(np.ascontiguousarray(values), step)

    generated = None
    if maps.segmented is not None:
        generated = np.rint(at_field_size(maps.segmented) * 255).clip(0, 255).astype(np.uint8)
    return ElementPicture(
        element=element,
        probability=at_field_size(maps.classes[..., channel]),
        mask=mine > 0,
        segmented=own_pixels(field.pixels, mine > 0),
        spread=None if seen.spread is None else at_field_size(seen.spread[..., channel]),
        labels=mine,
        cells=own,
        generated=generated,
    )
