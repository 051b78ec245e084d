"""A stain that no network between stains has learned from: what normalisers make of its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.ties import unit_names
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.errors import DataError
from smearlab.evaluation.normaliser_figures import judge, target_colours
from smearlab.evaluation.reproductions import Line
from smearlab.io.images import read_field
from smearlab.learn.picture_sources import read_pictures
from smearlab.learn.reproduce.experiment import Asked
from smearlab.stain.normaliser import Normaliser

#: The set, and how many of its fields are judged.
THIRD, FIELDS = "bccd", 40
#: Figures of :data:`smearlab.evaluation.normaliser_figures.FIGURES` that are shown → their names.
_SHOWN: Mapping[str, str] = {
    "ground_de00": "ground ΔE00",
    "nucleus_de00": "nucleus ΔE00",
    "ssim_lightness": "SSIM of lightness",
    "nucleus_dice": "nucleus Dice",
}
_AS_IT_IS = "as it is"
Pixels = NDArray[np.uint8]


def third_fields(asked: Asked, most: int = FIELDS) -> list[Pixels]:
    """Fields of the third stain, evenly spread, no two near-duplicates.

    Parameters
    ----------
    asked : Asked
    most : int
        So many at most.

    Returns
    -------
    list of ndarray of uint8, shape (H, W, 3)
        Empty where the pictures have none.
    """
    if asked.data == SIMULATED:
        return []
    try:
        manifest = read_pictures(
            asked.data, (THIRD,), asked.folder, lists=asked.lists, show=asked.show
        )
    except DataError:
        return []
    rows = np.flatnonzero(manifest.column("dataset") == THIRD)
    if not rows.size:
        return []
    _, first = np.unique(unit_names(manifest)[rows], return_index=True)
    rows = rows[np.sort(first)]
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))]
    return [read_field(manifest.file(path)).pixels for path in manifest.column("path")[rows]]


def judged_third(
    normalisers: Mapping[str, Normaliser],
    home: Sequence[Pixels],
    fields: Sequence[Pixels],
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """How near to the stain at home fields come, and what stays of their structure.

    Parameters
    ----------
    normalisers : mapping of str to Normaliser
        Each leads to the stain at home.
    home : sequence of ndarray of uint8, shape (H, W, 3)
        Pictures that show how it looks.
    fields : sequence of ndarray of uint8, shape (H, W, 3)
    say : callable
        Told what goes on.

    Returns
    -------
    dict
        Name → figures, each with ``value``, ``low``, ``high``, ``n``; see
        :func:`smearlab.evaluation.normaliser_figures.judge`. Empty without fields.
    """
    if not fields or not normalisers:
        return {}
    target, found = target_colours(home), {}
    for name, normaliser in normalisers.items():
        say(f"{name}: {len(fields)} fields of {THIRD}")
        judged = judge(normaliser, fields, target)
        found[_AS_IT_IS] = judged["before"]
        found[name] = judged["after"]
    return found


def third_lines(judged: Mapping[str, Any]) -> Iterator[Line]:
    """What :func:`judged_third` found, as lines of a table."""
    for name, figures in judged.items():
        for key, title in _SHOWN.items():
            if key in figures:
                one = figures[key]
                yield Line(f"{THIRD}, {name}", title, None, "", one["value"], one["low"],
                           one["high"], one["n"], "fields", 3)  # fmt: skip
