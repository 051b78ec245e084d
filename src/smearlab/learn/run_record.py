"""What a finished classifier run says of itself, and whether a begun one may go on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from smearlab.errors import UsageError
from smearlab.evaluation.part_accuracy import accuracy_of
from smearlab.evaluation.runs import Predictions, RunSummary
from smearlab.learn.classifier_recipe import ClassifierRecipe, Protocol
from smearlab.learn.split_protocols import SplitPictures
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.run_folder import STEP_LOG, open_run

_CONFIG, _CHECKPOINT = "config.json", "checkpoint.json"


def refuse_changed(run: Path, train: TrainConfig, describe: Mapping[str, Any]) -> None:
    """Refuse to go on with a run that was begun with other settings or pictures.

    Parameters
    ----------
    run : Path
        May be missing, or hold nothing yet.
    train : TrainConfig
    describe : mapping
        As :func:`smearlab.learn.train.supervised.fit` gets them.

    Raises
    ------
    UsageError
        Names every setting with both values. Nothing is changed then.
    """
    if (run / _CONFIG).exists():
        open_run(run, {"train": asdict(train), **describe}, {})


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
    told = json.loads((run / _CHECKPOINT).read_text(encoding="utf-8"))
    kept = json.loads((run / _CONFIG).read_text(encoding="utf-8"))
    machines = [kept["hardware"], *kept.get("went_on_with", [])]
    seconds = float(told["seconds"]) or None
    pictures = told["step"] * recipe.train.step_samples
    epochs = int(_last_step(run)["epoch"]) + 1
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
        epochs=epochs,
        best_epoch=int(told["standing"]["best_epoch"]) or epochs,
        train_seconds=seconds,
        images_per_s=pictures / seconds if seconds else None,
        hardware=_one_after_the_other(
            f"{one['device']} ({one['machine']}), {one['threads']} threads" for one in machines
        ),
        precision=_one_after_the_other(str(one["precision"]) for one in machines),
        seed=recipe.train.seed,
        fold=split.fold,
        folds=split.folds,
        datasets=tuple(sorted(set(split.manifest.column("dataset")))),
        reported=recipe.reported,
        deviations=recipe.deviations,
    )


def _one_after_the_other(words: Iterable[str]) -> str:
    """What a run had to do with, each once, in the order in which it went on with them."""
    return ", then ".join(dict.fromkeys(words))


def _last_step(run: Path) -> Mapping[str, Any]:
    lines = (run / STEP_LOG).read_text(encoding="utf-8").splitlines()
    last: Mapping[str, Any] = json.loads(lines[-1])
    return last


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


def digest_of(path: Path | None) -> str | None:
    """First 16 digits of the SHA-256 of a weight file; None without one."""
    if path is None:
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
