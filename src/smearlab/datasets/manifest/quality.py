"""Pictures that nobody should learn from: listed with a reason, nothing deleted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.adapters.base import element_masks
from smearlab.datasets.manifest.burnt_in import burnt_in_marks
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import AnnotationError, ImageError, UsageError
from smearlab.evaluation.reference_masks import read_mask
from smearlab.io.image_formats import SUFFIXES, identify
from smearlab.io.images import read_field

#: Reason → what it means.
REASONS: Mapping[str, str] = {
    "missing": "there is no such file",
    "unreadable": "it cannot be decoded",
    "wrong-suffix": "its bytes are of another format than its name says",
    "blank": "nothing stands out in it",
    "changed-size": "it is not of the size that the manifest says",
    "outlier-size": "its size is unlike that of its dataset",
    "burnt-in-mark": "an arrow, a scale bar, a pointer or a letter is drawn into it",
    "mask": "its mask is missing, unreadable or of another size",
}
#: Grey levels between the 1st and 99th percentile of a picture with something in it. Of the 3,534
#: real fields and whole cells looked at, the emptiest has 60.
BLANK_BELOW = 16
#: A size is an outlier beyond so many robust deviations (1.4826 MAD) of log area or log aspect
#: from the median of its dataset; a deviation is at least that of a tenth more or less.
OUTLIER_DEVIATIONS = 6.0
_LEAST_DEVIATION = float(np.log(1.1))
#: … unless more than this share of the dataset is of about that size: TXL-PBC has four sizes.
_RARE = 0.02
#: Datasets of fewer pictures have no usual size.
_ENOUGH = 10


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong with one row.

    Parameters
    ----------
    row : int
        From 1.
    path, dataset : str
    reason : str
        One of :data:`REASONS`.
    detail : str
        What was found.
    """

    row: int
    path: str
    dataset: str
    reason: str
    detail: str


def _nothing() -> None:
    """Progress that nobody watches."""


def find_flaws(
    manifest: Manifest,
    *,
    skip: Sequence[str] = (),
    threads: int = 1,
    advance: Callable[[], None] = _nothing,
) -> tuple[Flaw, ...]:
    """Look at every file of a manifest.

    Parameters
    ----------
    manifest : Manifest
    skip : sequence of str
        Reasons to leave out.
    threads : int
        At least 1. The result does not depend on it.
    advance : callable
        Called after every row, from one thread.

    Returns
    -------
    tuple of Flaw
        By row; a row may have several.

    Raises
    ------
    UsageError
        If a reason is unknown, or there are no threads.
    """
    for reason in skip:
        if reason not in REASONS:
            raise UsageError(f"reasons are {', '.join(REASONS)}; received {reason!r}")
    if threads < 1:
        raise UsageError(f"threads must be at least 1; received {threads}")
    columns = ("path", "mask", "width_px", "height_px")
    rows = manifest.table.select(columns).to_pylist()
    found: list[list[tuple[str, str]]] = []
    sizes = np.full((len(rows), 2), np.nan)
    with ThreadPoolExecutor(threads) as pool:
        try:
            looks = pool.map(lambda row: _looked_at(manifest, row, skip), rows)
            for number, (faults, size) in enumerate(looks):
                found.append(faults)
                sizes[number] = size or (np.nan, np.nan)
                advance()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    datasets = manifest.column("dataset")
    if "outlier-size" not in skip:
        for number, detail in _outliers(sizes, datasets).items():
            found[number].append(("outlier-size", detail))
    return tuple(
        Flaw(number + 1, rows[number]["path"], str(datasets[number]), reason, detail)
        for number, faults in enumerate(found)
        for reason, detail in faults
    )


def without_flaws(
    manifest: Manifest,
    *,
    skip: Sequence[str] = (),
    threads: int = 1,
    advance: Callable[[], None] = _nothing,
) -> tuple[Manifest, tuple[Flaw, ...]]:
    """The rows without a flaw, and the flaws of the others; see :func:`find_flaws`.

    Returns
    -------
    Manifest
        What stays; the provenance counts rows by reason.
    tuple of Flaw
    """
    flaws = find_flaws(manifest, skip=skip, threads=threads, advance=advance)
    keep = np.ones(len(manifest), bool)
    keep[[flaw.row - 1 for flaw in flaws]] = False
    reasons = [flaw.reason for flaw in flaws]
    changed = {
        "left_out_rows": int((~keep).sum()),
        "reasons": {name: reasons.count(name) for name in REASONS if name in reasons},
    }
    return manifest.take(keep).noted("quality", changed, skip=list(skip)), flaws


def _looked_at(
    manifest: Manifest, row: Mapping[str, Any], skip: Sequence[str]
) -> tuple[list[tuple[str, str]], tuple[int, int] | None]:
    """What is wrong with one picture, and its width and height where it can be read."""
    path = manifest.file(row["path"])
    if not path.is_file():
        return [("missing", f"{path} is not there")] * ("missing" not in skip), None
    try:
        field = read_field(path)
    except ImageError as error:
        return [("unreadable", _short(error, path))] * ("unreadable" not in skip), None
    faults = []
    with path.open("rb") as file:
        kind = identify(file.read(16))
    if kind is not None and path.suffix.lower() not in SUFFIXES[kind]:
        faults.append(("wrong-suffix", f"{kind} data in a file named {path.suffix!r}"))
    low, high = np.percentile(field.pixels.mean(axis=2), [1, 99])
    if high - low < BLANK_BELOW:
        faults.append(("blank", f"grey levels from {low:.0f} to {high:.0f}"))
    size = (field.width_px, field.height_px)
    said = (row["width_px"], row["height_px"])
    if None not in said and said != size:
        faults.append(("changed-size", f"{_by(size)}, the manifest says {_by(said)}"))
    if "burnt-in-mark" not in skip and (marks := burnt_in_marks(field.pixels)):
        mark = marks[0]
        faults.append(
            (
                "burnt-in-mark",
                f"{len(marks)}; colour {mark.colour}, {mark.area_px} px² at {mark.bbox}",
            )
        )
    if row["mask"] is not None and "mask" not in skip:
        faults += _mask_faults(manifest, row["mask"], size)
    return [fault for fault in faults if fault[0] not in skip], size


def _mask_faults(manifest: Manifest, mask: str, size: tuple[int, int]) -> list[tuple[str, str]]:
    """What is wrong with a mask, or with the first wrong one of several elements."""
    for path in element_masks(manifest.root, mask).values() or (manifest.file(mask),):
        name = path.relative_to(manifest.root).as_posix()
        if not path.is_file():
            return [("mask", f"{name} is not there")]
        try:
            height, width = read_mask(path).shape
        except AnnotationError as error:
            return [("mask", _short(error, path))]
        if (width, height) != size:
            return [("mask", f"{name} is {_by((width, height))}, the picture {_by(size)}")]
    return []


def _outliers(sizes: NDArray[np.float64], datasets: NDArray[Any]) -> dict[int, str]:
    """Rows whose size is unlike that of their dataset, and how."""
    found = {}
    logs = np.log(sizes)
    figures = np.stack([logs.sum(axis=1), logs[:, 0] - logs[:, 1]], axis=1)
    for name in sorted(set(datasets)):
        rows = np.flatnonzero((datasets == name) & ~np.isnan(sizes[:, 0]))
        if rows.size < _ENOUGH:
            continue
        middle = np.median(figures[rows], axis=0)
        away = np.abs(figures[rows] - middle)
        scale = np.maximum(1.4826 * np.median(away, axis=0), _LEAST_DEVIATION)
        usual = np.median(sizes[rows], axis=0)
        for size in np.unique(
            figures[rows[(away > OUTLIER_DEVIATIONS * scale).any(axis=1)]], axis=0
        ):
            alike = rows[(np.abs(figures[rows] - size) < _LEAST_DEVIATION).all(axis=1)]
            if alike.size <= max(1, _RARE * rows.size):
                for row in rows[(figures[rows] == size).all(axis=1)]:
                    found[int(row)] = f"{_by(sizes[row])}; half of {name} is around {_by(usual)}"
    return found


def _by(size: Sequence[Any] | NDArray[Any]) -> str:
    return f"{size[0]:.0f} x {size[1]:.0f} px"


def _short(error: Exception, path: os.PathLike[str]) -> str:
    """The message without the name, which the list has anyway."""
    return str(error).removeprefix(f"{os.fspath(path)}: ")
