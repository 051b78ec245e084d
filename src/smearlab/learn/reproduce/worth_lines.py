"""Lines of a record about generated pictures: what was reported beside what was obtained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smearlab.evaluation.reproductions import Line
from smearlab.learn.reproduce.made_pictures import Worth

#: Figure of a verification → its name in tables, and digits.
_DISTANCES = {
    "fid": ("FID", 2), "kid": ("KID", 4), "inception_score": ("IS", 2),
    "precision": ("precision of the distribution", 3), "recall": ("recall of the distribution", 3),
}  # fmt: skip
_PARTNERS = {"psnr": ("PSNR", 1.0, 2), "ssim": ("SSIM", 1.0, 3), "l1": ("L1", 100.0, 2),
             "l2": ("L2", 100.0, 2)}  # fmt: skip
_ANSWERS = {
    "accuracy": "accuracy", "macro_precision": "precision", "macro_recall": "recall",
    "macro_f1": "F1",
}  # fmt: skip
_HOUR_S = 3600.0
#: What holds of all these figures.
SAID = (
    "FID, IS and KID are by the features and classes of the blood-cell network that ships, which "
    "has seen PBC; the reported ones by Inception-v3: they are compared between recipes here, not "
    "with the papers'",
    "a generated picture has no partner: PSNR, SSIM, L1 and L2 are with the nearest real training "
    "picture by pixels; the thesis does not say with what",
    "LPIPS is of the features of the blood-cell network, over pairs of a type",
)


def distance_lines(
    worth: Worth, told: Mapping[str, float], where: str, *, by_type: bool = False
) -> Iterator[Line]:
    """Distances from real pictures, diversity, likeness to the nearest, and copies.

    Parameters
    ----------
    worth : Worth
        Its checks ``figures`` and ``neighbours`` are made.
    told : mapping of str to float
        Reported figures by their names in tables.
    where : str
        Where they are reported.
    by_type : bool
        Whether FID and LPIPS of each type follow.
    """
    figures = worth.checks["figures"]
    whole = figures["parts"]["all"]
    n = int(whole["n_synthetic"])
    for key, (name, digits) in _DISTANCES.items():
        found = whole["figures"].get(key)
        if found:
            yield _line(worth.name, name, found, n, told, where, digits)
    apart = figures["diversity"]["lpips"]
    if apart:
        found = apart["synthetic"]["within"]
        yield _line(worth.name, "LPIPS", found, int(found["n"]), told, where, 3)
    if by_type:
        yield from _of_types(worth.name, figures)
    near = worth.checks["neighbours"]["spaces"]
    for key, (name, by, digits) in _PARTNERS.items():
        found = near["pixels"]["partners"].get(key)
        if found:
            n_pairs = int(near["pixels"]["n_synthetic"])
            yield _line(worth.name, name, found, n_pairs, told, where, digits, by)
    for space, of in near.items():
        copied = {"value": of["rate"], "interval": of["interval"]}
        yield _line(worth.name, f"memorised, by {space}", copied, of["n_synthetic"], told, where, 3)


def _of_types(name: str, figures: Mapping[str, Any]) -> Iterator[Line]:
    """FID and LPIPS of each type."""
    apart = figures["diversity"]["lpips"]
    for kind, part in figures["parts"].items():
        if kind == "all":
            continue
        row, found = f"{name}, {kind}", part["figures"].get("fid")
        if found:
            yield _line(row, "FID", found, int(part["n_synthetic"]), {}, "", 2)
        of_type = apart and apart["synthetic"]["types"].get(kind)
        if of_type:
            yield _line(row, "LPIPS", of_type, int(of_type["n"]), {}, "", 3)


def help_lines(worth: Worth) -> Iterator[Line]:
    """Accuracy and its gain by each share of made pictures, and cosines; of checks that were made.

    Parameters
    ----------
    worth : Worth
    """
    for arm in worth.checks.get("added", {"arms": ()})["arms"]:
        row = f"{worth.name}, {100 * arm['share']:.0f} % added"
        for key, name in (("accuracy", "accuracy"), ("gain", "gain of accuracy")):
            one = arm[key]
            low, high = one["interval"] or (None, None)
            yield Line(row, name, None, "", one["value"], low, high, one["n"], of="seeds")
    for space, of in worth.checks.get("cosine", {"spaces": {}})["spaces"].items():
        for kind, one in of["types"].items():
            row = f"{worth.name}, {kind}, by {space}"
            n = int(one["n_synthetic"])
            yield _line(row, "difference of cosines", one["difference"], n, {}, "", 4)


def answer_lines(
    row: str, found: Mapping[str, Any], told: Mapping[str, float], where: str
) -> Iterator[Line]:
    """Accuracy with interval, and means over the types.

    Parameters
    ----------
    row : str
        Who answered what.
    found : mapping
        Of :func:`smearlab.evaluation.answer_figures.answer_figures`, made plain.
    told, where
        See :func:`distance_lines`.
    """
    for key, name in _ANSWERS.items():
        one = {"value": found[key], "interval": found["intervals"].get(key)}
        yield _line(row, name, one, int(found["n"]), told, where, 4)


def training_lines(worth: Worth, told: Mapping[str, float], where: str) -> Iterator[Line]:
    """Hours of all its trainings, and parameters of all networks of one."""
    hours = {"value": worth.seconds / _HOUR_S, "interval": None}
    yield _line(worth.name, "training, hours", hours, None, told, where, 2)
    networks = worth.runs[0].summary.networks
    size = {"value": sum(one["trainable"] for one in networks.values()), "interval": None}
    yield _line(worth.name, "parameters", size, None, told, where, 0)


def _line(
    row: str,
    name: str,
    found: Mapping[str, Any],
    n: int | None,
    told: Mapping[str, float],
    where: str,
    digits: int,
    by: float = 1.0,
) -> Line:
    low, high = found["interval"] or (None, None)
    value, low, high = (None if one is None else by * one for one in (found["value"], low, high))
    reported = told.get(name)
    place = where if reported is not None else ""
    return Line(row, name, reported, place, value, low, high, n, digits=digits)
