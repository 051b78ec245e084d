"""The blind test of paper C (check 4): an expert types cells without knowing which are made.

The key is a file of its own. What the expert gets, a page or a sheet, has numbers and pictures
only; the answers come back as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import DataError, UnknownNameError
from smearlab.evaluation.answer_figures import answer_figures
from smearlab.io.atomic import write_text
from smearlab.metrics.intervals import clopper_pearson

ORIGINS = ("real", "synthetic")
#: In the place of a type that the expert does not give.
NO_ANSWER = "no answer"
KEY = "key.json"


@dataclass(frozen=True)
class BlindCell:
    """One picture of the test.

    Parameters
    ----------
    number : int
        From 1, as page and sheet show it.
    type : str
        True type, or the one that was asked of the generator.
    origin : {"real", "synthetic"}
    path, group : str
        The picture in its manifest; what it shares with others.
    """

    number: int
    type: str
    origin: str
    path: str
    group: str


@dataclass(frozen=True)
class BlindKey:
    """What the expert must not see.

    Parameters
    ----------
    test : str
        Tells this test from others; answers carry it, too.
    types : tuple of str
        That may be answered.
    cells : tuple of BlindCell
        In the order of their numbers.
    """

    test: str
    types: tuple[str, ...]
    cells: tuple[BlindCell, ...]

    def save(self, path: Path) -> None:
        """Write ``key.json``."""
        write_text(path, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> BlindKey:
        """Read it again.

        Raises
        ------
        DataError
            If it is not there, or no key.
        """
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            cells = tuple(BlindCell(**one) for one in kept["cells"])
            return cls(str(kept["test"]), tuple(kept["types"]), cells)
        except FileNotFoundError:
            raise DataError(
                f"{path} does not exist: name the key that smearlab verify wrote beside the test"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is no key of a blind test: {error!r}") from error


@dataclass(frozen=True, eq=False)
class Drawn:
    """A test: its key, and which picture is which cell.

    Parameters
    ----------
    key : BlindKey
    rows : tuple of (str, int)
        Origin and number of the row of each cell, in their order.
    """

    key: BlindKey
    rows: tuple[tuple[str, int], ...]


def draw_blind_test(
    real: Mapping[str, NDArray[np.str_]],
    synthetic: Mapping[str, NDArray[np.str_]],
    each: int,
    seed: int,
) -> Drawn:
    """Draw pictures of each type and origin, and shuffle them.

    Parameters
    ----------
    real, synthetic : mapping of str to ndarray of str, each of shape (N,)
        ``types``, ``paths`` and ``groups`` of the pictures. Of a group of real ones, one picture
        is drawn as long as there are others.
    each : int
        Pictures of each type and origin; fewer where there are not so many.
    seed : int

    Returns
    -------
    Drawn
    """
    rng = np.random.default_rng([seed, 17])
    types = tuple(sorted(set(synthetic["types"].tolist())))
    rows: list[tuple[str, int]] = []
    for origin, of in zip(ORIGINS, (real, synthetic), strict=True):
        for name in types:
            order = rng.permutation(np.flatnonzero(of["types"] == name))
            _, first = np.unique(of["groups"][order], return_index=True)
            alone = np.sort(first)
            rest = np.setdiff1d(np.arange(len(order)), alone)
            chosen = order[np.concatenate([alone, rest])[:each]]
            rows += [(origin, int(row)) for row in chosen]
    rows = [rows[n] for n in rng.permutation(len(rows))]
    cells = []
    for number, (origin, row) in enumerate(rows, 1):
        of = real if origin == "real" else synthetic
        facts = (str(of[name][row]) for name in ("types", "paths", "groups"))
        kind, path, group = facts
        cells.append(BlindCell(number, kind, origin, path, group))
    told = json.dumps([asdict(one) for one in cells])
    test = hashlib.sha256(told.encode()).hexdigest()[:12]
    return Drawn(BlindKey(test, types, tuple(cells)), tuple(rows))


def read_answers(path: Path, key: BlindKey) -> dict[int, tuple[str, str]]:
    """Answers of an expert: number → type and origin, each perhaps :data:`NO_ANSWER`.

    Parameters
    ----------
    path : Path
        ``{"test": …, "answers": {"1": {"type": …, "origin": …}, …}}``, as the page writes it.
    key : BlindKey

    Raises
    ------
    DataError
        If it cannot be read, is of another test, or names a cell that there is not.
    UnknownNameError
        If a type or origin does not exist.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        test, given = kept["test"], kept["answers"]
        answers = {int(n): (one.get("type"), one.get("origin")) for n, one in given.items()}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: save the answers from the page first") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} holds no answers of a blind test: {error!r}") from error
    if test != key.test:
        raise DataError(f"{path} answers the test {test!r}, the key is that of {key.test!r}")
    known = {cell.number for cell in key.cells}
    for number, (kind, origin) in answers.items():
        if number not in known:
            raise DataError(f"{path} answers cell {number}; there are {len(known)}")
        if kind and kind not in key.types:
            raise UnknownNameError(f"type of cell {number}", str(kind), key.types)
        if origin and origin not in ORIGINS:
            raise UnknownNameError(f"origin of cell {number}", str(origin), ORIGINS)
    return {n: (kind or NO_ANSWER, origin or NO_ANSWER) for n, (kind, origin) in answers.items()}


def score(key: BlindKey, answers: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    """How an expert answered.

    Parameters
    ----------
    key : BlindKey
    answers : mapping
        Of :func:`read_answers`. A cell without an answer counts as wrong.

    Returns
    -------
    dict
        ``test``, ``n``, ``n_answered``; ``types``: answered types of all cells, ``real`` and
        ``synthetic`` ones, each of :func:`smearlab.evaluation.answer_figures.answer_figures`;
        ``origin``: who was held for real; ``taken_for_real``: share of the synthetic cells, with
        Clopper–Pearson interval; ``reported``.
    """
    given = [answers.get(cell.number, (NO_ANSWER, NO_ANSWER)) for cell in key.cells]
    kinds = {
        origin: _types(key.types, [
            (cell, answer)
            for cell, (answer, _) in zip(key.cells, given, strict=True)
            if origin in ("all", cell.origin)
        ])
        for origin in ("all", *ORIGINS)
    }  # fmt: skip
    origin = answer_figures(
        [cell.origin for cell in key.cells],
        [told for _, told in given],
        np.array([str(cell.number) for cell in key.cells]),
        ORIGINS,
        (NO_ANSWER,),
    )
    fooled = origin["confusion"]["matrix"][1]
    n, total = int(fooled[0]), int(fooled.sum())
    return {
        "test": key.test,
        "n": len(key.cells),
        "n_answered": sum(kind != NO_ANSWER for kind, _ in given),
        "types": kinds,
        "origin": origin,
        "taken_for_real": {
            "value": n / total if total else float("nan"),
            "interval": clopper_pearson(n, total),
            "n": total,
        },
        "reported": {"accuracy": 0.95, "n": 100, "where": "Jung et al. 2021, Table 8"},
    }


def _types(types: Sequence[str], cells: Sequence[tuple[BlindCell, str]]) -> dict[str, Any]:
    return answer_figures(
        [cell.type for cell, _ in cells],
        [answer for _, answer in cells],
        np.array([str(cell.number) for cell, _ in cells]),
        types,
        (NO_ANSWER,),
    )
