"""Sharing rows out among parts: units whole, every class in its ideal share.

Large units come first, to the part that lacks their classes most; moves and swaps repair what
is left over; units of one row fill the gaps exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Repair: units a part that may be moved, those looked at in a round; rounds, and pairs of parts
#: looked at, in all.
_POOL, _CANDIDATES, _ROUNDS, _PAIRS = 512, 96, 3000, 20_000
#: Rounds without a change, where each looks at other units, before it counts as settled.
_MISSES = 5
#: Where no more assignments than this are possible, all are looked at if the count is a row off.
_ALL, _ALL_NUMBERS = 20_000, 4_000_000
#: Weight of the size of a part beside that of a class in it.
_TOTAL = 0.25
_CLOSE = 1e-9
#: Decimals that choices look at: sums differ in the last ones from machine to machine.
_DIGITS = 6

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who went where.

    Parameters
    ----------
    parts : ndarray of int64, shape (N,)
        Part of every row, from 0.
    counts, ideal : ndarray, shape (C, P)
        Rows of a class in a part, and what its share would be.
    """

    parts: Ints
    counts: Ints
    ideal: Floats

    @property
    def worst(self) -> float:
        """Rows by which a class in a part is off its ideal at most."""
        return float(np.abs(self.counts - self.ideal).max(initial=0.0))


def allocate(
    units: Ints,
    classes: Ints,
    shares: Floats,
    rng: np.random.Generator,
    fixed: Ints | None = None,
) -> Allocation:
    """Share rows out.

    Parameters
    ----------
    units : ndarray of int64, shape (N,)
        Number of each row's unit, from 0; rows of one unit go to one part.
    classes : ndarray of int64, shape (N,)
        Class of each row, from 0.
    shares : ndarray of float64, shape (P,)
        Positive; sum to 1.
    rng : Generator
        Which units go where, among those that serve equally.
    fixed : ndarray of int64, shape (N,), optional
        Part of the rows that are bound to one, else -1. Rows of a unit agree.

    Returns
    -------
    Allocation
        If all units have one row and none is bound, every count lies within one of its ideal. So
        it does with larger units if they allow that and are few; otherwise nearly always.
    """
    n_classes = int(classes.max(initial=-1)) + 1
    ideal = np.bincount(classes, minlength=n_classes)[:, None] * shares
    parts = np.full(units.size, -1, np.int64) if fixed is None else fixed.copy()
    free = np.flatnonzero(parts < 0)
    rows_of = np.bincount(units[free], minlength=1)
    several = rows_of[units[free]] > 1
    large, alone = free[several], free[~several]
    of_unit = (np.cumsum(rows_of > 1) - 1)[units[large]]
    n_large = int((rows_of > 1).sum())
    flat = of_unit * n_classes + classes[large]
    held = np.bincount(flat, minlength=n_large * n_classes).reshape(n_large, n_classes)
    counts = _table(classes, parts, n_classes, shares.size)
    spare = np.bincount(classes[alone], minlength=n_classes)
    parts[large] = _place(
        _with_total(held.T).T,
        _with_total(ideal),
        _with_total(counts),
        _with_total(spare),
        shares,
        rng,
    )[of_unit]

    counts = _table(classes, parts, n_classes, shares.size)
    _fill(parts, alone, classes, ideal - counts, rng)
    done = Allocation(parts, _table(classes, parts, n_classes, shares.size), ideal)
    if done.worst < 1 or not free.size:
        return done
    return _best_of_all(done, units, classes, free)


def _best_of_all(done: Allocation, units: Ints, classes: Ints, free: Ints) -> Allocation:
    """The best there is, if there are few enough units to look at every assignment.

    Parts that ``done`` fills are not left empty.
    """
    n_classes, n_parts = done.ideal.shape
    names, unit = np.unique(units[free], return_inverse=True)
    n = names.size
    if n * np.log(n_parts) > np.log(min(_ALL, _ALL_NUMBERS / done.ideal.size)):
        return done
    held = np.zeros((n, n_classes), np.int64)
    np.add.at(held, (unit, classes[free]), 1)
    where = np.indices((n_parts,) * n).reshape(n, -1).T  # (A, U): the part of each unit
    bound = np.ones(len(done.parts), bool)
    bound[free] = False
    fixed = _table(classes[bound], done.parts[bound], n_classes, n_parts)
    excess = np.stack([(where == part) @ held for part in range(n_parts)], axis=2)
    excess = excess + fixed - done.ideal  # (A, C, P)
    filled = (excess + done.ideal > 0.5).any(axis=1).sum(axis=1)
    usable = filled >= (done.counts.sum(axis=0) > 0).sum()
    worst = np.round(np.abs(excess).max(axis=(1, 2)), _DIGITS)
    squares = (excess**2).sum(axis=(1, 2)) + _TOTAL * (excess.sum(axis=1) ** 2).sum(axis=1)
    chosen = np.lexsort((np.round(squares, _DIGITS), worst, ~usable))[0]
    parts = done.parts.copy()
    parts[free] = where[chosen][unit]
    return Allocation(parts, _table(classes, parts, n_classes, n_parts), done.ideal)


def _table(classes: Ints, parts: Ints, n_classes: int, n_parts: int) -> Ints:
    """Rows of each class in each part, shape (C, P); those without a part left out."""
    placed = parts >= 0
    flat = classes[placed] * n_parts + parts[placed]
    return np.bincount(flat, minlength=n_classes * n_parts).reshape(n_classes, n_parts)


def _with_total(table: Ints | Floats) -> Floats:
    """All classes together as one more, of less weight: parts shall have their sizes, too."""
    return np.concatenate([table, _TOTAL * table.sum(axis=0, keepdims=True)])


def _place(
    held: Floats,
    ideal: Floats,
    fixed: Floats,
    spare: Floats,
    shares: Floats,
    rng: np.random.Generator,
) -> Ints:
    """A part for each unit of several rows; ``held`` is (U, C), rows of each class in a unit.

    ``ideal`` and ``fixed`` are (C, P), ``spare`` (C,): units of one row that come later.
    """
    parts = np.full(len(held), -1, np.int64)
    if not len(held):
        return parts
    order = rng.permutation(len(held))
    # A random sum tells compositions apart far faster than comparing rows.
    sums = held[:, :-1].astype(np.int64) @ rng.integers(2**40, size=held.shape[1] - 1)
    kind = np.unique(sums[order], return_inverse=True)[1]
    # Units of one composition are exchangeable: each part gets its whole share of them at once.
    rest = np.maximum(0.0, (ideal - fixed).sum(axis=0))
    shares = rest / rest.sum() if fixed.any() and rest.sum() > 0 else shares
    sure = np.floor(np.bincount(kind)[:, None] * shares + _CLOSE).astype(np.int64)
    by_kind = np.argsort(kind, kind="stable")
    starts = np.cumsum(np.bincount(kind)) - np.bincount(kind)
    place = np.empty(len(held), np.int64)
    place[by_kind] = np.arange(len(held)) - starts[kind[by_kind]]
    parts[order] = (place[:, None] >= np.cumsum(sure, axis=1)[kind]).sum(axis=1)
    parts[parts == shares.size] = -1

    of_large = (held.sum(axis=0) + fixed.sum(axis=1)) / np.maximum(1.0, ideal.sum(axis=1))
    lacking = ideal * of_large[:, None] - fixed
    for part in range(shares.size):
        lacking[:, part] -= held[parts == part].sum(axis=0)
    left = order[parts[order] < 0]
    left = left[np.argsort(-held[left].sum(axis=1), kind="stable")]
    for unit in left:
        part = int(np.argmax(np.round(held[unit] @ lacking, _DIGITS)))
        parts[unit] = part
        lacking[:, part] -= held[unit]
    # Classes that units of one row can put right need no repair.
    stiff = spare * shares.min() < 2 * np.abs(lacking).max(axis=1) + held.max(axis=0)
    if np.abs(lacking[stiff]).max(initial=0) > 0.5:
        _repair(parts, held[:, stiff], -lacking[stiff], rng)
    return parts


def _repair(parts: Ints, held: Floats, excess: Floats, rng: np.random.Generator) -> None:
    """Move and swap units while that brings the classes nearer to their ideals, in place.

    Where no single change helps and a class is a row or more off, it goes on with other units;
    where there are no others, some are thrown about, and the better of both is kept.
    """
    pool = _drawn(parts, excess.shape[1], rng)
    rounds = min(_ROUNDS, 20 + 5 * pool.size, _PAIRS // excess.shape[1] ** 2)
    rounds = _descend(pool, parts, held, excess, rng, rounds)
    while rounds and _off(excess)[0] >= 1:
        if pool.size < len(parts):
            pool = _drawn(parts, excess.shape[1], rng)
            rounds = _descend(pool, parts, held, excess, rng, rounds)
            continue
        best, before = parts.copy(), excess.copy()
        for unit in rng.choice(pool, min(3, pool.size), replace=False):
            _move(int(unit), int(rng.integers(excess.shape[1])), parts, held, excess)
        rounds = _descend(pool, parts, held, excess, rng, rounds)
        if _off(excess) > _off(before):
            parts[:], excess[:] = best, before


def _drawn(parts: Ints, n_parts: int, rng: np.random.Generator) -> Ints:
    """Some units of every part."""
    mixed = rng.permutation(len(parts))
    return np.concatenate([mixed[parts[mixed] == part][:_POOL] for part in range(n_parts)])


def _off(excess: Floats) -> tuple[float, float]:
    """How bad it is: by the worst class and part, then by all."""
    return round(float(np.abs(excess).max()), _DIGITS), round(float((excess**2).sum()), _DIGITS)


def _move(unit: int, to: int, parts: Ints, held: Floats, excess: Floats) -> None:
    excess[:, parts[unit]] -= held[unit]
    excess[:, to] += held[unit]
    parts[unit] = to


def _descend(
    pool: Ints, parts: Ints, held: Floats, excess: Floats, rng: np.random.Generator, rounds: int
) -> int:
    """Take the best change until there is none; gives the rounds that are left."""
    misses = 0
    for left in range(rounds, 0, -1):
        if np.abs(excess).max() <= 0.5:
            return left
        members = [pool[parts[pool] == part] for part in range(excess.shape[1])]
        many = max(here.size for here in members) > _CANDIDATES
        members = [rng.permutation(here)[:_CANDIDATES] for here in members]
        worst = int(np.abs(excess).max(axis=0).argmax())
        others = [part for part in range(excess.shape[1]) if part != worst]
        first = [(worst, part) for part in others]
        change = _best_change(first, members, held, excess)
        if not change:
            change = _best_change([*itertools.combinations(others, 2)], members, held, excess)
        for unit, to in change:
            _move(unit, to, parts, held, excess)
        misses = 0 if change else misses + 1
        if misses and (not many or misses == _MISSES):
            return left - 1
    return 0


def _best_change(
    pairs: Sequence[tuple[int, int]], members: Sequence[Ints], held: Floats, excess: Floats
) -> list[tuple[int, int]]:
    """The move or swap between two parts that lowers the sum of squared excesses most.

    Moving v from a to b changes that sum by 2 v·(e_b − e_a) + 2 |v|².
    """
    best, change = -_CLOSE, list[tuple[int, int]]()
    for a, b in pairs:
        ours, theirs = members[a], members[b]
        u, v = held[ours], held[theirs]
        towards = 2 * (excess[:, b] - excess[:, a])
        there = np.round(u @ towards + 2 * (u**2).sum(axis=1), _DIGITS)
        back = np.round(2 * (v**2).sum(axis=1) - v @ towards, _DIGITS)
        if there.size and there.min() < best:
            best, change = float(there.min()), [(int(ours[there.argmin()]), b)]
        if back.size and back.min() < best:
            best, change = float(back.min()), [(int(theirs[back.argmin()]), a)]
        if there.size and back.size:
            swaps = np.round(there[:, None] + back - 4 * (u @ v.T), _DIGITS)
            if swaps.min() < best:
                i, j = np.unravel_index(int(swaps.argmin()), swaps.shape)
                best, change = float(swaps.min()), [(int(ours[i]), b), (int(theirs[j]), a)]
    return change


def _fill(
    parts: Ints, alone: Ints, classes: Ints, lacking: Floats, rng: np.random.Generator
) -> None:
    """Give the units of one row to the parts that lack their class, in place."""
    shuffled = rng.permutation(alone)
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    sizes = np.bincount(classes[alone], minlength=len(lacking))
    total = np.zeros(lacking.shape[1])
    stop = np.cumsum(sizes)
    for number, n in enumerate(sizes):
        if n:
            given = _whole(_nearest(lacking[number], int(n)), int(n), total)
            total += lacking[number] - given
            parts[by_class[stop[number] - n : stop[number]]] = np.repeat(
                np.arange(given.size), given
            )


def _nearest(wanted: Floats, total: int) -> Floats:
    """The nearest point with no negative part and this sum (projection on a simplex)."""
    down = np.sort(wanted)[::-1]
    levels = (np.cumsum(down) - total) / np.arange(1, down.size + 1)
    level = levels[np.flatnonzero(down > levels)[-1]]
    return np.asarray(np.maximum(0.0, wanted - level))


def _whole(wanted: Floats, total: int, debt: Floats) -> Ints:
    """Each rounded up or down so that the sum holds; up where most is owed from before."""
    given = np.floor(wanted + _CLOSE).astype(np.int64)
    short = total - int(given.sum())
    owed = np.where(wanted - given > _CLOSE, debt + wanted - given, -np.inf)
    given[np.argsort(-owed, kind="stable")[:short]] += 1
    return given
