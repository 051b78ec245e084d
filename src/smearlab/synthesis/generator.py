"""A trained generator as the bench has it: a type and an index in, a picture out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import in_order
from smearlab.errors import UsageError
from smearlab.io.bundles import Bundle, bundle_of_run
from smearlab.registry import look_up
from smearlab.synthesis.latents import between, draw_latents

#: Latents and types in, pictures out.
Answer = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.uint8]]
#: Pictures that go through the network together.
BLOCK = 16


@dataclass(frozen=True)
class End:
    """One end of an interpolation.

    Parameters
    ----------
    type : str
    index : int
        Of the picture, from 0.
    """

    type: str
    index: int


def refuse_standstill(start: End, end: End) -> None:
    """Refuse a way from a picture to itself.

    Raises
    ------
    UsageError
        If both ends are one picture.
    """
    if start == end:
        raise UsageError(
            f"both ends are picture {start.index} of {start.type}; name another index or type"
        )


@dataclass(frozen=True, eq=False)
class Generator:
    """Makes pictures of single cells.

    Parameters
    ----------
    name, sha256 : str
        Of the model.
    types : tuple of str
        What it can be asked for.
    latent_size, size_px : int
        Numbers of a latent; side of a picture.
    card : mapping
        Whatever else is known of it: ``data``, ``metrics`` and so on.
    answer : callable
        The network: latents ``(N, Z)`` and types ``(N, K)``, float32, to pictures
        ``(N, S, S, 3)``, uint8. Called from several threads where there are some.
    threads : int
        Blocks of pictures that :meth:`generate` computes side by side.
    """

    name: str
    sha256: str
    types: tuple[str, ...]
    latent_size: int
    size_px: int
    card: Mapping[str, Any]
    answer: Answer
    threads: int = 1

    @classmethod
    def load(cls, model: str | Path, threads: int = 1) -> Generator:
        """Open a bundle, or that of a run.

        Parameters
        ----------
        model : str or Path
            See :func:`smearlab.io.bundles.bundle_of_run`.
        threads : int
            Blocks of pictures that are computed side by side, each by one thread: that takes less
            time than several threads on one block, and no picture hangs on their number.

        Raises
        ------
        BundleError
            If it is no sound bundle of a generator.
        UsageError
            If it is a run without a bundle.
        """
        bundle = Bundle(bundle_of_run("generator", str(model)), "generator")
        card = bundle.card

        def answer(latent: NDArray[np.float32], types: NDArray[np.float32]) -> NDArray[np.uint8]:
            """Run the network."""
            return np.asarray(bundle.run(latent=latent, types=types)["pixels"], np.uint8)

        names, sizes = tuple(card["classes"]), (card["latent_size"], card["size_px"])
        return cls(bundle.name, bundle.sha256, names, *sizes, card, answer, threads)

    def generate(
        self, kind: str, n: int, seed: int, truncation: float | None = None, start: int = 0
    ) -> Iterator[NDArray[np.uint8]]:
        """Pictures of a type, one by one.

        Parameters
        ----------
        kind : str
            One of ``types``.
        n : int
            How many.
        seed : int
            The same seed gives the same pictures.
        truncation : float, optional
            See :func:`smearlab.synthesis.latents.draw_latents`.
        start : int
            Index of the first.

        Yields
        ------
        ndarray of uint8, shape (S, S, 3)
            The picture of an index is the same, to the byte, whatever ``n`` and ``start`` are.

        Raises
        ------
        UnknownNameError
            If the generator does not make this type.
        UsageError
            If ``n``, ``start`` or ``seed`` is below 0, or the truncation not above 0.
        """
        if n < 0 or start < 0:
            raise UsageError(f"n and start must be at least 0; received {n} and {start}")
        types = np.repeat(self.one_hot(kind)[None], BLOCK, axis=0)
        first = start // BLOCK
        blocks = _side_by_side(
            lambda block: self._block(kind, block, seed, truncation, types),
            range(first, -(-(start + n) // BLOCK)),
            self.threads,
        )
        skipped = start - first * BLOCK
        return islice(chain.from_iterable(blocks), skipped, skipped + n)

    def _block(
        self,
        kind: str,
        block: int,
        seed: int,
        truncation: float | None,
        types: NDArray[np.float32],
    ) -> NDArray[np.uint8]:
        """Neighbours that are always computed together: rounding may hang on a place in a batch."""
        indices = range(block * BLOCK, (block + 1) * BLOCK)
        return self.answer(draw_latents(kind, indices, seed, self.latent_size, truncation), types)

    def one_hot(self, kind: str) -> NDArray[np.float32]:
        """A type as the network takes it, shape (K,).

        Raises
        ------
        UnknownNameError
            If the generator does not make it.
        """
        places = {name: place for place, name in enumerate(self.types)}
        vector = np.zeros(len(self.types), np.float32)
        vector[look_up(f"type of generator {self.name}", places, kind)] = 1
        return vector

    def interpolate(
        self, start: End, end: End, steps: int, seed: int, truncation: float | None = None
    ) -> NDArray[np.uint8]:
        """Pictures on the way from one to another.

        Parameters
        ----------
        start, end : End
            Of one type, or of two that this generator makes.
        steps : int
            Pictures, at least 2, both ends included.
        seed : int
        truncation : float, optional

        Returns
        -------
        ndarray of uint8, shape (steps, S, S, 3)
            Latents go along a circle, types in a straight line.

        Raises
        ------
        UnknownNameError
            If the generator does not make one of the types.
        UsageError
            If both ends are one picture, or there are fewer than 2 steps.
        """
        refuse_standstill(start, end)
        of_start, of_end = (
            draw_latents(one.type, [one.index], seed, self.latent_size, truncation)[0]
            for one in (start, end)
        )
        t = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
        types = (1 - t) * self.one_hot(start.type) + t * self.one_hot(end.type)
        return self.answer(between(of_start, of_end, steps), types)


def _side_by_side(
    work: Callable[[int], NDArray[np.uint8]], numbers: Iterable[int], threads: int
) -> Iterator[NDArray[np.uint8]]:
    """Results in order, no more than one a thread waiting to be taken."""
    if threads == 1:
        yield from map(work, numbers)
        return
    pool = ThreadPoolExecutor(threads)
    try:
        yield from in_order(pool, work, numbers, threads)
    finally:  # whoever has enough leaves the rest
        pool.shutdown(cancel_futures=True)
