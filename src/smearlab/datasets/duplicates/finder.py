"""Finding the duplicates of a manifest, and writing them into its groups."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from smearlab.datasets.duplicates.candidates import candidate_pairs
from smearlab.datasets.duplicates.fingerprints import Fingerprint, fingerprint
from smearlab.datasets.duplicates.groups import DisjointSets, merged_groups
from smearlab.datasets.duplicates.verification import Likeness, compare
from smearlab.errors import ImageError, UsageError
from smearlab.io.images import read_field
from smearlab.preprocess.opencv_threads import one_opencv_thread

if TYPE_CHECKING:
    from smearlab.datasets.manifest.table import Manifest

Kind = Literal["exact", "near", "overlap"]
#: What a pair can be: the same bytes; an altered copy; two photographs of partly one place.
KINDS: tuple[Kind, ...] = ("exact", "near", "overlap")
#: Detail of copies correlates by more; see benchmarks/duplicates.py for what was measured.
THRESHOLD = 0.75
#: What four fifths of the places must correlate by, each on its own.
EVERYWHERE = 0.45
#: Pictures that share less of the smaller one are not put together.
MIN_OVERLAP = 0.2
#: From this overlap upwards one picture is called an altered copy of the other.
NEAR_OVERLAP = 0.6

_BLOCK = 512
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Pair:
    """Two rows of a manifest that show the same.

    Parameters
    ----------
    first, second : int
        Row numbers from 0, first < second.
    kind : {"exact", "near", "overlap"}
        See :data:`KINDS`.
    similarity : float
        Correlation of their detail where they overlap, up to 1.
    overlap : float
        Share of the smaller picture that the other shows, too, 0 to 1.
    """

    first: int
    second: int
    kind: Kind
    similarity: float = 1.0
    overlap: float = 1.0


@dataclass(frozen=True)
class Duplicates:
    """What was found in a manifest.

    Parameters
    ----------
    pairs : tuple of Pair
        The links that hold the groups together, in the order of the rows. Two pictures of one
        group that others connect already are not compared: a group of n has n − 1 pairs.
    groups : tuple of tuple of int
        Rows that belong together, each group in order; only groups of two and more.
    unreadable : tuple of (int, str)
        Rows whose file cannot be read, with the reason. They are in no group.
    plain : tuple of int
        Rows with too little in the picture to compare; only their exact copies were found.
    settings : dict
        ``threshold`` and ``min_overlap`` as they were used.
    """

    pairs: tuple[Pair, ...]
    groups: tuple[tuple[int, ...], ...]
    unreadable: tuple[tuple[int, str], ...]
    plain: tuple[int, ...]
    settings: dict[str, float]

    def count(self) -> dict[Kind, int]:
        """Number of pairs of each kind."""
        counted = Counter(pair.kind for pair in self.pairs)
        return {kind: counted[kind] for kind in KINDS}


def find_duplicates(
    manifest: Manifest,
    *,
    threshold: float = THRESHOLD,
    min_overlap: float = MIN_OVERLAP,
    threads: int = 2,
    show: bool = True,
) -> Duplicates:
    """Find the pictures of a manifest that show the same cells.

    Found are exact copies, and copies that were compressed anew, rescaled (also differently in x
    and y), turned by any angle, mirrored, cropped, made brighter or darker; and photographs that
    overlap. The result does not depend on ``threads``.

    Parameters
    ----------
    manifest : Manifest
        N rows. Only ``path`` is used; names, labels and groups are not looked at.
    threshold : float
        Least correlation of the fine detail, above 0 and below 1.
    min_overlap : float
        Least share of the smaller picture that both show, above 0 and at most 1.
    threads : int
        How many at once, at least 1.
    show : bool
        Whether to draw a progress bar on the error stream.

    Returns
    -------
    Duplicates
        A file that cannot be read costs that row only.

    Raises
    ------
    UsageError
        If a setting is out of range.
    """
    _check(threshold, min_overlap, threads)
    with _progress(show) as track, ThreadPoolExecutor(threads) as pool:
        prints, unreadable, same = _read(manifest, pool, track("reading", len(manifest)))
        rows = sorted(row for row in prints if not prints[row].is_plain)
        kept = [prints[row] for row in rows]
        proposed = candidate_pairs(kept, advance=track("looking for partners", 1))
        sets = DisjointSets(len(manifest))
        pairs = [Pair(first, row, "exact") for first, row in same]
        for pair in pairs:
            sets.join(pair.first, pair.second)
        advance = track("comparing", len(proposed))
        for start in range(0, len(proposed), _BLOCK):
            block = proposed[start : start + _BLOCK]
            open_pairs = [(i, j) for i, j, _ in block if sets.find(rows[i]) != sets.find(rows[j])]
            likenesses = pool.map(lambda ij: compare(kept[ij[0]], kept[ij[1]]), open_pairs)
            for (i, j), found in zip(open_pairs, likenesses, strict=True):
                alike = found.similarity >= threshold and found.everywhere >= EVERYWHERE
                if alike and found.overlap >= min_overlap and sets.join(rows[i], rows[j]):
                    pairs.append(_pair(rows[i], rows[j], found))
            advance(len(block))
    pairs.sort(key=lambda pair: (pair.first, pair.second))
    return Duplicates(
        pairs=tuple(pairs),
        groups=tuple(tuple(group) for group in sets.members()),
        unreadable=tuple(unreadable),
        plain=tuple(sorted(row for row in prints if prints[row].is_plain)),
        settings={"threshold": threshold, "min_overlap": min_overlap},
    )


def apply(manifest: Manifest, duplicates: Duplicates) -> Manifest:
    """Put the found duplicates into the groups of a manifest.

    Parameters
    ----------
    manifest : Manifest
        The one they were found in.
    duplicates : Duplicates
        Of :func:`find_duplicates`.

    Returns
    -------
    Manifest
        With other values of ``group``, and a line of provenance. Rows that shared a group still
        do; groups that a duplicate connects are one.
    """
    rows = [(pair.first, pair.second) for pair in duplicates.pairs]
    groups = merged_groups(manifest.column("group"), rows, manifest.column("path"))
    changed: dict[str, int] = {
        **{str(kind): n for kind, n in duplicates.count().items()},
        "groups": len(duplicates.groups),
        "unreadable": len(duplicates.unreadable),
    }
    settings = duplicates.settings
    return manifest.with_columns(group=groups).noted(
        "duplicates",
        changed,
        threshold=settings["threshold"],
        min_overlap=settings["min_overlap"],
    )


def _check(threshold: float, min_overlap: float, threads: int) -> None:
    if not 0 < threshold < 1:
        raise UsageError(f"threshold must lie between 0 and 1; received {threshold}")
    if not 0 < min_overlap <= 1:
        raise UsageError(f"min_overlap must lie above 0, and be at most 1; received {min_overlap}")
    if threads < 1:
        raise UsageError(f"threads must be at least 1; received {threads}")


def _read(
    manifest: Manifest, pool: ThreadPoolExecutor, advance: Callable[[float], None]
) -> tuple[dict[int, Fingerprint], list[tuple[int, str]], list[tuple[int, int]]]:
    """Fingerprints of the first row of each content, what failed, and (first, later) rows."""
    files = [manifest.file(path) for path in manifest.column("path")]
    first_of: dict[str, int] = {}
    unreadable: list[tuple[int, str]] = []
    same: list[tuple[int, int]] = []
    # The bytes are read again rather than the manifest's checksum believed, which may be old.
    for row, digest in enumerate(_mapped(pool, _digest, files)):
        if isinstance(digest, ImageError):
            unreadable.append((row, str(digest)))
        elif first_of.setdefault(digest, row) != row:
            same.append((first_of[digest], row))
        advance(0.1)
    firsts = sorted(first_of.values())
    prints: dict[int, Fingerprint] = {}
    failed: dict[int, str] = {}
    for row, found in zip(
        firsts, _mapped(pool, lambda row: _fingerprint(files[row]), firsts), strict=True
    ):
        if isinstance(found, ImageError):
            failed[row] = str(found)
        else:
            prints[row] = found
        advance(0.9)
    unreadable += failed.items()
    unreadable += [(row, failed[first]) for first, row in same if first in failed]
    advance(0.9 * (len(files) - len(firsts)))
    return prints, sorted(unreadable), [pair for pair in same if pair[0] not in failed]


def _digest(file: Any) -> str | ImageError:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or str(error)
        return ImageError(f"{file}: the system cannot read it ({reason}); check the data folder")


def _fingerprint(file: Any) -> Fingerprint | ImageError:
    try:
        return fingerprint(read_field(file).pixels)
    except ImageError as error:
        return error


def _pair(one: int, other: int, found: Likeness) -> Pair:
    kind: Kind = "near" if found.overlap >= NEAR_OVERLAP else "overlap"
    return Pair(min(one, other), max(one, other), kind, found.similarity, found.overlap)


def _mapped(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: list[Item]
) -> Iterator[Result]:
    """Results in order; few are waiting at any time."""
    waiting = iter(items)
    while block := list(islice(waiting, _BLOCK)):
        yield from pool.map(work, block)


@contextlib.contextmanager
def _progress(show: bool) -> Iterator[Callable[[str, float], Callable[[float], None]]]:
    """A bar for each step on the error stream."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with (
        one_opencv_thread(),  # ours are the threads
        Progress(*columns, console=Console(stderr=True), disable=not show) as bar,
    ):

        def track(name: str, total: float) -> Callable[[float], None]:
            task = bar.add_task(name, total=max(total, 1e-9))
            return lambda done: bar.advance(task, done)

        yield track
