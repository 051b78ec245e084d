"""Table 3 of paper B: how far what networks draw of an element is from its targets, as sets."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.element_pairs import load_pair
from smearlab.datasets.pair_files import ElementPair, PairFile
from smearlab.evaluation.elements import GENERATED
from smearlab.evaluation.picture_features import TypedFeatures, resized
from smearlab.evaluation.reproductions import Line
from smearlab.evaluation.results import SEED, plain
from smearlab.evaluation.synthesis_figures import (
    RESAMPLES,
    Figure,
    SeenPictures,
    synthesis_figures,
)
from smearlab.io.atomic import write_text
from smearlab.learn.reproduce.element_figures import Measured
from smearlab.learn.reproduce.element_lines import SOURCE_WORDS, kinds_of
from smearlab.metrics.generative import paired_distances
from smearlab.metrics.resampling import percentile_interval, ratio
from smearlab.types import Element

#: The paper's name → ours.
FIGURES: Mapping[str, str] = {
    "FID": "fid",
    "IS": "inception_score",
    "PSI": "psi",
    "KID": "kid",
    "WD": "wasserstein_sliced",
}
_DIGITS = 3
_TABLE_3 = "generated pictures (Table 3)"
#: What a network must at least have drawn for a distance of sets.
LEAST = 2
SAID = (
    "FID, IS, PSI, KID and WD of Table 3 are by the pooled features and the nine types of the "
    "blood-cell network that ships, of whole pictures made small, drawn ones beside their targets; "
    "the paper does not name its network. There are fewer pictures than features: compare "
    "networks of one element with each other, not with the paper",
    "WD of Table 3 is the sliced Wasserstein distance of these features",
    "means over elements, the paper's second level, have the means of the elements' ends for ends",
)


@dataclass(frozen=True)
class Drawn:
    """Figures of what one network drew of one element.

    Parameters
    ----------
    figures : mapping of str to sequence
        Name in :data:`FIGURES` → value, low and high; None where there is none.
    source : str
        Kind of the targets.
    n, n_groups : int
        Fields, and places of a smear that they are of.
    """

    figures: Mapping[str, Sequence[float | None]]
    source: str
    n: int
    n_groups: int


def drawn_distances(
    measured: Mapping[str, Measured],
    tested: Sequence[PairFile],
    features: TypedFeatures,
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Drawn]:
    """Compare what networks drew of the measured fields with the targets, or read what was found.

    Parameters
    ----------
    measured : mapping of str to Measured
        Model → its figures, of one element. Those that draw no picture are left out.
    tested : sequence of PairFile
        What was measured on; targets of the kind that is compared with the paper are taken.
    features : TypedFeatures
        Network that sees the pictures.
    resamples : int
        Of places of a smear.

    Returns
    -------
    dict of str to Drawn
        Model → figures; without those that drew fewer than :data:`LEAST` readable fields.
    """
    found = {}
    for name, one in measured.items():
        source = kinds_of({name: one})[0]
        if one.sources[source]["pictures"] != GENERATED or one.sources[source]["n"] < LEAST:
            continue
        bad = {error["file"] for error in one.errors}
        files = [file for file in tested if file.source == source and file.name not in bad]
        found[name] = _kept(one, files, source, features, resamples)
    return found


def _kept(
    one: Measured,
    files: Sequence[PairFile],
    source: str,
    features: TypedFeatures,
    resamples: int,
) -> Drawn:
    measurement = one.measurement
    key = {
        **measurement.key(one.segmenter(), files),
        "features": features.name,
        "resamples": resamples,
    }
    path = measurement.path.with_name(f"{measurement.path.stem}-drawn.json")
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["of"] == key:
            return Drawn(**kept["found"])
    pairs = [load_pair(file) for file in files]
    targets, drawn = _pictures(one, pairs)
    found = {
        "figures": _figures(
            _seen(targets, pairs, features), _seen(drawn, pairs, features), resamples
        ),
        "source": source,
        "n": len(pairs),
        "n_groups": len({pair.group for pair in pairs}),
    }
    told = json.dumps(plain({"of": key, "found": found}), indent=1, allow_nan=False)
    write_text(path, told + "\n")
    return Drawn(**json.loads(told)["found"])


def _pictures(
    one: Measured, pairs: Sequence[ElementPair]
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """Targets and what was drawn; where nothing is known of the truth, both are black."""
    targets, drawn = [], []
    for pair, made in zip(pairs, one.drawn(pairs), strict=True):
        known = ~pair.unknown[..., None]
        targets.append(np.where(known, pair.picture, np.uint8(0)))
        drawn.append(np.where(known, made, np.uint8(0)))
    return targets, drawn


def _seen(
    pictures: Sequence[NDArray[np.uint8]], pairs: Sequence[ElementPair], features: TypedFeatures
) -> SeenPictures:
    """Pictures of any size, in one size first: fields of a set need not be alike."""
    side = min(min(picture.shape[:2]) for picture in pictures)
    seen, probabilities = features.both(np.stack([resized(one, side) for one in pictures]))
    types = np.array([pair.element for pair in pairs], np.str_)
    return SeenPictures(
        seen, types, np.array([pair.group for pair in pairs], np.str_), probabilities
    )


def _figures(
    targets: SeenPictures, drawn: SeenPictures, resamples: int
) -> dict[str, tuple[float, float, float]]:
    figures = synthesis_figures(targets, drawn, resamples=resamples)
    figures["psi"] = _psi_of_pairs(targets, drawn, resamples)
    return {name: (figures[key].value, *figures[key].interval) for name, key in FIGURES.items()}


def _psi_of_pairs(targets: SeenPictures, drawn: SeenPictures, resamples: int) -> Figure:
    """Mean distance of a drawn picture to its own target (equation 16)."""
    apart = paired_distances(targets.features, drawn.features)
    weights = targets.draws(resamples, SEED)
    draws = ratio(weights @ apart, weights.sum(1))
    return Figure(float(apart.mean()), percentile_interval(draws))


def drawn_lines(element: Element, found: Mapping[str, Drawn]) -> Iterator[Line]:
    """Figures of one element, a line each."""
    for name, one in found.items():
        row = f"{element} ({SOURCE_WORDS[one.source]}), {name}, drawn beside targets"
        for figure in FIGURES:
            value, low, high = one.figures[figure]
            yield Line(row, figure, None, "", value, low, high, one.n, of="fields", digits=_DIGITS)


def mean_lines(
    found: Iterable[Mapping[str, Drawn]], reported: Mapping[str, Any], paper: str
) -> Iterator[Line]:
    """Means over the elements, beside which the paper's figures stand.

    Parameters
    ----------
    found : iterable of mapping of str to Drawn
        Of each element.
    reported : mapping
        Of the paper's recipe.
    paper : str
        Model that the reported figures are of.
    """
    parts = list(found)
    for name in dict.fromkeys(model for part in parts for model in part):
        own = [part[name] for part in parts if name in part]
        if len(own) < len(parts):
            continue  # trained for some elements only: no mean to compare by
        told = reported[_TABLE_3] if name == paper else {}
        row = f"mean of {len(own)} elements, {name}, drawn beside targets"
        for figure in FIGURES:
            value, low, high = (
                _mean([one.figures[figure][end] for one in own]) for end in range(3)
            )
            n, where = sum(one.n for one in own), "Table 3" if told else ""
            yield Line(row, figure, told.get(figure), where, value, low, high, n, of="fields",
                       digits=_DIGITS)  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    """None where one is not known."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if len(known) == len(values) else None
