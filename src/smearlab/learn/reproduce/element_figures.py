"""Figures of one model and one element, kept in a file: measuring takes minutes."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab import __version__
from smearlab.batch.workers import usable_cores
from smearlab.datasets.element_pairs import load_pair
from smearlab.datasets.pair_files import ElementPair, PairFile
from smearlab.elements.models import find_model
from smearlab.elements.segmenter import ElementSegmenter
from smearlab.errors import SmearlabError
from smearlab.evaluation.elements import evaluate_elements
from smearlab.io.atomic import write_text
from smearlab.types import Element, Field


@dataclass(frozen=True)
class Measured:
    """What one model is worth on one element.

    Parameters
    ----------
    sources : mapping of str to mapping
        Source of the targets → figures, as
        :func:`smearlab.evaluation.elements.evaluate_elements` gives them.
    seconds : float
        That the measuring took.
    measurement : Measurement
        What was measured.
    errors : sequence of mapping
        ``file`` and ``reason`` of every pair that could not be read.
    """

    sources: Mapping[str, Mapping[str, Any]]
    seconds: float
    measurement: Measurement
    errors: Sequence[Mapping[str, str]] = ()

    def segmenter(self) -> ElementSegmenter:
        """The model, loaded anew."""
        return self.measurement.load()

    def drawn(self, pairs: Sequence[ElementPair]) -> Iterator[NDArray[np.uint8]]:
        """What the model draws of each pair's field, or cuts out of it, one after the other."""
        segmenter = self.segmenter()
        for pair in pairs:
            found = segmenter.segment(Field(pair.pixels, pair.name), (pair.element,))
            picture = found[pair.element]
            yield picture.segmented if picture.generated is None else picture.generated


@dataclass(frozen=True)
class Measurement:
    """A model that is to be measured on one element.

    Parameters
    ----------
    name : str
        In tables.
    model : str
        As ``smearlab segment --model``.
    element : {"RBC", "WBC", "PLT"}
    folder : Path
        Where figures are kept.
    samples : int
        Draws of its noise whose mean is measured; 1 leaves noise off.
    """

    name: str
    model: str
    element: Element
    folder: Path
    samples: int = 1

    @cached_property
    def why_not(self) -> str | None:
        """Why it cannot be measured; None if it can."""
        try:
            find_model(self.model).check((self.element,))
        except SmearlabError as error:
            return str(error)
        return None

    def load(self) -> ElementSegmenter:
        """The model with the network of this element only."""
        return ElementSegmenter(find_model(self.model), (self.element,), samples=self.samples)

    @property
    def path(self) -> Path:
        """File of its figures."""
        return self.folder / f"{self.element.lower()}-{self.name.replace(' ', '_')}.json"

    def key(self, segmenter: ElementSegmenter, pairs: Sequence[PairFile]) -> dict[str, Any]:
        """What its figures follow from: the loaded networks, and the pairs."""
        sums = {name: card["sha256"] for name, card in segmenter.describe().items()}
        names = "\n".join(map(_identity, pairs))
        digest = hashlib.sha256(names.encode()).hexdigest()[:16]
        return {"version": __version__, "bundles": sums, "pairs": digest, "samples": self.samples}

    def run(self, pairs: Sequence[PairFile]) -> Measured:
        """Measure it, or read what was measured with the same bundles on the same pairs.

        Parameters
        ----------
        pairs : sequence of PairFile
            Of this element.
        """
        segmenter = self.load()
        key, path = self.key(segmenter, pairs), self.path
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["of"] == key:
                return Measured(kept["sources"], kept["seconds"], self, kept["errors"])
        begun = time.monotonic()
        result = evaluate_elements(segmenter, pairs, load_pair, jobs=usable_cores())
        seconds = time.monotonic() - begun
        sources = result["elements"][self.element]
        kept = {"of": key, "seconds": seconds, "sources": sources, "errors": result["errors"]}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(kept, indent=1, allow_nan=False) + "\n")
        return Measured(sources, seconds, self, result["errors"])


def _identity(pair: PairFile) -> str:
    """What tells a pair from another, and from itself after its files were changed."""
    annotations = pair.boxed and pair.boxed.boxes
    files = [path for path in (pair.image, pair.target, annotations) if path and path.is_file()]
    sizes = " ".join(str(path.stat().st_size) for path in files)
    return f"{pair.source} {pair.name} {pair.group} {sizes}"
