"""Training samples of one element: views of pairs, and the tiles that a training is judged on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.datasets.pair_files import ElementPair
from smearlab.errors import DataError
from smearlab.learn.train.sampling import Sample
from smearlab.learn.transforms.pair_views import (
    PairViewConfig,
    ScaledPair,
    draw_pair_view,
    pair_view,
    scale_pair,
)
from smearlab.segment.blend import blend_corners


@dataclass(frozen=True, eq=False)
class ElementSamples:
    """Views of pairs, each ``per_picture`` times an epoch.

    Parameters
    ----------
    names : sequence of str
        Of the pairs, for messages.
    pairs : sequence of ScaledPair
    config : PairViewConfig
    per_picture : int
        At least 1; the paper makes eight versions of each picture.
    """

    names: Sequence[str]
    pairs: Sequence[ScaledPair]
    config: PairViewConfig = field(default_factory=PairViewConfig)
    per_picture: int = 8

    def __len__(self) -> int:
        return len(self.pairs) * self.per_picture

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """See :class:`smearlab.learn.train.sampling.SampleSource`."""
        return draw_pair_view(self.pairs[index // self.per_picture], self.config, rng)

    def describe(self, index: int) -> str:
        """The picture that a sample is drawn of."""
        return self.names[index // self.per_picture]


@dataclass(frozen=True, eq=False)
class Tiles:
    """Squares of fields, and where the element is in them.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (N, S, S, 3)
    target : ndarray of uint8, shape (N, S, S, 3)
        The pixels where the element is, black elsewhere.
    mask, known : ndarray of bool, shape (N, S, S)
        Where the element is, and where that is claimed.
    """

    pixels: NDArray[np.uint8]
    target: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pixels)


def scaled_pairs(
    pairs: Sequence[Callable[[], ElementPair]], cell_px: float
) -> tuple[list[str], list[ScaledPair]]:
    """Names, and pairs at the network's scale; some are read at a time, scaled and let go of.

    Fields that do not tell how large their red cells are get the median of those that do.

    Parameters
    ----------
    pairs : sequence of callable
        Each reads one.
    cell_px : float
        Wanted diameter of a red cell.

    Raises
    ------
    DataError
        If no field tells.
    """

    def read(reader: Callable[[], ElementPair]) -> tuple[str, float, ScaledPair | None]:
        pair = reader()
        known = math.isfinite(pair.diameter_px)
        return pair.name, pair.diameter_px, scale_pair(pair, cell_px) if known else None

    with ThreadPoolExecutor(usable_cores()) as pool:
        found = list(pool.map(read, pairs))
    diameters = [diameter for _, diameter, _ in found if math.isfinite(diameter)]
    usual = float(np.median(diameters)) if diameters else None
    return [name for name, _, _ in found], [
        scale_pair(reader(), cell_px, usual) if scaled is None else scaled
        for reader, (_, _, scaled) in zip(pairs, found, strict=True)
    ]


def tiles_of(pairs: Sequence[ScaledPair], size: int, overlap: int, most: int) -> Tiles:
    """Tiles that cover fields as they are segmented, or so many of them, evenly spread.

    Parameters
    ----------
    pairs : sequence of ScaledPair
        At least one.
    size, overlap : int
        Side of a tile, and how far neighbours overlap, px.
    most : int
        At least 1.

    Raises
    ------
    DataError
        If there is no pair.
    """
    places = [
        (pair, corner)
        for pair in pairs
        for corner in blend_corners(pair.shown.shape[1], pair.shown.shape[0], size, overlap)
    ]
    if not places:
        raise DataError("there is no picture to judge the training on: give more pictures")
    chosen = np.linspace(0, len(places) - 1, min(most, len(places))).astype(np.intp)
    views = [pair_view(places[n][0], places[n][1], size) for n in chosen]
    stacks = {key: np.stack([view[key] for view in views]) for key in views[0]}
    return Tiles(stacks["pixels"], stacks["target"], stacks["mask"] > 0, stacks["known"] > 0)
