"""Pictures of a table of segmenters: fields, targets, and what each network made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from smearlab.datasets.element_pairs import load_pair
from smearlab.datasets.pair_files import PairFile
from smearlab.io.atomic import write_bytes
from smearlab.learn.reproduce.element_figures import Measured
from smearlab.learn.reproduce.element_lines import kinds_of
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet

_WHICH = ("best", "median", "worst")


def write_sheet(
    path: Path, leading: Measured, measured: Mapping[str, Measured], tested: Sequence[PairFile]
) -> bool:
    """Draw the fields that the leading network segments best, middling and worst by Dice.

    Parameters
    ----------
    path : Path
        Of the PNG.
    leading : Measured
        Of its kinds of target the one that is compared with the paper is shown.
    measured : mapping of str to Measured
        Model → its figures; a column each.
    tested : sequence of PairFile
        What was measured on.

    Returns
    -------
    bool
        Whether there was a field to show.
    """
    source = kinds_of({"": leading})[0]
    chosen = chosen_fields(leading.sources[source]["fields"])
    if not chosen:
        return False
    files = {file.name: file for file in tested if file.source == source}
    pairs = {name: load_pair(files[name]) for name in chosen}
    notes = {name: ["field", "target"] for name in chosen}
    pictures = {name: [pair.pixels, pair.picture] for name, pair in pairs.items()}
    for model, one in measured.items():
        drawn = dict(zip(pairs, one.drawn(list(pairs.values())), strict=True))
        dice = {field["name"]: field["dice"] for field in one.sources[source]["fields"]}
        for name in chosen:
            pictures[name].append(drawn[name])
            value = dice.get(name)
            notes[name].append(model + ("" if value is None else f": {value:.3f}"))
    rows = [
        SheetRow(f"{which}: {name}", pictures[name], notes[name]) for name, which in chosen.items()
    ]
    done, png = cv2.imencode(".png", cv2.cvtColor(draw_contact_sheet(rows), cv2.COLOR_RGB2BGR))
    assert done
    write_bytes(path, png.tobytes())
    return True


def chosen_fields(fields: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Name → which it is: those with the best, the median and the worst Dice, each once.

    Parameters
    ----------
    fields : sequence of mapping
        ``name`` and ``dice`` of each; fields without the element have none.

    Examples
    --------
    >>> chosen_fields([{"name": n, "dice": d} for n, d in zip("abcd", (0.5, 0.9, None, 0.7))])
    {'b': 'best', 'd': 'median', 'a': 'worst'}
    """
    known = sorted(
        (one for one in fields if one["dice"] is not None), key=lambda one: -float(one["dice"])
    )
    places = {0: "best", len(known) // 2: "median", len(known) - 1: "worst"} if known else {}
    if len(known) < len(_WHICH):
        places = dict(zip(range(len(known)), ("best", "worst"), strict=False))
    return {known[place]["name"]: which for place, which in places.items()}
