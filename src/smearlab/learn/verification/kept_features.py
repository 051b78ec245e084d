"""Features of pictures, kept in a file: of a picture they are computed once."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.picture_features import TypedFeatures
from smearlab.io.atomic import write_bytes
from smearlab.learn.verification.pictures import LoadedPictures

Array = NDArray[np.float64]
#: Pictures after which the file is written: so many at most are looked at twice.
_WRITE_EVERY = 512


class KeptFeatures:
    """Features of a network, by the pictures' contents.

    Parameters
    ----------
    folder : Path
        Gets a file for the network; one that cannot be read is written anew.
    network : TypedFeatures
        Its name tells it from others, weights included.
    """

    def __init__(self, folder: Path, network: TypedFeatures) -> None:
        self._network = network
        self._place = folder / f"{_short(network.name.encode())}.npz"

    def both(self, pictures: LoadedPictures) -> tuple[Array, Array]:
        """Features ``(N, D)`` and probabilities ``(N, K)``."""
        names = [_short(one.tobytes()) for one in pictures.pixels]
        known, *kept = self._read()
        there = set(known)
        fresh = list(dict.fromkeys(name for name in names if name not in there))
        first = {name: n for n, name in reversed(list(enumerate(names)))}
        for n in range(0, len(fresh), _WRITE_EVERY):
            some = fresh[n : n + _WRITE_EVERY]
            found = self._network.both(pictures.pixels[[first[name] for name in some]])
            kept = (
                [np.concatenate(two) for two in zip(kept, found, strict=True)] if kept else [*found]
            )
            known = [*known, *some]
            self._write(known, *kept)
        where = {name: n for n, name in enumerate(known)}
        rows = [where[name] for name in names]
        return kept[0][rows], kept[1][rows]

    def _read(self) -> list[Any]:
        try:
            with np.load(self._place, allow_pickle=False) as there:
                return [there["names"].tolist(), there["features"], there["answers"]]
        except (OSError, ValueError, KeyError):
            return [[]]

    def _write(self, names: list[str], features: Array, answers: Array) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, names=np.array(names), features=features, answers=answers)
        self._place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(self._place, buffer.getvalue())


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]
