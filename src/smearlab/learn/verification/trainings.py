"""The checks that train classifiers: real on synthetic, synthetic on real, and both together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import ManifestError
from smearlab.evaluation.answer_figures import answer_figures
from smearlab.evaluation.runs import Predictions, RunSummary
from smearlab.learn.classifier_recipe import Weights
from smearlab.learn.classifier_run import open_classifier_run
from smearlab.learn.held_out import HeldOutPictures
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.run_asked import Asked
from smearlab.learn.verification.config import VerifyConfig
from smearlab.learn.verification.pictures import VerifiedPictures
from smearlab.learn.verification.recipes import (
    equal_epochs,
    joined,
    recipe_of,
    trained,
    with_added,
    with_level,
)
from smearlab.metrics.intervals import mean_interval


@dataclass(frozen=True, eq=False)
class Trainings:
    """What the trained checks need.

    Parameters
    ----------
    pictures : VerifiedPictures
    config : VerifyConfig
    runs : Path
        Folder of the runs; they go on in it.
    real_runs : Path, optional
        Folder of those that see no synthetic picture; the same as ``runs`` when left out.
    show : bool
        Whether to draw progress bars.
    say : callable
    """

    pictures: VerifiedPictures
    config: VerifyConfig
    runs: Path
    show: bool = True
    say: Callable[[str], None] = lambda line: None
    real_runs: Path | None = None

    @property
    def asked(self) -> Asked:
        """How runs are made; the split is given and by group."""
        return Asked("", self.runs, "honest", show=self.show, say=self.say)

    @property
    def alone(self) -> Asked:
        """How runs are made that see no synthetic picture."""
        return self.asked if self.real_runs is None else replace(self.asked, out=self.real_runs)

    def arm(self, share: float, seed: int) -> Path:
        """Train with synthetic pictures added; without for a share of 0."""
        both = with_added(self.pictures.real, self.pictures.synthetic, share, seed)
        asked = self.asked if share else self.alone
        return self._trained(f"added-{round(100 * share)}-seed-{seed}", both, seed, asked)

    def weighted_arm(self, seed: int) -> Path:
        """Train on real pictures alone, those of rarer types with more weight in the loss."""
        real = self.pictures.real
        return self._trained(f"weighted-seed-{seed}", real, seed, self.alone, weights="inverse")

    @property
    def level(self) -> int:
        """Training pictures that each type shall have in ``balanced``."""
        return self.config.balance_to or max(self._counts.values())

    @property
    def rarer(self) -> dict[str, int]:
        """Types that synthetic pictures can fill up → their real training pictures."""
        level, counts = self.level, self._counts
        return {name: counts[name] for name in self.pictures.types if counts[name] < level}

    @property
    def _counts(self) -> Counter[str]:
        return Counter(self.pictures.part("train").column("type").tolist())

    def balanced_arm(self, seed: int) -> Path:
        """Train with synthetic pictures of the rarer types added."""
        pictures, level = self.pictures, self.level
        both = with_level(pictures.real, pictures.synthetic, level, seed)
        return self._trained(f"balanced-{level}-seed-{seed}", both, seed, self.asked)

    def _trained(
        self, name: str, both: Manifest, seed: int, asked: Asked, weights: Weights = "none"
    ) -> Path:
        """Train as many steps as the real pictures alone take."""
        n_real = int((self.pictures.real.column("split") == "train").sum())
        n_train = int((both.column("split") == "train").sum())
        epochs = equal_epochs(n_train, n_real, self.config)
        recipe = recipe_of(name, self.config, epochs=epochs, seed=seed, weights=weights)
        return trained(recipe, both, asked)

    def only_synthetic(self) -> Path:
        """Train on synthetic pictures and nothing else, test on real ones.

        No real picture chooses the epoch. By their loss they would choose one of the first: what
        has learned from made pictures is soon too sure of real ones, and yet gets more of them
        right with every epoch.
        """
        real, types = self.pictures.real, self.pictures.types
        if len(types) < 2:
            raise ManifestError(
                f"the synthetic pictures are all of the type {types[0]}: there is nothing to tell "
                "for a classifier of them; leave this check out with --only"
            )
        n_real = int((real.column("split") == "train").sum())
        held = real.take((real.column("split") != "train") & np.isin(real.column("type"), types))
        both = joined(held, self.pictures.synthetic)
        epochs = equal_epochs(len(self.pictures.synthetic), n_real, self.config)
        seed = self.config.seed
        recipe = recipe_of("synthetic-alone", self.config, epochs=epochs, seed=seed, chooses=False)
        return trained(recipe, both, self.asked)


def real_on_synthetic(trainings: Trainings) -> dict[str, Any]:
    """Check 1 of paper C: a classifier trained on real pictures answers the synthetic ones.

    Returns
    -------
    dict
        ``synthetic`` and ``real`` (its own test pictures), each of
        :func:`smearlab.evaluation.answer_figures.answer_figures`, ``training`` and ``reported``.
    """
    run = trainings.arm(0.0, trainings.config.seed)
    opened = open_classifier_run(run)
    made = trainings.pictures.synthetic
    samples = ManifestSamples(made, opened.classes, opened.recipe.view)
    answered = HeldOutPictures(samples).predictions(opened.network())
    # Pictures from noise have no source that they share.
    alone = np.array([f"picture {n}" for n in range(len(made))])
    return {
        "synthetic": _figures(answered, alone, trainings.pictures.types),
        "real": _figures(Predictions.load(run, "test")),
        "training": _training(run, trainings.config.batch_size),
        "reported": {"accuracy": 1.0, "where": "Jung et al. 2021, Table 5"},
    }


def synthetic_on_real(trainings: Trainings) -> dict[str, Any]:
    """Check 2 of paper C: a classifier trained on synthetic pictures alone answers real ones.

    Returns
    -------
    dict
        ``real``: test pictures; ``training``, ``reported`` and ``left_out``, types without
        synthetic pictures.
    """
    run = trainings.only_synthetic()
    types = set(trainings.pictures.real.column("type"))
    return {
        "real": _figures(Predictions.load(run, "test")),
        "training": _training(run, trainings.config.batch_size),
        "left_out": sorted(types - set(trainings.pictures.types)),
        "note": "the last epoch counts: no real picture had a part in the training",
        "reported": {
            "accuracy": 0.95,
            "macro_precision": 0.93,
            "macro_recall": 0.95,
            "macro_f1": 0.94,
            "where": "Jung et al. 2021, Table 6",
        },
    }


def added(trainings: Trainings) -> dict[str, Any]:
    """Accuracy on real test pictures with synthetic ones added to the training part.

    Every training takes about as many steps, whatever it is given. Splits are the same; a seed
    draws the synthetic pictures, the first weights and the order.

    Returns
    -------
    dict
        ``arms``: a share each with ``share``, ``n_real``, ``n_synthetic``, ``n_wanted``,
        ``steps``, ``runs`` (a seed each: ``seed``, ``accuracy``, ``interval``), ``accuracy``,
        ``balanced_accuracy`` and ``gain`` (against the share 0 with the same seed): mean over the
        seeds and Student interval; ``recall`` of each type, and ``n_test``.
    """
    config = trainings.config
    arms: list[dict[str, Any]] = []
    for share in config.arms:
        found = []
        for seed in range(config.seed, config.seed + config.seeds):
            trainings.say(f"{share:.0%} synthetic pictures added, seed {seed}")
            run = trainings.arm(share, seed)
            found.append({"seed": seed, **_arm_run(run, config.batch_size)})
        arms.append(_arm(trainings, share, found, arms[0]["runs"] if arms else found))
    return {
        "arms": arms,
        "network": config.network,
        "n_test": arms[0]["runs"][0]["n"],
        "n_groups": arms[0]["runs"][0]["n_groups"],
    }


def balanced(trainings: Trainings) -> dict[str, Any]:
    """Recall of each type without synthetic pictures, and with those that rarer types lack.

    Trainings are as in :func:`added`. Only types that synthetic pictures show are filled up. What
    costs nothing stands beside them: real pictures alone, each type weighted in the loss by the
    inverse of its number.

    Returns
    -------
    dict
        ``level``: training pictures of each type; ``filled``: type → real and synthetic ones;
        ``arms``: without, weighted and with, as in :func:`added`, each with ``recall_gain`` of
        every type (over without); the last with ``over_weighted`` of every type; ``network``,
        ``n_test``, ``n_groups``.

    Raises
    ------
    ManifestError
        If no type lacks pictures.
    """
    config, level, rarer = trainings.config, trainings.level, trainings.rarer
    if not rarer:
        raise ManifestError(
            f"each type of the synthetic pictures has {level} real training pictures or more, so "
            "none is to be filled up: set a higher number, or leave this check out with --only"
        )
    seeds = range(config.seed, config.seed + config.seeds)
    arms: list[dict[str, Any]] = []
    for told, doing, arm in (
        ("without", "without synthetic pictures", lambda seed: trainings.arm(0.0, seed)),
        ("weighted", "weighing more the pictures", trainings.weighted_arm),
        ("with", "with synthetic pictures", trainings.balanced_arm),
    ):
        found = []
        for seed in seeds:
            trainings.say(f"{doing} of rarer types, seed {seed}")
            found.append({"seed": seed, **_arm_run(arm(seed), config.batch_size)})
        without = arms[0]["runs"] if arms else found
        arms.append({**_arm(trainings, None, found, without), "arm": told})
    arms[-1]["over_weighted"] = _recall_gains(arms[-1]["runs"], arms[-2]["runs"])
    made = Counter(trainings.pictures.synthetic.column("type"))
    return {
        "level": level,
        "filled": {
            name: {"real": n, "synthetic": min(made[name], level - n)} for name, n in rarer.items()
        },
        "arms": arms,
        "network": config.network,
        "n_test": arms[0]["runs"][0]["n"],
        "n_groups": arms[0]["runs"][0]["n_groups"],
    }


def _arm_run(run: Path, batch_size: int) -> dict[str, Any]:
    one = _figures(Predictions.load(run, "test"))
    return {
        "accuracy": one["accuracy"],
        "interval": one["intervals"]["accuracy"],
        "balanced_accuracy": one["balanced_accuracy"],
        "recall": {name: of["recall"] for name, of in one["types"].items()},
        "n": one["n"],
        "n_groups": one["n_groups"],
        "training": _training(run, batch_size),
    }


def _arm(
    trainings: Trainings,
    share: float | None,
    runs: Sequence[dict[str, Any]],
    without: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    real = trainings.pictures.part("train")
    of_type = np.isin(real.column("type"), trainings.pictures.types)
    added_here = runs[0]["training"]["n_train"] - len(real)
    gains = [a["accuracy"] - b["accuracy"] for a, b in zip(runs, without, strict=True)]
    return {
        "share": share,
        "n_real": len(real),
        "n_synthetic": added_here,
        "n_wanted": None if share is None else round(share * int(of_type.sum())),
        "steps": runs[0]["training"]["steps"],
        "runs": list(runs),
        "accuracy": _over_seeds([one["accuracy"] for one in runs]),
        "balanced_accuracy": _over_seeds([one["balanced_accuracy"] for one in runs]),
        "gain": _over_seeds(gains, -1.0),
        "recall": {
            name: _over_seeds([one["recall"][name] for one in runs]) for name in runs[0]["recall"]
        },
        "recall_gain": _recall_gains(runs, without),
    }


def _recall_gains(
    runs: Sequence[dict[str, Any]], over: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Differences of recall to runs of the same seeds, of each type."""
    return {
        name: _over_seeds(
            [a["recall"][name] - b["recall"][name] for a, b in zip(runs, over, strict=True)], -1.0
        )
        for name in runs[0]["recall"]
    }


def _over_seeds(values: Sequence[float], least: float = 0.0) -> dict[str, Any]:
    """Mean of shares, or of differences of shares; the interval stays within what they can be."""
    low, high = mean_interval(values)
    interval = (max(least, low), min(1.0, high)) if low == low else (low, high)
    return {"value": float(np.mean(values)), "interval": interval, "n": len(values)}


def _training(run: Path, batch_size: int) -> dict[str, Any]:
    """What it was trained on, and for how long."""
    summary = RunSummary.load(run)
    return {
        "run": run.name,
        "network": summary.network,
        "n_train": summary.n_train,
        "n_val": summary.n_val,
        "epochs": summary.epochs,
        "best_epoch": summary.best_epoch,
        "steps": summary.epochs * -(-summary.n_train // batch_size),
        "seed": summary.seed,
        "seconds": summary.train_seconds,
        "hardware": summary.hardware,
    }


def _figures(
    answered: Predictions,
    groups: NDArray[np.str_] | None = None,
    types: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Figures over all classes of the network; ``types`` says which of them can occur."""
    names = np.array(answered.classes, dtype=object)
    shown = list(types or answered.classes)
    others = [name for name in answered.classes if name not in shown]
    return answer_figures(
        names[answered.targets].tolist(),
        names[answered.logits.argmax(1)].tolist(),
        answered.groups if groups is None else groups,
        shown,
        others,
    )
