"""Tables of a pipeline from sources to a classifier: stages, pictures, plans, figures, ablation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smearlab.evaluation.grids import UNDEFINED, Grid, count, duration, percent
from smearlab.evaluation.run_grids import confusion_grid

#: Facts that stand in a table of their own, or tell nothing to a reader.
_ELSEWHERE = ("digest", "named", "parts", "types", "plan", "normalised", "all", "sources", "models",
              "made", "figures", "run", "shared", "warnings", "seconds")  # fmt: skip


#: Figures of a type that the ablation shows.
_MEANS = ("accuracy", "macro_recall", "macro_specificity", "macro_precision", "macro_f1")
_OF_TYPES = {"accuracy": "Accuracy", "recall": "Sensitivity", "specificity": "Specificity"}


def pipeline_grids(whole: Mapping[str, Any], name: str = "") -> dict[str, list[Grid]]:
    """Section → tables of one run.

    Parameters
    ----------
    whole : mapping
        Of :func:`smearlab.learn.workflow.hazra.run_hazra`.
    name : str
        Of the run: what it leaves out.
    """
    run = whole["runs"][name]
    facts = {one["name"]: one["facts"] for one in run["stages"]}
    found = {"data": [_sources(facts)], "plan": [_plan(facts)]}
    found["evaluation"] = [
        _types(run["evaluation"]["all"]),
        *([_origins(run["evaluation"])] if len(run["evaluation"]["sources"]) > 1 else []),
        confusion_grid(run["evaluation"]["all"]),
    ]
    return {**found, "stages": [_stages(run)]}


def ablation_grids(whole: Mapping[str, Any]) -> list[Grid]:
    """What each module does to accuracy, and to each type; reported figures beside."""
    told = whole["reported"]["accuracy"]
    rows = []
    for name, run in whole["runs"].items():
        one = run["evaluation"]["all"]
        reported = told.get(name)
        rows.append(
            (
                ", ".join(run["without"]) or "nothing",
                _of(one, "accuracy"),
                _of(one, "macro_recall"),
                _of(one, "macro_specificity"),
                UNDEFINED if reported is None else percent(reported),
                count(one["n"]),
            )
        )
    heads = ("left out", "accuracy %", "sensitivity %", "specificity %", "reported accuracy %", "n")
    note = (
        f"Reported: {whole['reported']['where']}, of other pictures. Sensitivity and specificity "
        "are means over the types. Where one generator is left out, the other makes its types. "
        "Intervals resample source groups; one training each, so small differences may be chance."
    )
    grids = [Grid("Without each module", heads, tuple(rows), note)]
    return [*grids, *(_of_types(whole["runs"], *one) for one in _OF_TYPES.items())]


def _of_types(runs: Mapping[str, Any], key: str, label: str) -> Grid:
    """A figure of each type in each run."""
    found = [run["evaluation"]["all"]["types"] for run in runs.values()]
    rows = [
        (kind, *(_of(of[kind], key) if kind in of else UNDEFINED for of in found))
        for kind in found[0]
    ]
    heads = ("type", *(", ".join(run["without"]) or "nothing" for run in runs.values()))
    return Grid(f"{label} % of each type, without", heads, tuple(rows))


def _of(found: Mapping[str, Any], key: str) -> str:
    """A figure with its interval."""
    return percent(found[key], found["intervals"].get(key))


def _sources(facts: Mapping[str, Any]) -> Grid:
    """Training, validation and test pictures of each type and source, and what is normalised."""
    parts = facts["split"]["parts"]
    a, b = facts["split"]["named"]
    chosen = facts.get("normalised", {}).get("normalised", {})
    kinds = sorted({kind for of in parts.values() for one in of.values() for kind in one})
    rows = []
    for kind in kinds:
        cells = [
            " / ".join(str(parts[part][name].get(kind, 0)) for part in ("train", "val", "test"))
            for name in (a, b)
        ]
        rows.append((kind, *cells, chosen.get(kind, UNDEFINED)))
    heads = ("type", f"{a}: train / val / test", f"{b}: train / val / test", "normalised")
    note = "Normalised: the source whose pictures get the other's stain."
    return Grid("Pictures of both sources", heads, tuple(rows), note)


def _plan(facts: Mapping[str, Any]) -> Grid:
    rows = [
        (
            one["type"],
            count(one["real"]),
            count(one["to_make"]) if one["to_make"] else "",
            one["generator"].replace("_", " ") if one["to_make"] else "",
        )
        for one in facts["plan"]["plan"]
    ]
    heads = ("type", "real training pictures", "synthetic", "made by")
    note = "Synthetic pictures are in the training part only."
    return Grid("What is synthesised", heads, tuple(rows), note)


def _types(one: Mapping[str, Any]) -> Grid:
    rows = [
        (
            kind,
            count(of["n"]),
            *(_of(of, key) for key in (*_OF_TYPES, "precision", "f1")),
        )
        for kind, of in one["types"].items()
    ]
    whole = (
        "all",
        count(one["n"]),
        *(_of(one, key) for key in _MEANS),
    )
    heads = ("type", "n", "accuracy %", "sensitivity %", "specificity %", "precision %", "F1 %")
    note = (
        "Real test pictures. Accuracy of a type: told from all others. Of all: accuracy over the "
        "pictures, the rest means over the types."
    )
    return Grid("The classifier on test pictures", heads, (*rows, whole), note)


def _origins(evaluation: Mapping[str, Any]) -> Grid:
    rows = [
        (
            name,
            count(one["n"]),
            _of(one, "accuracy"),
            _of(one, "macro_recall"),
        )
        for name, one in evaluation["sources"].items()
    ]
    heads = ("source", "n", "accuracy %", "sensitivity %")
    return Grid("By source", heads, tuple(rows), "Sensitivity: mean over the types that it shows.")


def _stages(run: Mapping[str, Any]) -> Grid:
    rows = []
    for one in run["stages"]:
        facts = one["facts"]
        said = [
            f"{key} {value}"
            for key, value in facts.items()
            if key not in _ELSEWHERE and isinstance(value, (int, str))
        ]
        kept = "as before" if one["kept"] else duration(one["seconds"])
        rows.append((one["name"], one["folder"], ", ".join(said), kept))
    heads = ("stage", "folder", "result", "time")
    return Grid("Stages", heads, tuple(rows), n_words=3)
