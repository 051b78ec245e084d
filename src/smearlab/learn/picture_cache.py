"""Decoded pictures kept in memory: small networks train faster than pictures are decoded."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from smearlab.learn.transforms.picture_views import Prepared

_BLOCK = 256


class PictureCache:
    """Prepared pictures up to a number of bytes; what comes later is decoded when it is drawn.

    A picture is the same whether it comes from here or from its file, so a run does not depend on
    how many fit. Worker processes share what was kept before they were started.

    Parameters
    ----------
    limit_bytes : int
        Pixels that are kept at most; 0 keeps nothing.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes, self.n_bytes = limit_bytes, 0
        self._kept: dict[Hashable, Prepared] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Prepared | None:
        """The picture, or None if it is not kept."""
        return self._kept.get(key)

    def fill(
        self,
        keys: Iterable[Hashable],
        prepare: Callable[[int], Prepared],
        threads: int = 2,
        advance: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Decode pictures and keep them until no more fit.

        Parameters
        ----------
        keys : iterable of hashable
            One a picture, in the order of their numbers.
        prepare : callable
            Decodes the picture of a number; called from several threads.
        threads : int
            How many at a time.
        advance : callable
            Told how many were looked at, after every few.
        """
        wanted = iter([(n, key) for n, key in enumerate(keys) if key not in self._kept])
        with ThreadPoolExecutor(threads) as pool:
            while self.n_bytes < self.limit_bytes and (block := list(islice(wanted, _BLOCK))):
                for (_, key), picture in zip(
                    block, pool.map(prepare, [n for n, _ in block]), strict=True
                ):
                    self._keep(key, picture)
                advance(len(block))

    def _keep(self, key: Hashable, picture: Prepared) -> None:
        if self.n_bytes + picture.pixels.nbytes <= self.limit_bytes:
            # A copy: the part that views show would hold on to the whole picture.
            self._kept[key] = Prepared(np.array(picture.pixels), picture.window)
            self.n_bytes += picture.pixels.nbytes
