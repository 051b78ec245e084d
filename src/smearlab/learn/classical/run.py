"""A classical recipe from a manifest to a run folder, and back.

The folder is that of every classifier (:mod:`smearlab.evaluation.runs`), with ``features.npz`` in
the place of weights: :func:`smearlab.learn.classical.fitted.load_classical` fits the classifier
again from it, and it answers the same.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import sklearn
from numpy.typing import NDArray

from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.datasets.manifest.ties import units
from smearlab.errors import UsageError
from smearlab.evaluation.runs import MANIFEST, SUMMARY, HeldOut, RunSummary
from smearlab.learn.classical.classifiers import fitted_numbers
from smearlab.learn.classical.feature_store import FeatureStore
from smearlab.learn.classical.fitted import Classical, Part, describe, keep
from smearlab.learn.classical.recipes import CLASSICAL_RECIPES, ClassicalRecipe
from smearlab.learn.manifest_samples import ManifestSamples, Split
from smearlab.learn.train.run_folder import open_run
from smearlab.registry import look_up

_HELD_OUT: tuple[HeldOut, ...] = ("val", "test")


def run_classical(
    recipe: str | ClassicalRecipe,
    manifest: Manifest,
    splits: Mapping[Split, NDArray[np.intp]],
    run: Path,
    *,
    classes: tuple[str, ...],
    column: str = "type",
    crops: NDArray[np.intp] | None = None,
    protocol: Literal["paper", "honest"] = "honest",
    fold: int | None = None,
    folds: int | None = None,
    jobs: int = 1,
    cache: Path | None = None,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> RunSummary:
    """Measure, fit, predict, and leave a run folder; one that is done is left as it is.

    Parameters
    ----------
    recipe : str or ClassicalRecipe
        A name of :data:`~smearlab.learn.classical.recipes.CLASSICAL_RECIPES`, or one with other
        settings.
    manifest : Manifest
    splits : mapping
        ``train``, ``val`` and ``test`` → numbers of rows, from 0; those of
        :func:`smearlab.learn.manifest_samples.rows_of_split`, or of a fold.
    run : Path
        Folder of the run; made if missing.
    classes : tuple of str
        The number of a class is its place here.
    column : str
        Where the class stands: ``type``, ``label`` or ``subtype``.
    crops : ndarray of int, optional
        For every row of the manifest the side of the middle square, px, 0 for the whole picture;
        the recipe's when left out.
    protocol : {"paper", "honest"}
    fold, folds : int, optional
        Which fold of how many, from 1.
    jobs : int
        Processes that measure, and threads that fit; changes nothing but the time.
    cache : Path, optional
        Folder where features are kept for the next run; nothing is kept when left out.
    advance : callable
        Told how many pictures of how many are measured, after every picture.

    Returns
    -------
    RunSummary

    Raises
    ------
    UnknownNameError
        If no recipe has that name.
    UsageError
        If a part is missing, the run folder was made for another configuration, or the training
        part has fewer than two classes.
    ManifestError
        If a picture cannot be used, or has a class that is none of ``classes``.
    """
    if isinstance(recipe, str):
        recipe = look_up("classical recipe", CLASSICAL_RECIPES, recipe)
    missing = [name for name in ("train", "val", "test") if name not in splits]
    if missing:
        raise UsageError(f"splits must name train, val and test; {', '.join(missing)} is missing")
    used = _used(manifest, splits)
    hardware = {"machine": platform.machine(), "jobs": jobs, "scikit-learn": sklearn.__version__}
    asked = {**describe(recipe, classes), "column": column, "pictures": _digest(used, column)}
    open_run(run, asked, hardware)
    if (run / SUMMARY).is_file():
        return RunSummary.load(run)
    store = FeatureStore(cache, recipe.features.size_px)
    total, done = sum(len(rows) for rows in splits.values()), 0

    def one_more() -> None:
        nonlocal done
        done += 1
        advance(done, total)

    parts: dict[str, Part] = {}
    for name, rows in splits.items():
        samples = _samples(recipe, manifest, classes, rows, column, crops)
        parts[name] = _part(samples, store, jobs, one_more)
    began = time.perf_counter()
    fitted = Classical.fit(recipe, classes, parts["train"], jobs)
    seconds = time.perf_counter() - began
    keep(run, parts["train"], parts["test"])
    write_manifest(run / MANIFEST, used)
    for held_out in _HELD_OUT:
        fitted.predictions(parts[held_out]).save(run, held_out)
    summary = RunSummary(
        recipe=recipe.name,
        network=recipe.name,
        protocol=protocol,
        classes=classes,
        n_train=len(splits["train"]),
        n_val=len(splits["val"]),
        n_test=len(splits["test"]),
        parameters=fitted_numbers(fitted.pipeline),
        macs=None,
        input_px=recipe.features.size_px,
        epochs=1,
        best_epoch=1,
        train_seconds=round(seconds, 3),
        images_per_s=round(len(splits["train"]) / max(seconds, 1e-9), 1),
        hardware=f"{platform.machine()}, {jobs} jobs, scikit-learn {sklearn.__version__}",
        precision="float64",
        seed=recipe.seed,
        fold=fold,
        folds=folds,
        datasets=tuple(sorted(set(manifest.column("dataset")[splits["train"]]))),
        reported=recipe.reported,
        deviations=recipe.deviations,
    )
    summary.save(run)
    return summary


def _used(manifest: Manifest, splits: Mapping[Split, NDArray[np.intp]]) -> Manifest:
    """The rows of all parts, the part in ``split``; written beside what was learned from them."""
    parts = np.full(len(manifest), None, object)
    for name, rows in splits.items():
        parts[rows] = name
    used = manifest.with_columns(split=parts.tolist())
    return used.take(np.array([part is not None for part in parts], bool))


def _digest(used: Manifest, column: str) -> str:
    """Tells other pictures, classes or parts; 16 hexadecimal digits."""
    columns = [used.column(name).tolist() for name in ("path", "sha256", column, "split")]
    rows = sorted(map(list, zip(*columns, strict=True)), key=str)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def _samples(
    recipe: ClassicalRecipe,
    manifest: Manifest,
    classes: tuple[str, ...],
    rows: NDArray[np.intp],
    column: str,
    crops: NDArray[np.intp] | None,
) -> ManifestSamples:
    """The rows of a part, checked as they are for every network."""
    return ManifestSamples(manifest, classes, recipe.view, rows=rows, column=column, crops=crops)


def _part(
    samples: ManifestSamples, store: FeatureStore, jobs: int, advance: Callable[[], None]
) -> Part:
    """The features of a part, with what predictions say of each picture."""
    manifest, rows = samples.manifest, samples.rows
    sources, datasets = manifest.column("source")[rows], manifest.column("dataset")[rows]
    origins = [source or dataset for source, dataset in zip(sources, datasets, strict=True)]
    return Part(
        paths=samples.paths.astype(str),
        groups=units(manifest)[rows].astype(str),
        origins=np.array(origins, str),
        targets=samples.targets,
        features=store.features(
            [manifest.file(path) for path in samples.paths],
            samples.crops.tolist(),
            jobs=jobs,
            advance=advance,
        ),
    )
