"""Types given to pictures of single cells against the folders that people sorted them into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.errors import UsageError
from smearlab.evaluation.files import over_files
from smearlab.evaluation.protocols import CellClassifier
from smearlab.evaluation.results import RESAMPLES, SEED, failures, intervals, plain
from smearlab.evaluation.type_names import cell_type
from smearlab.io.images import find_images, read_field
from smearlab.metrics.calibration import ECE_BINS, calibration_error
from smearlab.metrics.classification import (
    classification_figures,
    confusion_matrix,
    resample_confusion,
)
from smearlab.metrics.intervals import bootstrap, clopper_pearson
from smearlab.types import CELL_TYPES, UNIDENTIFIED

_OVERALL = ("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1")


@dataclass(frozen=True)
class TypedPicture:
    """One picture that was answered.

    Parameters
    ----------
    true : str
        What its folder says.
    answer : str
        A type or *unidentified*.
    confidence : float
        Probability of the most probable type, in [0, 1].
    most_probable : str
        That type, also where the answer is *unidentified*.
    """

    true: str
    answer: str
    confidence: float
    most_probable: str


def find_typed_pictures(folder: Path) -> list[tuple[Path, str]]:
    """The pictures of a folder of type folders, each with its type.

    Parameters
    ----------
    folder : Path
        Holds one folder a type, named as archives name them (``ig``, ``NEUTROPHIL``, ``Lymph``).
        Several folders may mean one type. Hidden folders are passed over.

    Returns
    -------
    list of (Path, str)
        In the order of folder and file names.

    Raises
    ------
    UsageError
        If the folder is missing, has no folders, or they hold no pictures.
    UnknownNameError
        If a folder's name is no known type; the message lists the known ones.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name the folder that holds the type folders")
    below = sorted(
        one for one in folder.iterdir() if one.is_dir() and not one.name.startswith((".", "__"))
    )
    if not below:
        raise UsageError(
            f"{folder} holds no type folders; sort the pictures into folders such as "
            "neutrophil/, lymphocyte/, ig/"
        )
    types = {one: cell_type(one.name) for one in below}  # all names first: cheap to correct
    found = [
        (path, name)
        for one, name in types.items()
        if any(one.iterdir())
        for path in find_images([one])
    ]
    if not found:
        raise UsageError(f"the type folders in {folder} hold no pictures")
    return found


def evaluate_cells(
    classifier: CellClassifier,
    pictures: Sequence[tuple[Path, str]],
    *,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Measure how well a classifier types pictures of single cells.

    An *unidentified* answer is wrong. Calibration looks at the most probable type of every
    picture, answered or not.

    Parameters
    ----------
    classifier : CellClassifier
        What is measured.
    pictures : sequence of (Path, str)
        From :func:`find_typed_pictures`.
    jobs : int
        Threads.
    advance : callable
        Called after every picture.
    resamples : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``n`` pictures, ``accuracy``, ``balanced_accuracy``, macro means, ``unidentified`` (their
        share), ``accuracy_identified`` (among the others), ``ece``; ``types``: precision,
        recall, f1 and n of every type that occurs; ``confusion``: ``labels`` of the rows,
        ``columns``, ``matrix``; ``intervals``: Clopper–Pearson for shares, bootstrap by picture
        for the rest; ``errors``. Undefined figures are None.
    """

    def answer(picture: tuple[Path, str]) -> TypedPicture:
        given, confidence, probabilities = classifier.classify_cell_image(read_field(picture[0]))
        most_probable = max(probabilities, key=lambda name: probabilities[name], default=given)
        return TypedPicture(picture[1], given, confidence, most_probable)

    typed, bad = over_files(pictures, answer, path_of=lambda p: p[0], jobs=jobs, advance=advance)
    seen = {name for one in typed for name in (one.true, one.answer)}
    labels = [name for name in CELL_TYPES if name in seen and name != UNIDENTIFIED]
    matrix = confusion_matrix(
        [one.true for one in typed], [one.answer for one in typed], labels, [UNIDENTIFIED]
    )
    figures = classification_figures(matrix)
    draws = classification_figures(resample_confusion(matrix, resamples=resamples, seed=SEED))
    types, type_intervals = _per_type(labels, matrix, figures, draws)
    overall = intervals({name: draws[name] for name in _OVERALL}, len(typed))
    right = sum(one.true == one.answer for one in typed)
    silent = sum(one.answer == UNIDENTIFIED for one in typed)
    n = len(typed)
    ece, ece_interval = _calibration(typed, resamples)
    return dict(
        plain(
            {
                "n": n,
                **{name: figures[name].item() for name in _OVERALL},
                "unidentified": silent / n if n else np.nan,
                "accuracy_identified": right / (n - silent) if n > silent else np.nan,
                "ece": ece,
                "types": types,
                "confusion": {
                    "labels": labels,
                    "columns": [*labels, UNIDENTIFIED],
                    "matrix": matrix,
                },
                "intervals": {
                    **overall,
                    "accuracy": clopper_pearson(right, n),
                    "unidentified": clopper_pearson(silent, n),
                    "accuracy_identified": clopper_pearson(right, n - silent),
                    "ece": ece_interval,
                    "types": type_intervals,
                },
                "settings": {"ece_bins": ECE_BINS, "resamples": resamples, "seed": SEED},
                "errors": failures(bad),
            }
        )
    )


def _per_type(
    labels: Sequence[str],
    matrix: np.ndarray[Any, np.dtype[np.int64]],
    figures: Mapping[str, Any],
    draws: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures and intervals of the types that occur."""
    types: dict[str, Any] = {}
    ends: dict[str, Any] = {}
    for index, name in enumerate(labels):
        n, answered = int(matrix[index].sum()), int(matrix[:, index].sum())
        if n == 0:  # only ever answered: it has its column in the confusion matrix
            continue
        right = int(matrix[index, index])
        types[name] = {
            **{key: float(figures[key][index]) for key in ("precision", "recall", "f1")},
            "n": n,
        }
        ends[name] = {
            "precision": clopper_pearson(right, answered),
            "recall": clopper_pearson(right, n),
            **intervals({"f1": draws["f1"][:, index]}, int(matrix.sum())),
        }
    return types, ends


def _calibration(
    typed: Sequence[TypedPicture], resamples: int
) -> tuple[float, tuple[float, float]]:
    """Expected calibration error and its bootstrap interval."""
    sure = np.array([one.confidence for one in typed], dtype=np.float64)
    right = np.array([one.most_probable == one.true for one in typed], dtype=np.bool_)
    interval = bootstrap(
        lambda rows: calibration_error(sure[rows], right[rows]),
        len(typed) if len(typed) > 1 else 0,
        resamples=resamples,
        seed=SEED,
    )
    return calibration_error(sure, right), interval
