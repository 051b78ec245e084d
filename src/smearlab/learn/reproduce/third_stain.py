"""A stain that no network between stains has learned from: what normalisers make of its fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.ties import unit_names
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.errors import DataError
from smearlab.evaluation.normaliser_figures import judge, target_colours
from smearlab.evaluation.reproductions import Line
from smearlab.io.images import read_field
from smearlab.learn.classifier_run import ClassifierRun
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.picture_sources import read_pictures
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.split_protocols import chosen_pictures
from smearlab.stain.normaliser import Normaliser

#: The set, and how many of its fields are judged.
THIRD, FIELDS = "bccd", 40
#: Its cells by type (every picture several times, changed), how many are asked about at most, and
#: the side of the square that shows a cell as large as 200 px of PBC do, px.
TYPED, CELLS, CELL_SQUARE_PX = "bccd4", 400, 64
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


def third_cells(
    run: ClassifierRun, size_px: int, asked: Asked, most: int = CELLS
) -> ManifestSamples | None:
    """Single white cells of the third stain, each about its nucleus, as large as those at home.

    Parameters
    ----------
    run : ClassifierRun
        Whose types are asked about.
    size_px : int
        Side of the views.
    asked : Asked
    most : int
        So many at most, as many of each group; one of each at least.

    Returns
    -------
    ManifestSamples or None
        None where there are none.
    """
    if asked.data == SIMULATED:
        return None
    try:
        found = read_pictures(
            asked.data, (TYPED,), asked.folder, lists=asked.lists, show=asked.show
        )
        if not (found.column("dataset") == TYPED).any():
            return None
        data = replace(run.recipe.data, datasets=(TYPED,), origins=(), train_on=(), test_on=())
        manifest = chosen_pictures(found, data)
    except DataError:
        return None
    rows = np.flatnonzero(np.isin(manifest.column("type"), run.classes))
    units, rng = unit_names(manifest)[rows], np.random.default_rng(0)
    order = rng.permutation(len(rows))
    each = max(1, most // max(1, len(set(units))))
    taken: Counter[str] = Counter()
    kept = []
    for place in order:
        if taken[units[place]] < each:
            taken[units[place]] += 1
            kept.append(int(rows[place]))
    if not kept:
        return None
    view = replace(run.recipe.view, size_px=size_px, crop_px=CELL_SQUARE_PX, centre="nucleus")
    return ManifestSamples(
        manifest, run.classes, view, rows=np.sort(np.array(kept, np.intp))
    ).without_augmentation()


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
