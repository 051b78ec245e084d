"""What ``smearlab verify`` found, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smearlab.evaluation.grids import UNDEFINED, Grid, count, number, percent
from smearlab.evaluation.run_grids import confusion_grid

_LABELS = {
    "fid": "FID (Fréchet distance)",
    "kid": "KID × 1000 (kernel distance)",
    "inception_score": "inception score",
    "psi": "PSI (feature distance of drawn pairs of a type)",
    "wasserstein_sliced": "Wasserstein distance, sliced",
    "wasserstein_feature": "Wasserstein distance, mean of features",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
_OF_TYPES = ("fid", "kid", "precision", "recall", "density", "coverage")
_HEADS = {"fid": "FID", "kid": "KID × 1000"}
_FACTORS = {"kid": 1000.0}
_DIGITS = {"fid": 3, "kid": 3, "psi": 3}


def verification_grids(whole: Mapping[str, Any]) -> dict[str, list[Grid]]:
    """All tables by the check that they belong to; of checks that were not made there are none.

    Parameters
    ----------
    whole : mapping
        Of :func:`smearlab.learn.verification.run.verify`.
    """
    makers = {
        "figures": figures_grids,
        "neighbours": neighbours_grids,
        "cosine": cosine_grids,
        "real-on-synthetic": real_on_synthetic_grids,
        "synthetic-on-real": synthetic_on_real_grids,
        "added": added_grids,
        "balanced": balanced_grids,
    }
    checks = whole["checks"]
    return {name: make(checks[name]) for name, make in makers.items() if name in checks}


def figures_grids(result: Mapping[str, Any]) -> list[Grid]:
    """Figures of all pictures, of each type, and the diversity."""
    everything = result["parts"]["all"]
    rows = [
        (_LABELS[name], _figure(name, one), _figure(name, one, "real"), _deviation(name, one))
        for name, one in everything["figures"].items()
    ]
    bound = result["classes_of_network"]
    note = (
        f"Features: {result['features']}, {result['dimensions']} of them. Compared with "
        f"{count(everything['n_real'])} real training pictures: {count(everything['n_synthetic'])} "
        f"synthetic ones, and {count(everything['n_beside'])} other real ones, which tell what "
        "can be reached."
    )
    if bound:
        note += f" The inception score lies between 1 and {bound}, the classes of this network."
    heads = ("", "synthetic (95 %)", "other real pictures", "deviation between parts")
    grids = [Grid("Distances from real training pictures", heads, tuple(rows), note)]
    types = [name for name in result["parts"] if name != "all"]
    of_types = [
        (
            name,
            f"{count(part['n_real'])} / {count(part['n_synthetic'])}",
            *(_figure(key, part["figures"][key]) for key in _OF_TYPES),
        )
        for name, part in ((name, result["parts"][name]) for name in types)
    ]
    heads_of_types = ("type", "n real / synthetic", *(_HEADS.get(key, key) for key in _OF_TYPES))
    said: dict[str, list[str]] = {}
    for name in types:
        for note in result["parts"][name]["notes"]:
            said.setdefault(note.partition(" pictures ")[2], []).append(name)
    notes = [f"{', '.join(names)}: pictures {note}" for note, names in said.items()]
    grids.append(Grid("By type", heads_of_types, tuple(of_types), "; ".join(notes)))
    return [*grids, *_diversity(result["diversity"])]


def _figure(name: str, one: Mapping[str, Any], key: str = "value") -> str:
    value, by = one[key], _FACTORS.get(name, 1.0)
    if value is None:
        return UNDEFINED
    ends = one["interval"] if key == "value" else (None, None)
    return number(by * value, [None if e is None else by * e for e in ends], _DIGITS.get(name, 3))


def _deviation(name: str, one: Mapping[str, Any]) -> str:
    value = one["deviation"]
    return "" if value is None else number(_FACTORS.get(name, 1.0) * value, None, 3)


def _diversity(result: Mapping[str, Any]) -> list[Grid]:
    """Mean distance and mean likeness of pairs, of real and of synthetic pictures."""
    shown = [(name, result[name]) for name in ("lpips", "ms_ssim") if result[name]]
    if not shown:
        return []
    heads, rows = ["pairs"], []
    for name, _ in shown:
        word = "LPIPS" if name == "lpips" else "MS-SSIM"
        heads += [f"{word}, real", f"{word}, synthetic"]
    first = shown[0][1]["synthetic"]
    for part in [*first["types"], "within", "across"]:
        cells = []
        for _, one in shown:
            for origin in ("real", "synthetic"):
                of = one[origin]
                found = of[part] if part in ("within", "across") else of["types"].get(part)
                cells.append(number(found["value"], found["interval"], 3) if found else UNDEFINED)
        label = {"within": "all within a type", "across": "across types"}.get(part, part)
        rows.append((label, *cells))
    note = (
        "A collapsed generator makes pictures of a type alike: LPIPS far below that of real ones,"
    )
    note += " MS-SSIM far above."
    if result["lpips"]:
        note += f" LPIPS is {result['lpips']['network']}."
    if result["ms_ssim"]:
        note += f" MS-SSIM over {result['ms_ssim']['scales']} scales."
    return [Grid("Diversity: mean over pairs", tuple(heads), tuple(rows), note)]


def neighbours_grids(result: Mapping[str, Any]) -> list[Grid]:
    """How many synthetic pictures are nearer to a training picture than real ones are."""
    rows = []
    for space, one in result["spaces"].items():
        rows.append(
            (
                space,
                percent(one["rate"], one["interval"]),
                percent(one["quantile"]),
                number(one["median"], None, 3),
                number(one["median_held_out"], None, 3),
                " / ".join(count(one[key]) for key in ("n_synthetic", "n_train", "n_held_out")),
            )
        )
    heads = (
        "compared by", "memorised % (95 %)", "expected %", "median distance, synthetic",
        "median, other real", "n synthetic / training / other real",
    )  # fmt: skip
    note = (
        "Memorised: nearer to a real training picture than the given share of other real pictures "
        f"is. Features: {result['network']}."
    )
    whole = Grid("Nearest real training pictures", heads, tuple(rows), note)
    return [whole, _partners(result["spaces"])]


def _partners(spaces: Mapping[str, Any]) -> Grid:
    """Likeness to the nearest pictures, by what names them."""
    told = {"psnr": "PSNR, dB", "ssim": "SSIM", "l1": "L1 %", "l2": "L2 %"}
    rows = []
    for space, one in spaces.items():
        cells = []
        for name in told:
            found, by = one["partners"].get(name), 100.0 if name in ("l1", "l2") else 1.0
            if found is None or found["value"] is None:
                cells.append(UNDEFINED)
                continue
            ends = [None if end is None else by * end for end in found["interval"]]
            cells.append(number(by * found["value"], ends, 3 if name == "ssim" else 2))
        rows.append((space, *cells))
    note = "A made picture has no partner; means over all with the nearest training picture."
    return Grid("Beside the nearest picture", ("nearest by", *told.values()), tuple(rows), note)


def cosine_grids(result: Mapping[str, Any]) -> list[Grid]:
    """A table of each space."""
    told = result["reported"]["difference"]
    grids = []
    for space, found in result["spaces"].items():
        rows = []
        for name, one in found["types"].items():
            cells = [
                number(one[key]["value"], one[key]["interval"], 3) for key in ("real", "synthetic")
            ]
            difference = percent(one["difference"]["value"], one["difference"]["interval"])
            reported = percent(told[name]) if name in told else UNDEFINED
            n = f"{count(one['n_real'])} / {count(one['n_synthetic'])}"
            rows.append((name, n, *cells, difference, reported))
        rows.append(("mean", "", "", "", percent(found["mean_difference"]), "5.00"))
        heads = (
            "type", "n real / synthetic", "real with real", "real with synthetic",
            "difference, points", "reported",
        )  # fmt: skip
        note = f"{result['reported']['where']}, which does not say what was compared."
        if space == "features":
            note += f" Features: {result['network']}."
        grids.append(Grid(f"Cosine similarity of {space}", heads, tuple(rows), note))
    return grids


def real_on_synthetic_grids(result: Mapping[str, Any]) -> list[Grid]:
    """The network trained on real pictures."""
    return [
        _answers(
            "Synthetic pictures, answered by a network trained on real ones", result["synthetic"]
        ),
        _confusion(result["synthetic"]),
        _answers("The same network on real test pictures", result["real"]),
    ]


def synthetic_on_real_grids(result: Mapping[str, Any]) -> list[Grid]:
    """The network trained on synthetic pictures."""
    return [
        _answers(
            "Real test pictures, answered by a network trained on synthetic ones", result["real"]
        ),
        _confusion(result["real"]),
    ]


def _answers(title: str, one: Mapping[str, Any]) -> Grid:
    rows = [
        (
            name,
            count(of["n"]),
            *(percent(of[key], of["intervals"][key]) for key in ("recall", "precision", "f1")),
        )
        for name, of in one["types"].items()
    ]
    means = ("accuracy", "macro_precision", "macro_f1")
    whole = (
        "all",
        count(one["n"]),
        *(percent(one[key], one["intervals"][key]) for key in means),
    )
    heads = ("type", "n", "right % (95 %)", "precision % (95 %)", "F1 % (95 %)")
    note = "Of all: accuracy, and means over the types."
    return Grid(title, heads, (*rows, whole), note)


def _confusion(one: Mapping[str, Any]) -> Grid:
    """Who was taken for whom; answers that are no type have columns where they occur."""
    found = one["confusion"]
    labels, matrix = [*found["labels"], *found["others"]], found["matrix"]
    known = len(found["labels"])
    kept = [n for n in range(len(labels)) if n < known or any(row[n] for row in matrix)]
    square = [[row[n] for n in kept] for row in matrix]
    square += [[0] * len(kept)] * (len(kept) - known)
    grid = confusion_grid({"confusion": {"labels": [labels[n] for n in kept], "matrix": square}})
    return Grid(grid.title, grid.columns, grid.rows[:known])


def added_grids(result: Mapping[str, Any]) -> list[Grid]:
    """Accuracy and recall over the share of synthetic pictures."""
    arms = result["arms"]
    rows = [
        (
            f"{one['share']:.0%}",
            f"{count(one['n_real'])} + {count(one['n_synthetic'])}",
            count(one["steps"]),
            str(one["accuracy"]["n"]),
            percent(one["accuracy"]["value"], one["accuracy"]["interval"]),
            percent(one["balanced_accuracy"]["value"], one["balanced_accuracy"]["interval"]),
            percent(one["gain"]["value"], one["gain"]["interval"]) if one["share"] else "",
        )
        for one in arms
    ]
    heads = (
        "synthetic added", "training pictures", "steps", "seeds", "accuracy %",
        "balanced accuracy %", "gain, points",
    )  # fmt: skip
    short = [one for one in arms if one["n_synthetic"] < one["n_wanted"] - len(one["recall"])]
    note = (
        f"{result['network']}, {count(result['n_test'])} real test pictures in "
        f"{count(result['n_groups'])} groups. Mean over seeds with Student interval; gain against "
        "the same seed without."
    )
    if short:
        few = ", ".join(f"{one['share']:.0%}" for one in short)
        note += f" There were too few synthetic pictures for {few}."
    types = list(arms[0]["recall"])
    of_types = [
        (
            f"{one['share']:.0%}",
            *(
                percent(one["recall"][name]["value"], one["recall"][name]["interval"])
                for name in types
            ),
        )
        for one in arms
    ]
    return [
        Grid("Real test pictures, with synthetic ones added in training", heads, tuple(rows), note),
        Grid("Recall % of each type", ("synthetic added", *types), tuple(of_types)),
    ]


def balanced_grids(result: Mapping[str, Any]) -> list[Grid]:
    """Recall of each type without, by a weighted loss, and with synthetic ones of the rarer."""
    arms = result["arms"]
    filled = arms[-1]
    rows = []
    for name in filled["recall"]:
        of = result["filled"].get(name)
        found = [arm["recall"][name] for arm in arms]
        found += [filled["recall_gain"][name], filled["over_weighted"][name]]
        numbers = f"{count(of['real'])} + {count(of['synthetic'])}" if of else ""
        rows.append((name, numbers, *(percent(one["value"], one["interval"]) for one in found)))
    for label, key in (("accuracy", "accuracy"), ("balanced accuracy", "balanced_accuracy")):
        found = [arm[key] for arm in arms] + ([filled["gain"]] if key == "accuracy" else [])
        told = [percent(one["value"], one["interval"]) for one in found]
        rows.append((label, "", *told, *[""] * (5 - len(told))))
    heads = (
        "recall of", "real + synthetic", "without %", "weighted loss %", "with %", "gain, points",
        "over weighted loss, points",
    )  # fmt: skip
    note = (
        f"{result['network']}, {count(result['n_test'])} real test pictures in "
        f"{count(result['n_groups'])} groups; types filled up to {count(result['level'])} training "
        f"pictures. Mean over {filled['accuracy']['n']} seeds with Student interval; gain against "
        "the same seed without. Weighted loss: real pictures alone, each type by the inverse of "
        "its number."
    )
    return [Grid("Rarer types filled up with synthetic pictures", heads, tuple(rows), note)]


def score_grids(result: Mapping[str, Any]) -> list[Grid]:
    """How an expert answered a blind test.

    Parameters
    ----------
    result : mapping
        Of :func:`smearlab.evaluation.blind_test.score`, made plain.
    """
    rows = []
    for origin, one in result["types"].items():
        accuracy = percent(one["accuracy"], one["intervals"]["accuracy"])
        rows.append((f"type of {origin} cells", count(one["n"]), accuracy))
    origin, fooled = result["origin"], result["taken_for_real"]
    rows += [
        (
            "real or made",
            count(origin["n"]),
            percent(origin["accuracy"], origin["intervals"]["accuracy"]),
        ),
        (
            "synthetic cells held for real",
            count(fooled["n"]),
            percent(fooled["value"], fooled["interval"]),
        ),
    ]
    told = result["reported"]
    note = (
        f"{result['n_answered']} of {result['n']} cells typed; others count as wrong. Intervals: "
        f"Clopper–Pearson. Reported for types: {percent(told['accuracy'])} of {told['n']} "
        f"({told['where']}). By chance real or made is told in 50 %."
    )
    return [
        Grid(f"Blind test {result['test']}", ("", "n", "right % (95 %)"), tuple(rows), note),
        _confusion(result["types"]["all"]),
        _confusion(origin),
    ]
