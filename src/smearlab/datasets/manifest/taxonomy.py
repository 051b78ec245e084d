"""One set of type names for all archives: named maps from what they say to 2 … 12 types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.manifest.ties import encoded
from smearlab.errors import ManifestError, UnknownNameError
from smearlab.evaluation.type_names import box_class, cell_type, name_key
from smearlab.registry import look_up
from smearlab.types import CELL_TYPES, LEUKOCYTE_TYPES, UNIDENTIFIED

#: Kinds that are narrower than a cell type, or none at all → the names that they go by.
NARROW_KINDS: Mapping[str, tuple[str, ...]] = {
    "promyelocyte": ("PMY", "PMO", "PMB", "PRO", "PRB", "promyelocyte bilobed"),
    "myeloblast": ("MYO",),
    "monoblast": ("MOB",),
    "smudge cell": ("KSC", "SMC", "smudge", "burst", "burst cell", "basket cell"),
    "blast": ("blast cell", "lymphoblast", "probable blast"),
    "healthy cell": ("healthy", "normal", "non-blast"),
    "leukocyte": (),
    "field of a healthy person": (),
    "field with leukaemia": ("ALL",),
    "several types": ("mixt", "mix", "mixed"),
    "unclassified": ("uncategorised", "unknown", "other", "artefact", "artifact"),
}
_FIVE_NUMBERED = {
    "1": "neutrophil",
    "2": "lymphocyte",
    "3": "monocyte",
    "4": "eosinophil",
    "5": "basophil",
}
#: What a label means in one dataset only: dataset → label → name.
OWN_LABELS: Mapping[str, Mapping[str, str]] = {
    "all_idb1": {
        **dict.fromkeys(("0", "healthy"), "field of a healthy person"),
        **dict.fromkeys(("1", "ALL"), "field with leukaemia"),
    },
    "all_idb2": {"0": "healthy cell", "1": "blast"},
    "zheng": _FIVE_NUMBERED,
    "zheng1": _FIVE_NUMBERED,
    "zheng2": _FIVE_NUMBERED,
}
_NARROW = {name_key(n): kind for kind, names in NARROW_KINDS.items() for n in (kind, *names)}
#: Everything that a label can turn out to mean.
KINDS = (*(t for t in CELL_TYPES if t != UNIDENTIFIED), *NARROW_KINDS)

_FIVE = LEUKOCYTE_TYPES[:5]
_EIGHT = {
    **{name: (name,) for name in (*_FIVE, "erythroblast", "platelet")},
    "immature granulocyte": ("immature granulocyte", "promyelocyte"),
}


@dataclass(frozen=True)
class Taxonomy:
    """A set of types.

    Parameters
    ----------
    source : str
        Who counts so.
    types : mapping of str to tuple of str
        Type → the :data:`KINDS` that it takes in. All others are left out on purpose.
    """

    source: str
    types: Mapping[str, tuple[str, ...]]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Kinds that have no type here."""
        inside = {kind for kinds in self.types.values() for kind in kinds}
        return tuple(kind for kind in KINDS if kind not in inside)

    def type_of(self, kind: str) -> str | None:
        """The type of one of :data:`KINDS`; None if it is left out."""
        return next((name for name, kinds in self.types.items() if kind in kinds), None)


#: Name → taxonomy. The number is that of its types.
TAXONOMIES: Mapping[str, Taxonomy] = {
    "health2": Taxonomy(
        "ALL-IDB; Khan et al. 2024: healthy or blast",
        {
            "healthy": ("healthy cell", "field of a healthy person", *_FIVE),
            "blast": ("blast", "field with leukaemia", "myeloblast", "monoblast"),
        },
    ),
    "maturity2": Taxonomy(
        "this project: mature or immature, which says nothing of disease",
        {
            "mature": _FIVE,
            "immature": (
                *("immature granulocyte", "promyelocyte", "erythroblast"),
                *("myeloblast", "monoblast", "blast"),
            ),
        },
    ),
    "elements3": Taxonomy(
        "the three formed elements, as box sets count them",
        {
            "RBC": ("erythrocyte",),
            "WBC": (
                *(*LEUKOCYTE_TYPES, "erythroblast", "leukocyte", "promyelocyte", "myeloblast"),
                *("monoblast", "smudge cell", "blast", "healthy cell"),
            ),
            "PLT": ("platelet",),
        },
    ),
    "wbc4": Taxonomy(
        "Ferdousi et al. 2024; the augmented BCCD set",
        {name: (name,) for name in _FIVE if name != "basophil"},
    ),
    "wbc5": Taxonomy("Jung et al. 2021; LISC, Raabin", {name: (name,) for name in _FIVE}),
    "cells8": Taxonomy("the PBC archive (Acevedo et al. 2020)", _EIGHT),
    "cells9": Taxonomy("Mondal et al. 2024", {**_EIGHT, "erythrocyte": ("erythrocyte",)}),
    "cells12": Taxonomy(
        "Hazra 2022, Table 6",
        {
            **_EIGHT,
            "immature granulocyte": ("immature granulocyte",),
            "promyelocyte": ("promyelocyte",),
            "myeloblast": ("myeloblast",),
            "monoblast": ("monoblast",),
            "smudge cell": ("smudge cell",),
        },
    ),
}


def kind_of(label: str, dataset: str = "") -> str:
    """What a label means.

    Parameters
    ----------
    label : str
        As the archive writes it, e.g. ``"ig"``, ``"NGS"``, ``"Platelets"``, ``"1"``.
    dataset : str
        Name of its adapter; needed where labels are numbers.

    Returns
    -------
    str
        One of :data:`KINDS`.

    Raises
    ------
    UnknownNameError
        If it is no known name.

    Examples
    --------
    >>> kind_of("LYA"), kind_of("MYO"), kind_of("1", "all_idb2")
    ('lymphocyte', 'myeloblast', 'blast')
    """
    label = OWN_LABELS.get(dataset, {}).get(label, label)
    if (narrow := _NARROW.get(name_key(label))) is not None:
        return narrow
    try:
        return cell_type(label)
    except UnknownNameError:
        element = box_class(label).element
    return {"RBC": "erythrocyte", "WBC": "leukocyte", "PLT": "platelet"}[element]


def typed(
    manifest: Manifest,
    taxonomy: str,
    *,
    drop_left_out: bool = False,
    leave_out: Sequence[str] = (),
    subtypes: bool = False,
    boxes: bool = False,
) -> Manifest:
    """Give every labelled row its type.

    Rows without a label (fields with boxes) get none, and stay.

    Parameters
    ----------
    manifest : Manifest
    taxonomy : str
        One of :data:`TAXONOMIES`.
    drop_left_out : bool
        Drop rows (and, with ``boxes``, boxes) of kinds that the taxonomy leaves out.
    leave_out : sequence of str
        Labels to drop whatever they mean.
    subtypes : bool
        Where a row has a subtype, let that decide: a promyelocyte of PBC is then one.
    boxes : bool
        Rename the boxes' labels to the taxonomy's types, too.

    Returns
    -------
    Manifest
        With ``type``; the provenance counts rows of each type and what was dropped.

    Raises
    ------
    UnknownNameError
        If there is no such taxonomy.
    ManifestError
        If labels are unknown, or left out by the taxonomy and not to be dropped; lists them all
        with their rows. Or if there is neither a label nor a box in the whole table.
    """
    chosen = look_up("taxonomy", TAXONOMIES, taxonomy)
    table = manifest.table
    if len(manifest) and all(
        table.column(name).null_count == len(manifest) for name in ("label", "boxes")
    ):
        raise ManifestError(
            "no row has a label: the column 'label' is empty or missing, so there is nothing to "
            "give types to"
        )
    rows = _meanings(manifest, "label", chosen)
    if subtypes:
        finer = _meanings(manifest, "subtype", chosen)
        rows = [fine if fine[0] is not None else row for row, fine in zip(rows, finer, strict=True)]
    explicit = {name_key(label) for label in leave_out}
    drop = np.zeros(len(manifest), bool)
    types: list[str | None] = []
    wrong: dict[tuple[str, str], list[int]] = {}
    dropped: dict[str, int] = {}
    for number, (label, name, fault) in enumerate(rows):
        types.append(name)
        if label is None or (name is not None and name_key(label) not in explicit):
            continue
        if name_key(label) in explicit or (drop_left_out and fault == _LEFT_OUT):
            drop[number] = True
            dropped[label] = dropped.get(label, 0) + 1
        else:
            wrong.setdefault((label, fault), []).append(number)
    renamed: list[Any] | None = None
    if boxes:
        renamed = _renamed_boxes(manifest, chosen, drop_left_out, explicit, wrong, dropped)
    if wrong:
        raise ManifestError(_complaint(manifest, taxonomy, wrong))
    columns: dict[str, Any] = {"type": types}
    if renamed is not None:
        columns["boxes"] = renamed
    kept = manifest.with_columns(**columns).take(~drop)
    numbers, names = encoded(kept.table.column("type"))
    counts = np.bincount(numbers[numbers >= 0], minlength=len(names))
    return kept.noted(
        "taxonomy",
        {
            "types": dict(sorted(zip(names.to_pylist(), map(int, counts), strict=True))),
            "without_label": int((numbers < 0).sum()),
            "dropped_rows": int(drop.sum()),
            "dropped_labels": dropped,
        },
        to=taxonomy,
        drop_left_out=drop_left_out,
        leave_out=list(leave_out),
        subtypes=subtypes,
        boxes=boxes,
    )


_LEFT_OUT, _UNKNOWN = "left out on purpose", "unknown"


def _meaning(label: str, dataset: str, taxonomy: Taxonomy) -> tuple[str, str | None, str]:
    """Label, its type, and what is wrong if it has none."""
    try:
        name = taxonomy.type_of(kind_of(label, dataset))
    except UnknownNameError:
        return label, None, _UNKNOWN
    return label, name, _LEFT_OUT if name is None else ""


def _meanings(
    manifest: Manifest, column: str, taxonomy: Taxonomy
) -> list[tuple[str | None, str | None, str]]:
    """A meaning for each row; nothing where the column is null."""
    labels, sets = manifest.column(column), manifest.column("dataset")
    known: dict[tuple[str, str], tuple[str, str | None, str]] = {}
    rows: list[tuple[str | None, str | None, str]] = []
    for label, dataset in zip(labels, sets, strict=True):
        if label is None:
            rows.append((None, None, ""))
            continue
        if (label, dataset) not in known:
            known[label, dataset] = _meaning(label, dataset, taxonomy)
        rows.append(known[label, dataset])
    return rows


def _renamed_boxes(
    manifest: Manifest,
    taxonomy: Taxonomy,
    drop_left_out: bool,
    explicit: set[str],
    wrong: dict[tuple[str, str], list[int]],
    dropped: dict[str, int],
) -> list[Any]:
    """The boxes of every row under the taxonomy's names; adds to ``wrong`` and ``dropped``."""
    rows: list[Any] = []
    sets = manifest.column("dataset")
    for number, boxes in enumerate(manifest.table.column("boxes").to_pylist()):
        kept = []
        for box in boxes or ():
            label, name, fault = _meaning(str(box["label"]), sets[number], taxonomy)
            if name_key(label) in explicit or (drop_left_out and fault == _LEFT_OUT):
                dropped[f"box {label}"] = dropped.get(f"box {label}", 0) + 1
            elif name is None:
                wrong.setdefault((f"box {label}", fault), []).append(number)
            else:
                kept.append({**box, "label": name})
        rows.append(None if boxes is None else kept)
    return rows


def _complaint(
    manifest: Manifest, taxonomy: str, wrong: Mapping[tuple[str, str], Sequence[int]]
) -> str:
    """Every label without a type, with its first row."""
    listed = []
    for (label, fault), rows in sorted(wrong.items()):
        path = manifest.table.column("path")[rows[0]]
        n = f"{len(rows)} rows" if len(rows) > 1 else "1 row"
        listed.append(f"{label!r} ({fault}; {n}, first row {rows[0] + 1}: {path})")
    return (
        f"labels without a type in {taxonomy}: {'; '.join(listed)}. Those left out on purpose go "
        "with --drop-unmapped, any with --leave-out LABEL; or choose another taxonomy"
    )
