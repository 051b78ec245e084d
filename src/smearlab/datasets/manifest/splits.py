"""Splits that cannot leak: rows that are tied stay together, classes keep their shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.allocation import Allocation, allocate
from smearlab.datasets.manifest.schema import SCHEMA
from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.manifest.ties import encoded, units
from smearlab.errors import ManifestError, UsageError

PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Shares:
    """Which share of the rows goes where.

    Parameters
    ----------
    train, val, test : float
        At least 0, train above it; sum to 1.

    Raises
    ------
    UsageError
        If they do not.

    Examples
    --------
    >>> Shares.parse("80/10/10").test
    0.1
    >>> Shares.parse("70/30", val_of_train=10)
    Shares(train=0.63, val=0.07, test=0.3)
    """

    train: float
    val: float
    test: float

    def __post_init__(self) -> None:
        values = (self.train, self.val, self.test)
        if not (all(0 <= v <= 1 for v in values) and self.train > 0):
            raise UsageError(f"shares must lie in 0 to 1, train above 0; received {values}")
        if not math.isclose(sum(values), 1, abs_tol=1e-6):
            raise UsageError(f"shares must sum to 1; received {values}, sum {sum(values):g}")

    @classmethod
    def parse(cls, text: str, val_of_train: float = 0.0) -> Shares:
        """Read percents: ``TRAIN/VAL/TEST``, or ``TRAIN/TEST``.

        Parameters
        ----------
        text : str
            E.g. ``"70/10/20"`` or ``"70/30"``.
        val_of_train : float
            Percent of the training part that validates, with ``TRAIN/TEST`` only.

        Raises
        ------
        UsageError
            If it cannot be read, or does not sum to 100.
        """
        try:
            numbers = [float(piece) / 100 for piece in text.split("/")]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 3):
            raise UsageError(
                f"shares are percents with strokes between, e.g. 70/10/20; received {text!r}"
            )
        if len(numbers) == 3:
            if val_of_train:
                raise UsageError(f"{text} names a validation share; leave val-of-train out")
            return cls(*numbers)
        if not 0 <= val_of_train < 100:
            raise UsageError(f"val-of-train is a percent below 100; received {val_of_train:g}")
        val = round(numbers[0] * val_of_train / 100, 9)
        return cls(round(numbers[0] - val, 9), val, numbers[1])


def hold_out(
    manifest: Manifest, shares: Shares, *, seed: int = 0, by: Sequence[str] = ("type",)
) -> Manifest:
    """Write train, val or test into every row.

    Tied rows (:func:`smearlab.datasets.manifest.ties.units`) get one part. The real rows of
    every class lie within one of their share wherever units allow; synthetic rows, and what is
    tied to them, are training rows and count for nothing.

    Parameters
    ----------
    manifest : Manifest
    shares : Shares
    seed : int
        Same seed, same rows, same split.
    by : sequence of str
        Columns that make the classes; null is a class, too.

    Returns
    -------
    Manifest
        With ``split``; the provenance holds the counts and ``worst_rows_off``.

    Raises
    ------
    UsageError
        If there is no such column.
    ManifestError
        If there are no rows.
    """
    names = [p for p in PARTS if getattr(shares, p) > 0]
    fractions = np.array([getattr(shares, name) for name in names])
    parts, done = _drawn(manifest, fractions, seed, by, bound=0)
    changed = _said(done, names, manifest, parts >= 0, by)
    return manifest.with_columns(split=np.array(names, object)[parts]).noted(
        "split",
        changed,
        shares={name: getattr(shares, name) for name in PARTS},
        seed=seed,
        by=list(by),
    )


def k_fold(
    manifest: Manifest, folds: int, *, seed: int = 0, by: Sequence[str] = ("type",)
) -> Manifest:
    """Write a fold, from 0, into every row that may be tested.

    Synthetic rows, and what is tied to them, get none: they train in every fold. Otherwise as
    :func:`hold_out`.

    Parameters
    ----------
    manifest : Manifest
    folds : int
        At least 2.
    seed : int
    by : sequence of str

    Returns
    -------
    Manifest
        With ``fold``.

    Raises
    ------
    UsageError
        If there are fewer than 2 folds, fewer units than folds, a fold that stays empty, or no
        such column.
    ManifestError
        If there are no rows.
    """
    if folds < 2:
        raise UsageError(f"there must be at least 2 folds; received {folds}")
    parts, done = _drawn(manifest, np.full(folds, 1 / folds), seed, by, bound=None)
    if np.unique(parts[parts >= 0]).size < folds:
        raise UsageError(f"the groups are too uneven for {folds} folds: one stays empty")
    changed = _said(done, [str(fold) for fold in range(folds)], manifest, parts >= 0, by)
    column = np.where(parts >= 0, parts, 0).astype(np.int16)
    return manifest.with_columns(fold=np.ma.masked_array(column, parts < 0)).noted(
        "folds", changed, folds=folds, seed=seed, by=list(by)
    )


def _drawn(
    manifest: Manifest,
    fractions: NDArray[np.float64],
    seed: int,
    by: Sequence[str],
    bound: int | None,
) -> tuple[NDArray[np.int64], Allocation]:
    """A part for each row, -1 for none; ``bound`` is where synthetic rows go."""
    if not len(manifest):
        raise ManifestError("the manifest has no rows; there is nothing to split")
    tied = units(manifest)
    synthetic = manifest.column("synthetic").astype(bool)
    held = np.isin(tied, tied[synthetic])
    counted = ~synthetic if bound is not None else ~held
    if bound is None and (n := np.unique(tied[counted]).size) < fractions.size:
        raise UsageError(f"{fractions.size} folds need as many groups of real rows; there are {n}")
    fixed = np.where(held, 0 if bound is None else bound, -1)
    done = allocate(
        tied[counted],
        classes_of(manifest, by)[0][counted],
        fractions,
        np.random.default_rng(seed),
        fixed[counted],
    )
    parts = np.full(len(manifest), -1 if bound is None else bound, np.int64)
    parts[counted] = done.parts
    return parts, done


def classes_of(manifest: Manifest, by: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """A class number for each row, and the classes' names; ``?`` stands for null.

    Raises
    ------
    UsageError
        If a column is unknown, or none that makes classes.
    """
    allowed = [n for n in SCHEMA.names if n not in ("boxes", "um_per_px", "path", "sha256")]
    codes = np.zeros(len(manifest), np.int64)
    names = [""]
    for column in by:
        if column not in allowed:
            raise UsageError(f"classes are made of {', '.join(allowed)}; received {column!r}")
        numbers, values = encoded(manifest.table.column(column))
        texts = [*map(str, values.to_pylist()), "?"]
        both = codes * len(texts) + np.where(numbers < 0, len(texts) - 1, numbers)
        present, codes = np.unique(both, return_inverse=True)
        names = [
            f"{names[one // len(texts)]}/{texts[one % len(texts)]}".lstrip("/") for one in present
        ]
    return codes, names


def _said(
    done: Allocation,
    parts: Sequence[str],
    manifest: Manifest,
    placed: NDArray[np.bool_],
    by: Sequence[str],
) -> dict[str, Any]:
    """What the provenance keeps of a split."""
    names = classes_of(manifest, by)[1]
    counts = {
        name: dict(zip(parts, map(int, row), strict=True))
        for name, row in zip(names, done.counts, strict=False)
    }
    return {
        "counts": counts,
        "worst_rows_off": round(done.worst, 3),
        "without_part": int((~placed).sum()),
    }
