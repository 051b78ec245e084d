"""The classifier that a verification trains, as a recipe; trained by the house's one loop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from smearlab.datasets.manifest.merge import merged
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.learn.classifier_recipe import AS_TYPED, ClassifierRecipe, PictureData, Weights
from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.run_asked import Asked, run_folder
from smearlab.learn.run_classifier import run_classifier
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.affine_ranges import WHOLE_PIXELS
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.learn.verification.config import VerifyConfig

#: What is drawn in training: cells have no upper side. Turned by other angles, small pictures are
#: blurred, as those that are tested are not: that cost 2 to 4 points of accuracy.
RANGES = WHOLE_PIXELS


def recipe_of(
    name: str,
    config: VerifyConfig,
    *,
    epochs: int | None = None,
    seed: int = 0,
    crop_px: int | None = None,
    chooses: bool = True,
    weights: Weights = "none",
) -> ClassifierRecipe:
    """The recipe of one training.

    Parameters
    ----------
    name : str
        Of its folder.
    config : VerifyConfig
    epochs : int, optional
        Those of ``config`` when left out.
    seed : int
    crop_px : int or None
        Side of the middle square that views show; None for whole pictures.
    chooses : bool
        Whether the real validation pictures choose the epoch.
    weights : {"none", "inverse", "effective"}
        Of the types in the loss, by their numbers.
    """
    return ClassifierRecipe(
        name=name,
        title=f"{config.network} of a verification",
        source="this project: what synthetic pictures are worth",
        network=config.network,
        data=PictureData((), AS_TYPED, split="given", weights=weights),
        view=PictureViewConfig(CLASSIFIERS[config.network].input_px, crop_px, RANGES),
        train=TrainConfig(
            epochs=epochs or config.epochs,
            batch_size=config.batch_size,
            lr=config.lr,
            optimizer="adam",
            weight_decay=0.0,
            seed=seed,
            precision="auto",
        ),
        chooses=chooses,
    )


def equal_epochs(n_train: int, n_real: int, config: VerifyConfig) -> int:
    """Epochs that come nearest to the steps of ``config.epochs`` on the real pictures; at least 1.

    Examples
    --------
    >>> equal_epochs(3000, 1000, VerifyConfig(epochs=12, batch_size=10))
    4
    """
    steps = config.epochs * math.ceil(n_real / config.batch_size)
    return max(1, round(steps / math.ceil(n_train / config.batch_size)))


def with_added(real: Manifest, synthetic: Manifest, share: float, seed: int) -> Manifest:
    """Real pictures with synthetic ones added to the training part.

    Parameters
    ----------
    real, synthetic : Manifest
    share : float
        Of the real training pictures of each type; fewer where there are not so many. A larger
        share holds the smaller one of the same seed.
    seed : int
    """
    types = real.column("type")[real.column("split") == "train"]
    wanted = {
        name: round(share * int((types == name).sum()))
        for name in sorted(set(synthetic.column("type")))
    }
    return joined(real, _drawn(synthetic, wanted, seed))


def with_level(real: Manifest, synthetic: Manifest, level: int, seed: int) -> Manifest:
    """Real pictures with synthetic ones until each of their types has so many to learn from.

    Parameters
    ----------
    real, synthetic : Manifest
    level : int
        Real and synthetic training pictures of a type together; a type that has more keeps them,
        one that cannot be filled takes all that there are.
    seed : int
        A higher level holds the lower one of the same seed.
    """
    types = real.column("type")[real.column("split") == "train"]
    missing = {
        name: max(0, level - int((types == name).sum()))
        for name in sorted(set(synthetic.column("type")))
    }
    return joined(real, _drawn(synthetic, missing, seed))


def _drawn(synthetic: Manifest, wanted: Mapping[str, int], seed: int) -> Manifest:
    """So many of each type; fewer where there are not so many."""
    made = synthetic.column("type")
    kept = [
        np.random.default_rng([seed, 13]).permutation(np.flatnonzero(made == name))[:number]
        for name, number in wanted.items()
    ]
    return synthetic.take(np.sort(np.concatenate(kept)).astype(np.intp))


def joined(real: Manifest, synthetic: Manifest) -> Manifest:
    """Both in one table, with what is known of the real pictures: sought duplicates among it."""
    if not len(synthetic):
        return real
    both = merged([real, synthetic], ["real", "synthetic"])
    return replace(both, provenance=(*real.provenance, *both.provenance))


def trained(recipe: ClassifierRecipe, manifest: Manifest, asked: Asked) -> Path:
    """Train, or go on, or pass over what is done.

    Parameters
    ----------
    recipe : ClassifierRecipe
    manifest : Manifest
        Every row has a type and a split.
    asked : Asked
        Its ``data`` is overruled; its ``out`` is the folder of the runs.

    Returns
    -------
    Path
        The run.
    """
    table = write_manifest(asked.out / f"{recipe.name}.parquet", manifest)
    given = replace(asked, data=str(table))
    for _ in run_classifier(recipe, given):
        pass
    return run_folder(recipe, given)
