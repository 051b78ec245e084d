"""Fewer pictures of each type: for a trial, or for what takes long a picture."""

from __future__ import annotations

import numpy as np

from smearlab.datasets.manifest.splits import classes_of
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import UsageError


def sampled(manifest: Manifest, at_most: int, *, by: str = "type", seed: int = 0) -> Manifest:
    """Draw rows of each type.

    Parameters
    ----------
    manifest : Manifest
    at_most : int
        Rows of each type; types with fewer keep all.
    by : str
        Column whose values are the types; rows without a value are a type of their own.
    seed : int
        The same seed draws the same rows from the same table.

    Returns
    -------
    Manifest
        In the order of the given one. The provenance counts rows of each
        type and what was left out.

    Raises
    ------
    UsageError
        If ``at_most`` is not positive, or there is no such column.
    """
    if at_most < 1:
        raise UsageError(f"a sample has at least 1 row of each type; received {at_most}")
    numbers, names = classes_of(manifest, [by])
    keep = np.zeros(len(manifest), bool)
    rng = np.random.default_rng(seed)
    for number in range(len(names)):
        rows = np.flatnonzero(numbers == number)
        keep[rng.permutation(rows)[:at_most]] = True
    counts = np.bincount(numbers[keep], minlength=len(names))
    return manifest.take(keep).noted(
        "sample",
        {
            "rows": dict(zip(names, counts.tolist(), strict=True)),
            "left_out_rows": int((~keep).sum()),
        },
        at_most=at_most,
        by=by,
        seed=seed,
    )
