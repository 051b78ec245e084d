"""Finished runs as they are measured: folds pooled, temperature fitted, classes in one order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from smearlab.errors import RunError, UsageError
from smearlab.evaluation.runs import Predictions, RunSummary, runs_of
from smearlab.metrics.calibration import temperature
from smearlab.metrics.resampling import draw_weights, units_of

#: Lowest and highest temperature of a run; small nets trained long are surer than any bound of
#: the bundles allows for.
TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True, eq=False)
class TestedRun:
    """One training, or all folds of a k-fold, with what it answered on its test pictures.

    Parameters
    ----------
    name : str
        What tables call it.
    folders : tuple of Path
        The run's folder, or those of its F folds.
    summaries : tuple of RunSummary
        One a folder.
    test : Predictions
        On N pictures: the folds' test parts one after the other.
    folds : ndarray of int64, shape (N,)
        Which of the folders answered each picture, from 0.
    temperatures : ndarray of float64, shape (F,)
        Fitted on the validation part of each folder; NaN where it has none.
    """

    __test__ = False  # the name is no call for pytest

    name: str
    folders: tuple[Path, ...]
    summaries: tuple[RunSummary, ...]
    test: Predictions
    folds: NDArray[np.int64]
    temperatures: NDArray[np.float64]

    @property
    def summary(self) -> RunSummary:
        """That of the first folder; what all folds share stands there."""
        return self.summaries[0]

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Origins that it was trained on, where it was trained on some only; else its datasets."""
        return self._origins or self.summary.datasets

    @property
    def crossed(self) -> bool:
        """Whether it was trained on some origins and tested on others."""
        return bool(self._origins)

    @cached_property
    def _origins(self) -> tuple[str, ...]:
        path = self.folders[0] / "config.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))["asked"]["data"]["train_on"]
        except (OSError, ValueError, KeyError, TypeError):
            return ()
        return tuple(kept)

    @property
    def classes(self) -> tuple[str, ...]:
        """K names, the same for every run that is compared."""
        return self.test.classes

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """As the network gives them, shape (N, K)."""
        return self.test.probabilities

    @cached_property
    def calibrated(self) -> NDArray[np.float64]:
        """At the temperature of each fold, shape (N, K); NaN where there is none."""
        heat = self.temperatures[self.folds]
        return np.asarray(softmax(self.test.logits.astype(np.float64) / heat[:, None], axis=1))

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """Most probable class of each picture, shape (N,)."""
        return np.asarray(self.test.logits.argmax(axis=1))

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether the answer is the true class, shape (N,)."""
        return np.asarray(self.answers == self.test.targets)

    @cached_property
    def units(self) -> tuple[NDArray[np.intp], int]:
        """Number of each picture's group, shape (N,), and how many groups there are."""
        return units_of(self.test.groups)

    def draws(self, resamples: int, seed: int) -> NDArray[np.float64]:
        """How often each resample takes each group, shape (R, groups)."""
        return draw_weights(self.units[1], resamples=resamples, seed=seed).astype(np.float64)


def open_runs(folders: Iterable[Path]) -> list[TestedRun]:
    """Read finished runs; those of several must know the same classes.

    Parameters
    ----------
    folders : iterable of Path
        Run folders, or folders of folds.

    Returns
    -------
    list of TestedRun
        In their order, all with the classes in the order of the first.

    Raises
    ------
    UsageError
        If a folder is not there or named twice, or the classes of two runs differ.
    RunError
        If a run is not finished, or its files contradict each other.
    """
    folders = list(folders)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder: name a folder that smearlab train wrote")
    places = [folder.resolve() for folder in folders]
    twice = sorted({str(f) for f, p in zip(folders, places, strict=True) if places.count(p) > 1})
    if twice:
        raise UsageError(f"{', '.join(twice)} is named twice; name every run once")
    runs = [_open(folder, name) for folder, name in zip(folders, _names(places), strict=True)]
    return [_in_order_of(run, runs[0]) for run in runs]


def _names(places: Sequence[Path]) -> list[str]:
    """As much of the end of each path as tells it from the others."""
    for depth in range(1, 1 + max((len(place.parts) for place in places), default=0)):
        names = ["/".join(place.parts[-depth:]) for place in places]
        if len(set(names)) == len(names):
            return names
    return [str(place) for place in places]


def _open(folder: Path, name: str) -> TestedRun:
    parts = tuple(runs_of(folder))
    summaries = tuple(RunSummary.load(part) for part in parts)
    tests = [Predictions.load(part, "test") for part in parts]
    for part, summary, test in zip(parts, summaries, tests, strict=True):
        if test.classes != summary.classes or test.classes != tests[0].classes:
            raise RunError(
                f"{part}: its predictions are of {', '.join(test.classes)}, its summary is of "
                f"{', '.join(summary.classes)}, the first fold is of "
                f"{', '.join(tests[0].classes)}: train the run anew"
            )
        if not len(test.targets):
            raise RunError(f"{part} was tested on no picture: there is nothing to measure")
        if not np.isfinite(test.logits).all():
            raise RunError(f"{part}: the predictions hold numbers that are not finite: train anew")
    test = _pooled(tests)
    paths, counts = np.unique(test.paths, return_counts=True)
    if (counts > 1).any():
        raise RunError(
            f"{folder}: {paths[counts > 1][0]} was tested {counts.max()} times; each picture "
            "belongs to the test part of one fold"
        )
    folds = np.repeat(np.arange(len(parts)), [len(one.targets) for one in tests])
    heats = np.array([_heat(part) for part in parts])
    return TestedRun(name, parts, summaries, test, folds, heats)


def _heat(part: Path) -> float:
    """Temperature by the validation part; NaN without one."""
    if not (part / "predictions-val.npz").is_file():
        return float("nan")
    held = Predictions.load(part, "val")
    return temperature(held.logits, held.targets, TEMPERATURES)


def _pooled(parts: Sequence[Predictions]) -> Predictions:
    def joined(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])

    names = ("paths", "groups", "origins", "targets", "logits")
    arrays: dict[str, NDArray[np.generic]] = {name: joined(name) for name in names}
    return Predictions(parts[0].classes, **arrays)  # type: ignore[arg-type]


def _in_order_of(run: TestedRun, first: TestedRun) -> TestedRun:
    """The same run with its classes in the order of another."""
    if set(run.classes) != set(first.classes):
        only_here = sorted(set(run.classes) - set(first.classes))
        only_there = sorted(set(first.classes) - set(run.classes))
        said = [
            f"only {name} has {', '.join(classes)}"
            for name, classes in ((run.name, only_here), (first.name, only_there))
            if classes
        ]
        raise UsageError(
            f"{run.name} and {first.name} know different classes ({'; '.join(said)}): measure "
            "them one by one"
        )
    if run.classes == first.classes:
        return run
    order = [run.classes.index(name) for name in first.classes]
    test = replace(
        run.test,
        classes=first.classes,
        targets=np.argsort(order)[run.test.targets],
        logits=run.test.logits[:, order],
    )
    return replace(run, test=test)


def same_pictures(runs: Sequence[TestedRun]) -> list[TestedRun]:
    """The runs with their test pictures in one order, that of the first.

    Raises
    ------
    UsageError
        If two runs were tested on different pictures, or on other types of the same.
    """
    first = runs[0]
    ordered = []
    for run in runs:
        places = {path: place for place, path in enumerate(run.test.paths)}
        shared = sum(path in places for path in first.test.paths)
        if shared != len(first.test.paths) or len(places) != shared:
            raise UsageError(
                f"{first.name} was tested on {len(first.test.paths)} pictures, {run.name} on "
                f"{len(places)}, and {shared} are the same: train them on the same split, or ask "
                "for the table without tests"
            )
        rows = np.array([places[path] for path in first.test.paths], dtype=np.intp)
        test = _rows(run.test, rows)
        other = test.targets != first.test.targets
        if other.any():
            place = int(np.flatnonzero(other)[0])
            kinds = [
                one.classes[one.test.targets[place]] for one in (first, replace(run, test=test))
            ]
            raise UsageError(
                f"{first.test.paths[place]} is {kinds[0]} for {first.name}, but {kinds[1]} for "
                f"{run.name}: train them with the same types"
            )
        ordered.append(replace(run, test=test, folds=run.folds[rows]))
    return ordered


def _rows(part: Predictions, rows: NDArray[np.intp]) -> Predictions:
    names = ("paths", "groups", "origins", "targets", "logits")
    return replace(part, **{name: getattr(part, name)[rows] for name in names})
