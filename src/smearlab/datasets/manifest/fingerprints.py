"""What a generator learned from, in few bytes, so that nobody tests on it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.ties import units
from smearlab.errors import ManifestError

#: Operation of a manifest's provenance that holds fingerprints.
LEARNED = "learned_from"
#: Bytes of a checksum that are kept: with 10,000 on either side one in 3,000,000 meets by chance.
_BYTES = 6


def fingerprints(sums: Iterable[str | None]) -> str:
    """The beginnings of checksums, sorted, as base64.

    Parameters
    ----------
    sums : iterable of str or None
        SHA-256, hexadecimal; None is left out.

    Examples
    --------
    >>> fingerprints(["00" * 32, "ff" * 32, "00" * 32, None])
    'AAAAAAAA////////'
    """
    kept = sorted({bytes.fromhex(one)[:_BYTES] for one in sums if one})
    return base64.b64encode(b"".join(kept)).decode("ascii")


def is_among(sums: Iterable[str | None], told: Sequence[str]) -> NDArray[np.bool_]:
    """Which checksums were learned from.

    Parameters
    ----------
    sums : iterable of str or None
        N of them; None is none that was learned from.
    told : sequence of str
        Of :func:`fingerprints`.

    Returns
    -------
    ndarray of bool, shape (N,)

    Raises
    ------
    ManifestError
        If one is damaged.
    """
    known: set[bytes] = set()
    for text in told:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ManifestError(f"fingerprints of a generator cannot be read: {error}") from error
        known.update(data[n : n + _BYTES] for n in range(0, len(data), _BYTES))
    found = [one is not None and bytes.fromhex(one)[:_BYTES] in known for one in sums]
    return np.array(found, bool)


def told_by(provenance: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Models and their fingerprints, of a table or those that it was merged from.

    Parameters
    ----------
    provenance : sequence of mapping
        Of a manifest.

    Yields
    ------
    tuple of str
        Name of the model, fingerprints.
    """
    for line in provenance:
        arguments = line.get("arguments", {})
        if line.get("operation") == LEARNED:
            yield str(arguments.get("model")), str(arguments.get("fingerprints", ""))
        for one in arguments.get("inputs", ()):
            yield from told_by(one.get("provenance", ()))


def learned_rows(
    manifest: Any, provenance: Sequence[Mapping[str, Any]]
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Real rows that generators learned from, or that are tied to such a row.

    Parameters
    ----------
    manifest : Manifest
    provenance : sequence of mapping
        Of the pictures that the generators made.

    Returns
    -------
    ndarray of bool, shape (N,)
    tuple of str
        Names of the models.
    """
    told = dict.fromkeys(told_by(provenance))
    if not told:
        return np.zeros(len(manifest), bool), ()
    real = ~manifest.column("synthetic").astype(bool)
    known = real & is_among(manifest.column("sha256"), [text for _, text in told])
    tied = units(manifest)
    return real & np.isin(tied, tied[known]), tuple(dict.fromkeys(name for name, _ in told))
