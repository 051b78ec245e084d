"""What a trained classifier leaves in its run folder for those who compare it.

A run folder holds ``predictions-val.npz`` and ``predictions-test.npz`` (what the network answered
for every picture of the part) and ``summary.json`` (what was trained on what, how long, how large).
The runs of a k-fold lie in ``fold-1`` to ``fold-k`` of one folder, and each tests on its own fold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from smearlab.errors import RunError, UsageError
from smearlab.io.atomic import write_bytes, write_text

HeldOut = Literal["val", "test"]
SUMMARY = "summary.json"
#: The pictures of a run with their types and the part each was in, where the run has such a table.
MANIFEST = "manifest.parquet"


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a classifier answered for the pictures of one part.

    Parameters
    ----------
    classes : tuple of str
        K names; the number of a class is its place here.
    paths, groups, origins : ndarray of str, shape (N,)
        The picture as its manifest writes it; the source or near-duplicate group that it shares
        with others; the archive it came from.
    targets : ndarray of int64, shape (N,)
        True classes, in [0, K).
    logits : ndarray of float32, shape (N, K)
        Before the softmax, no temperature applied.

    Raises
    ------
    UsageError
        If the lengths differ, or a target is no class.
    """

    classes: tuple[str, ...]
    paths: NDArray[np.str_]
    groups: NDArray[np.str_]
    origins: NDArray[np.str_]
    targets: NDArray[np.int64]
    logits: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.targets)
        lengths = {name: len(getattr(self, name)) for name in ("paths", "groups", "origins")}
        if set(lengths.values()) != {n} or self.logits.shape != (n, len(self.classes)):
            raise UsageError(
                f"predictions do not belong together: {n} targets of {len(self.classes)} classes, "
                f"logits {self.logits.shape}, {lengths}"
            )
        if n and not 0 <= self.targets.min() <= self.targets.max() < len(self.classes):
            raise UsageError(
                f"targets must lie in 0 to {len(self.classes) - 1}; received "
                f"{self.targets.min()} to {self.targets.max()}"
            )

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of the logits, shape (N, K)."""
        return np.asarray(softmax(self.logits.astype(np.float64), axis=1))

    def save(self, run: Path, part: HeldOut) -> None:
        """Write ``predictions-PART.npz`` in the run folder."""
        run.mkdir(parents=True, exist_ok=True)
        buffer = BytesIO()
        arrays: dict[str, Any] = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        np.savez_compressed(buffer, **arrays)
        write_bytes(run / f"predictions-{part}.npz", buffer.getvalue())

    @classmethod
    def load(cls, run: Path, part: HeldOut) -> Predictions:
        """Read them again.

        Raises
        ------
        RunError
            If the run has none of this part, or they cannot be read.
        """
        path = run / f"predictions-{part}.npz"
        if not path.is_file():
            raise RunError(f"{path} does not exist: train the run to its end first")
        try:
            with np.load(path, allow_pickle=False) as kept:
                arrays = {f.name: kept[f.name] for f in fields(cls)}
        except (ValueError, KeyError, OSError) as error:
            raise RunError(f"{path} cannot be read ({error}): train the run anew") from error
        classes = tuple(str(name) for name in arrays.pop("classes"))
        return cls(classes, **arrays)


@dataclass(frozen=True)
class RunSummary:
    """What one training was, and what it cost.

    Parameters
    ----------
    recipe, network : str
        Names.
    protocol : {"paper", "honest"}
        Whether the split was the paper's, or by group.
    classes : tuple of str
    n_train, n_val, n_test : int
        Pictures.
    parameters : int
        Trainable.
    macs : int or None
        Multiply–accumulate steps for one picture; None where it was not counted.
    input_px : int
        Side of the picture that the network sees.
    epochs, best_epoch : int
        Epochs done, and the one whose weights were kept; from 1.
    train_seconds, images_per_s : float or None
        Wall time of the training, and its rate; None where it was not measured.
    hardware : str
        Processor or accelerator, threads.
    precision : str
        Arithmetic of the training.
    seed : int
    fold, folds : int or None
        Which fold of how many, from 1; None for a hold-out split.
    datasets : tuple of str
    reported : mapping
        The paper's figures for this network, as fractions.
    deviations : tuple of str
    """

    recipe: str
    network: str
    protocol: Literal["paper", "honest"]
    classes: tuple[str, ...]
    n_train: int
    n_val: int
    n_test: int
    parameters: int
    macs: int | None
    input_px: int
    epochs: int
    best_epoch: int
    train_seconds: float | None
    images_per_s: float | None
    hardware: str
    precision: str
    seed: int
    fold: int | None = None
    folds: int | None = None
    datasets: tuple[str, ...] = ()
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    def save(self, run: Path) -> None:
        """Write ``summary.json`` in the run folder."""
        run.mkdir(parents=True, exist_ok=True)
        write_text(run / SUMMARY, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, run: Path) -> RunSummary:
        """Read it again.

        Raises
        ------
        RunError
            If the folder is no finished run.
        """
        path = run / SUMMARY
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            for name in ("classes", "datasets", "deviations"):
                kept[name] = tuple(kept[name])
            return cls(**kept)
        except FileNotFoundError:
            raise RunError(
                f"{run} is no finished run, {SUMMARY} is missing: name the folder that smearlab "
                "train wrote, after it has ended"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read ({error}): train the run anew") from error


def runs_of(folder: Path) -> Sequence[Path]:
    """The finished runs in a folder: its folds in their order, or itself.

    Raises
    ------
    RunError
        If it is neither a finished run nor holds folds, or a fold is missing.
    """
    folds = sorted(folder.glob("fold-*"), key=lambda path: int(path.name.partition("-")[2]))
    if not folds:
        RunSummary.load(folder)
        return [folder]
    wanted = RunSummary.load(folds[0]).folds or len(folds)
    missing = {f"fold-{n}" for n in range(1, wanted + 1)} - {path.name for path in folds}
    if missing:
        raise RunError(
            f"{folder} lacks {', '.join(sorted(missing))} of its {wanted} folds: go on with the "
            "same smearlab train command"
        )
    for path in folds:
        RunSummary.load(path)
    return folds
