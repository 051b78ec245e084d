"""Which pictures may be copies of each other: those whose points have like surroundings.

The nearest surroundings of each point are looked for among those of all other pictures, within
cells of an inverted file, in memory that grows with the number of pictures only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.duplicates.fingerprints import DESCRIPTOR_UNIT, Fingerprint

#: Order of a descriptor's values after a reflection along its direction.
MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1][:, :, (-np.arange(8)) % 8].ravel()
#: Fewer points in common are chance.
MIN_VOTES = 4
#: Most partners that a picture proposes.
MAX_PARTNERS = 12

_DIMENSIONS = 32
_PER_CELL = 512
_CELLS_OF_POINT = 2
_NEIGHBOURS = 4
_FARTHEST = 0.06  # squared, descriptors of length 1
_SAMPLE = 20_000
_ROUNDS = 4
_BLOCK = 4096

Floats = NDArray[np.float32]


def candidate_pairs(
    fingerprints: Sequence[Fingerprint],
    *,
    seed: int = 0,
    advance: Callable[[float], None] | None = None,
) -> NDArray[np.int64]:
    """Propose pairs of pictures.

    Parameters
    ----------
    fingerprints : sequence of Fingerprint
        N of them.
    seed : int
        Of the samples from which axes and cells are learned.
    advance : callable, optional
        Receives the shares of the work as they are done; they sum to 1.

    Returns
    -------
    ndarray of int64, shape (M, 3)
        First and second picture, first < second, and how many points they have in common; most
        points first. M is at most N × :data:`MAX_PARTNERS`.
    """
    say = advance or (lambda share: None)
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(fingerprints)), [len(f.points) for f in fingerprints])
    if len(owner) < 2:
        say(1.0)
        return np.zeros((0, 3), np.int64)
    vectors = _vectors(fingerprints, len(owner), rng)
    centres = _centres(vectors, rng)
    cells = np.empty((len(vectors), min(_CELLS_OF_POINT, len(centres))), np.int32)
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        cells[block] = _nearest_cells(vectors[block], centres, cells.shape[1])
        say(0.5 * len(vectors[block]) / len(vectors))
    votes = _votes(vectors, owner, cells, len(centres), len(fingerprints), say)
    return _best(votes, len(fingerprints), owner)


def _vectors(
    fingerprints: Sequence[Fingerprint], n_points: int, rng: np.random.Generator
) -> Floats:
    """Descriptors along their main axes, the same for a picture and its mirror image."""
    chosen = np.sort(rng.choice(n_points, min(n_points, _SAMPLE), replace=False))
    ends = np.cumsum([len(f.points) for f in fingerprints])
    begins = ends - [len(f.points) for f in fingerprints]
    sample = [
        f.descriptors[chosen[np.searchsorted(chosen, a) : np.searchsorted(chosen, b)] - a]
        for f, a, b in zip(fingerprints, begins, ends, strict=True)
    ]
    unmirrored = _without_hand(np.concatenate(sample))
    mean = unmirrored.mean(axis=0)
    centred = (unmirrored - mean).astype(np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :_DIMENSIONS].astype(np.float32)
    vectors = np.empty((n_points, axes.shape[1]), np.float32)
    for f, a, b in zip(fingerprints, begins, ends, strict=True):
        vectors[a:b] = (_without_hand(f.descriptors) - mean) @ axes
    return vectors


def _without_hand(descriptors: NDArray[np.uint8]) -> Floats:
    """The part that a reflection keeps, and the size of the part whose sign it changes."""
    unit = descriptors.astype(np.float32) / np.float32(DESCRIPTOR_UNIT)
    mirrored = unit[:, MIRRORED]
    both = np.hstack([unit + mirrored, np.abs(unit - mirrored)]) / np.float32(2)
    return np.asarray(both, dtype=np.float32)


def _centres(vectors: Floats, rng: np.random.Generator) -> Floats:
    """Centres of the cells, by a few rounds of k-means on a sample."""
    n_cells = max(1, len(vectors) // _PER_CELL)
    centres = vectors[rng.choice(len(vectors), n_cells, replace=False)].copy()
    sample = vectors[rng.choice(len(vectors), min(len(vectors), 32 * n_cells), replace=False)]
    for _ in range(_ROUNDS):
        nearest = np.concatenate(
            [
                _nearest_cells(sample[start : start + _BLOCK], centres, 1)[:, 0]
                for start in range(0, len(sample), _BLOCK)
            ]
        )
        count = np.bincount(nearest, minlength=n_cells)
        used = count > 0
        for axis in range(sample.shape[1]):
            total = np.bincount(nearest, sample[:, axis], n_cells)
            centres[used, axis] = total[used] / count[used]
    return centres


def _nearest_cells(vectors: Floats, centres: Floats, how_many: int) -> NDArray[np.intp]:
    """Shape (n, how_many), the nearest first."""
    distance = (centres * centres).sum(axis=1) - 2 * vectors @ centres.T
    rows = np.arange(len(vectors))
    found = np.empty((len(vectors), how_many), np.intp)
    for rank in range(how_many):
        found[:, rank] = distance.argmin(axis=1)
        distance[rows, found[:, rank]] = np.inf
    return found


def _votes(
    vectors: Floats,
    owner: NDArray[np.int64],
    cells: NDArray[np.int32],
    n_cells: int,
    n_pictures: int,
    say: Callable[[float], None],
) -> NDArray[np.int64]:
    """Sorted unique ``point × n_pictures + picture``: that point is like one of that picture."""
    order = np.argsort(cells.ravel(), kind="stable")
    begins = np.searchsorted(cells.ravel()[order], np.arange(n_cells + 1))
    members = order // cells.shape[1]
    found = [np.zeros(0, np.int64)]
    for cell in range(n_cells):
        inside = members[begins[cell] : begins[cell + 1]]
        if len(inside) > 1:
            found.append(_votes_within(vectors[inside], inside, owner[inside], n_pictures))
        say(0.5 / n_cells)
    return np.unique(np.concatenate(found))


def _votes_within(
    vectors: Floats, points: NDArray[np.int64], owner: NDArray[np.int64], n_pictures: int
) -> NDArray[np.int64]:
    length = (vectors * vectors).sum(axis=1)
    voted = []
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        distance = length[block, None] + length - 2 * vectors[block] @ vectors.T
        distance[owner[block, None] == owner] = np.inf
        count = min(_NEIGHBOURS, len(vectors) - 1)
        nearest = np.argpartition(distance, count - 1, axis=1)[:, :count]
        row, rank = np.nonzero(np.take_along_axis(distance, nearest, axis=1) < _FARTHEST)
        voted.append(points[block][row] * n_pictures + owner[nearest[row, rank]])
    return np.concatenate(voted)


def _best(votes: NDArray[np.int64], n_pictures: int, owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs with enough votes that are among the best of one of their pictures."""
    one, other = owner[votes // n_pictures], votes % n_pictures
    pairs = np.minimum(one, other) * n_pictures + np.maximum(one, other)
    pairs, count = np.unique(pairs, return_counts=True)
    pairs, count = pairs[count >= MIN_VOTES], count[count >= MIN_VOTES]
    order = np.argsort(-count, kind="stable")
    table = np.stack([pairs // n_pictures, pairs % n_pictures, count], axis=1)[order]
    kept = _rank_within(table[:, 0], table[:, 1], n_pictures) < MAX_PARTNERS
    return np.asarray(table[kept], dtype=np.int64)


def _rank_within(
    first: NDArray[np.int64], second: NDArray[np.int64], n_pictures: int
) -> NDArray[np.int64]:
    """For pairs in order, the better of their places in the lists of their two pictures."""
    both = np.stack([first, second], axis=1).ravel()
    order = np.argsort(both, kind="stable")
    begins = np.searchsorted(both[order], np.arange(n_pictures))
    rank = np.empty(len(both), np.int64)
    rank[order] = np.arange(len(both)) - begins[both[order]]
    return np.asarray(rank.reshape(-1, 2).min(axis=1))
