"""What a finished classifier run says of itself, and whether a begun one may go on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from smearlab.errors import UsageError
from smearlab.evaluation.part_accuracy import accuracy_of
from smearlab.evaluation.runs import Predictions, RunSummary
from smearlab.learn.classifier_recipe import ClassifierRecipe, Protocol
from smearlab.learn.run_progress import progress_of
from smearlab.learn.split_protocols import SplitPictures

_CONFIG, _CHECKPOINT = "config.json", "checkpoint.json"


def refuse_other_folds(run: Path, folds: int) -> None:
    """Refuse folds and a run of one split in one folder: it would not be known which is meant.

    Parameters
    ----------
    run : Path
        May be missing.
    folds : int
        That are asked for; 0 for one split.

    Raises
    ------
    UsageError
        If the folder holds the other of both. Nothing is changed then.
    """
    if not folds and any(run.glob("fold-*")):
        there, wanted = "the folds of a run", "one split"
    elif folds and (run / _CONFIG).exists():
        there, wanted = "a run of one split", f"{folds} folds"
    else:
        return
    raise UsageError(
        f"{run} holds {there}, not {wanted} as asked: choose another folder with --out, or "
        "--folds as it was"
    )


def summary_of(
    recipe: ClassifierRecipe,
    split: SplitPictures,
    protocol: Protocol,
    run: Path,
    sizes: Mapping[str, int],
) -> RunSummary:
    """Sum a finished training up.

    Parameters
    ----------
    recipe : ClassifierRecipe
    split : SplitPictures
    protocol : {"paper", "honest"}
    run : Path
        Folder of the run.
    sizes : mapping
        ``parameters`` and ``macs`` of the network.

    Returns
    -------
    RunSummary
        Times include those of validating, but not of decoding the pictures.
    """
    told = progress_of(run, recipe.train.step_samples)
    return RunSummary(
        recipe=recipe.name,
        network=recipe.network,
        protocol=protocol,
        classes=split.classes,
        n_train=len(split.part("train")),
        n_val=len(split.part("val")),
        n_test=len(split.part("test")),
        parameters=sizes["parameters"],
        macs=sizes["macs"],
        input_px=recipe.view.size_px,
        epochs=told.epochs,
        best_epoch=told.best_epoch,
        train_seconds=told.train_seconds,
        images_per_s=told.images_per_s,
        hardware=told.hardware,
        precision=told.precision,
        seed=recipe.train.seed,
        fold=split.fold,
        folds=split.folds,
        datasets=tuple(sorted(set(split.manifest.column("dataset")))),
        reported=recipe.reported,
        deviations=recipe.deviations,
    )


def said_accuracy(predictions: list[Predictions]) -> str:
    """Test accuracy of a run with n and its 95 % interval, in a line.

    Parameters
    ----------
    predictions : list of Predictions
        Of its folds, or of one split; no picture is in two of them.

    Returns
    -------
    str
        The interval is a bootstrap over groups, exact where every picture is a group of its own.
    """
    found = accuracy_of(predictions)
    low, high = found["intervals"]["accuracy"]
    ends = "no interval" if math.isnan(low) else f"95 % interval {low:.2%} to {high:.2%}"
    return (
        f"test accuracy {found['accuracy']:.2%} ({ends}), n = {found['n']} pictures in "
        f"{found['n_groups']} groups"
    )
