"""A classical classifier that is fitted: its answers, and how it comes back from a run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.pipeline import Pipeline

from smearlab.errors import RunError, SmearlabError
from smearlab.evaluation.runs import Predictions
from smearlab.io.atomic import write_bytes
from smearlab.learn.classical.classifiers import CLASSIFIERS, TrainingPart, fit_classifier
from smearlab.learn.classical.feature import names_of
from smearlab.learn.classical.features import (
    FEATURE_VERSION,
    FEATURES,
    FeatureConfig,
    columns_of,
    measure,
)
from smearlab.learn.classical.recipes import ClassicalRecipe

#: What a run keeps of the training part, in the place of weights.
KEPT = "features.npz"
#: Probabilities below are not told apart: a forest's are often 0, and 0 has no logarithm.
_LEAST = 1e-12
#: Probabilities of a classifier that was fitted again may differ so much, by another BLAS.
_SAME = 1e-4


@dataclass(frozen=True, eq=False)
class Part:
    """The pictures of one part with their features.

    Parameters
    ----------
    paths, groups, origins : ndarray of str, shape (N,)
        See :class:`smearlab.evaluation.runs.Predictions`.
    targets : ndarray of int64, shape (N,)
    features : ndarray of float32, shape (N, F)
        All of them, in the order of :data:`~smearlab.learn.classical.features.FEATURES`.
    """

    paths: NDArray[np.str_]
    groups: NDArray[np.str_]
    origins: NDArray[np.str_]
    targets: NDArray[np.int64]
    features: NDArray[np.float32]

    def for_training(self, config: FeatureConfig) -> TrainingPart:
        """The features that a recipe uses."""
        return TrainingPart(self.features[:, columns_of(config.groups)], self.targets, self.groups)


@dataclass(frozen=True, eq=False)
class Classical:
    """A fitted classifier.

    Parameters
    ----------
    recipe : ClassicalRecipe
    classes : tuple of str
        K names.
    pipeline : Pipeline
        From :func:`smearlab.learn.classical.classifiers.fit_classifier`.
    """

    recipe: ClassicalRecipe
    classes: tuple[str, ...]
    pipeline: Pipeline

    @classmethod
    def fit(
        cls, recipe: ClassicalRecipe, classes: tuple[str, ...], training: Part, jobs: int = 1
    ) -> Classical:
        """Learn from the training part; ``jobs`` changes nothing but the time."""
        part = training.for_training(recipe.features)
        return cls(
            recipe, classes, fit_classifier(recipe.classifier, part, seed=recipe.seed, jobs=jobs)
        )

    def log_probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logarithms of the probabilities, none below 1e-12.

        Parameters
        ----------
        features : ndarray of float32, shape (N, F)
            From :func:`smearlab.learn.classical.features.measure`; all features.

        Returns
        -------
        ndarray of float32, shape (N, K)
            A softmax gives the probabilities. A class without training pictures has the least.
        """
        logs = np.full((len(features), len(self.classes)), np.log(_LEAST))
        if len(features):
            used = features[:, columns_of(self.recipe.features.groups)].astype(np.float64)
            shares = self.pipeline.predict_proba(used)
            logs[:, self.pipeline.classes_] = np.log(np.maximum(shares, _LEAST))
        return np.asarray(log_softmax(logs, axis=1), np.float32)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of one picture, cut and resized to the recipe's size, shape (K,).

        Raises
        ------
        UsageError
            If the picture is no square of a side that features are measured at.
        """
        return np.asarray(np.exp(self.log_probabilities(measure(pixels)[None])[0]), np.float32)

    def predictions(self, part: Part) -> Predictions:
        """Answers for a part, as runs keep them."""
        return Predictions(
            self.classes,
            part.paths,
            part.groups,
            part.origins,
            part.targets,
            self.log_probabilities(part.features),
        )


def describe(recipe: ClassicalRecipe, classes: tuple[str, ...]) -> dict[str, Any]:
    """What ``config.json`` says of a classical run: all that :func:`load_classical` needs."""
    kind = next(name for name, made in CLASSIFIERS.items() if isinstance(recipe.classifier, made))
    return {
        "kind": "classical",
        "recipe": recipe.name,
        "title": recipe.title,
        "network": kind,
        "classifier": asdict(recipe.classifier),  # type: ignore[call-overload]
        "features": {**asdict(recipe.features), "version": FEATURE_VERSION},
        "seed": recipe.seed,
        "classes": list(classes),
    }


def keep(run: Path, training: Part, check: Part) -> None:
    """Write ``features.npz``: what is fitted again, and pictures that tell whether it is the same.

    Parameters
    ----------
    run : Path
        Folder of the run.
    training : Part
    check : Part
        Whose answers lie in ``predictions-test.npz``, in the same order.
    """
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        names=np.array(names_of(FEATURES)),
        scikit_learn=np.array(sklearn.__version__),
        paths=training.paths,
        groups=training.groups,
        origins=training.origins,
        targets=training.targets,
        features=training.features,
        check=check.features,
    )
    write_bytes(run / KEPT, buffer.getvalue())


def load_classical(run: Path, *, jobs: int = 1) -> Classical:
    """Fit the classifier of a run again and see that it answers as it did.

    Parameters
    ----------
    run : Path
        Folder of a finished classical run.
    jobs : int
        Threads; changes nothing but the time.

    Raises
    ------
    RunError
        If the folder is no such run, was measured with other features, or the classifier answers
        differently: scikit-learn has changed.
    """
    try:
        asked = json.loads((run / "config.json").read_text(encoding="utf-8"))["asked"]
        recipe, classes = _recipe(asked), tuple(asked["classes"])
        with np.load(run / KEPT, allow_pickle=False) as kept:
            arrays = dict(kept)
    except FileNotFoundError as error:
        raise RunError(
            f"{run} is no finished classical run, {Path(str(error.filename)).name} is missing: "
            "name the folder that smearlab train wrote"
        ) from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunError(f"{run} cannot be read ({error}): train the run anew") from error
    version = asked["features"]["version"]
    if version != FEATURE_VERSION or tuple(arrays["names"].tolist()) != names_of(FEATURES):
        raise RunError(
            f"{run} was measured with features of version {version}, this smearlab has version "
            f"{FEATURE_VERSION}: train the run anew"
        )
    training = Part(
        *(arrays[name] for name in ("paths", "groups", "origins", "targets", "features"))
    )
    fitted = Classical.fit(recipe, classes, training, jobs)
    _see_that_it_answers_the_same(fitted, run, arrays)
    return fitted


def _see_that_it_answers_the_same(
    fitted: Classical, run: Path, arrays: Mapping[str, NDArray[Any]]
) -> None:
    before = Predictions.load(run, "test").probabilities
    now = np.exp(fitted.log_probabilities(arrays["check"]).astype(np.float64))
    off = float(np.abs(now - before).max(initial=0)) if now.shape == before.shape else np.inf
    if off > _SAME:
        raise RunError(
            f"the classifier of {run} answers differently when it is fitted again (probabilities "
            f"differ by {off:.2g}): it was made with scikit-learn {arrays['scikit_learn']}, this "
            f"is {sklearn.__version__}; train the run anew"
        )


def _recipe(asked: Mapping[str, Any]) -> ClassicalRecipe:
    """The recipe as ``config.json`` has it."""
    settings = {key: value for key, value in asked["features"].items() if key != "version"}
    try:
        features = FeatureConfig(**{**settings, "groups": tuple(settings["groups"])})
        classifier = CLASSIFIERS[asked["network"]](**asked["classifier"])
    except SmearlabError as error:
        raise ValueError(str(error)) from error
    fresh = ClassicalRecipe(asked["recipe"], asked["title"], classifier, features)
    return replace(fresh, seed=asked["seed"])
