"""The five classical classifiers: settings, and the scikit-learn pipeline each becomes.

Every pipeline fills what is undefined with the median of the training part and scales to unit
variance before anything is learned, so that nothing is known of held-out pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from smearlab.errors import UsageError

#: Parts of the training pictures that an SVM's probabilities are fitted on in turn.
_CALIBRATION_FOLDS = 5


class ClassifierConfig(Protocol):
    """Settings of a classifier that know how to build it."""

    def estimator(self, training: TrainingPart, seed: int, jobs: int) -> Any:
        """A scikit-learn classifier with ``predict_proba``, not fitted."""
        ...


@dataclass(frozen=True, eq=False)
class TrainingPart:
    """What a classifier learns from.

    Parameters
    ----------
    features : ndarray of float32, shape (N, F)
        NaN where undefined.
    targets : ndarray of int64, shape (N,)
        Class numbers.
    groups : ndarray, shape (N,)
        Equal where pictures are tied, so that parts of them may be held out honestly.

    Raises
    ------
    UsageError
        If the lengths differ, or there are fewer than two classes.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.int64]
    groups: NDArray[Any]

    def __post_init__(self) -> None:
        lengths = {len(self.features), len(self.targets), len(self.groups)}
        if len(lengths) > 1:
            raise UsageError(f"features, targets and groups must be as many; received {lengths}")
        if np.unique(self.targets).size < 2:
            raise UsageError(
                f"a classifier needs pictures of at least two classes; the training part has "
                f"{np.unique(self.targets).size}"
            )


@dataclass(frozen=True)
class BayesConfig:
    """Naïve Bayes with normal distributions, on uncorrelated components.

    Parameters
    ----------
    components : int
        Principal components kept, at least 1; features that go together would be counted as
        many times as there are of them. At most what the training part allows.
    var_smoothing : float
        Share of the largest variance that is added to all, above 0.
    """

    components: int = 40
    var_smoothing: float = 1e-3

    def __post_init__(self) -> None:
        _at_least_one(self, "components")
        _above_zero(self, "var_smoothing")

    def estimator(self, training: TrainingPart, seed: int, jobs: int) -> Any:
        """See :class:`ClassifierConfig`."""
        return _on_components(
            self.components, training, GaussianNB(var_smoothing=self.var_smoothing)
        )


@dataclass(frozen=True)
class SvmConfig:
    """Support vectors with a Gaussian kernel; sigmoids of held-out margins give probabilities.

    Parameters
    ----------
    C : float
        Price of a margin error, above 0.
    gamma_scale : float
        Times 1 / (number of features × their variance), above 0.
    """

    C: float = 10.0
    gamma_scale: float = 0.3

    def __post_init__(self) -> None:
        _above_zero(self, "C")
        _above_zero(self, "gamma_scale")

    def estimator(self, training: TrainingPart, seed: int, jobs: int) -> Any:
        """See :class:`ClassifierConfig`."""
        # Scaled features have variance 1.
        gamma = self.gamma_scale / training.features.shape[1]
        margins = SVC(C=self.C, gamma=gamma, cache_size=500)
        folds = _folds(training, seed)
        return CalibratedClassifierCV(margins, cv=folds, ensemble=False, n_jobs=jobs)


@dataclass(frozen=True)
class NeighboursConfig:
    """Nearest neighbours, weighted by the inverse of their distance.

    Parameters
    ----------
    neighbours : int
        At least 1; at most what the training part has.
    components : int
        Principal components in which distances are measured, at least 1.
    """

    neighbours: int = 9
    components: int = 40

    def __post_init__(self) -> None:
        _at_least_one(self, "neighbours")
        _at_least_one(self, "components")

    def estimator(self, training: TrainingPart, seed: int, jobs: int) -> Any:
        """See :class:`ClassifierConfig`."""
        near = min(self.neighbours, len(training.targets))
        return _on_components(
            self.components, training, KNeighborsClassifier(near, weights="distance", n_jobs=jobs)
        )


@dataclass(frozen=True)
class ForestConfig:
    """Random forest.

    Parameters
    ----------
    trees : int
        At least 1.
    leaf : int
        Pictures in a leaf, at least 1.
    share : float
        Of the features that a split looks at, in (0, 1].
    """

    trees: int = 400
    leaf: int = 1
    share: float = 0.2

    def __post_init__(self) -> None:
        _at_least_one(self, "trees")
        _at_least_one(self, "leaf")
        if not 0 < self.share <= 1:
            raise UsageError(f"share must lie within (0, 1]; received {self.share}")

    def estimator(self, training: TrainingPart, seed: int, jobs: int) -> Any:
        """See :class:`ClassifierConfig`."""
        return RandomForestClassifier(
            self.trees,
            min_samples_leaf=self.leaf,
            max_features=self.share,
            random_state=seed,
            n_jobs=jobs,
        )


@dataclass(frozen=True)
class LdaConfig:
    """Linear discriminant analysis with a shrunken covariance.

    Parameters
    ----------
    shrinkage : float or None
        In [0, 1]; None estimates it (Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4).
    """

    shrinkage: float | None = None

    def __post_init__(self) -> None:
        if self.shrinkage is not None and not 0 <= self.shrinkage <= 1:
            raise UsageError(f"shrinkage must lie in 0 to 1, or be None; received {self.shrinkage}")

    def estimator(self, training: TrainingPart, seed: int, jobs: int) -> Any:
        """See :class:`ClassifierConfig`."""
        shrinkage = "auto" if self.shrinkage is None else self.shrinkage
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)


#: Name → settings.
CLASSIFIERS: Mapping[str, type[Any]] = {
    "bayes": BayesConfig,
    "svm": SvmConfig,
    "knn": NeighboursConfig,
    "forest": ForestConfig,
    "lda": LdaConfig,
}


def fit_classifier(
    config: ClassifierConfig, training: TrainingPart, *, seed: int = 0, jobs: int = 1
) -> Pipeline:
    """Fit imputation, scaling and classifier; the same input gives the same numbers.

    Parameters
    ----------
    config : ClassifierConfig
    training : TrainingPart
    seed : int
        Of what is drawn by chance.
    jobs : int
        Threads; changes nothing but the time.

    Returns
    -------
    Pipeline
        ``classes_`` are the class numbers that occur.
    """
    steps = [
        ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("scale", StandardScaler()),
        ("classify", config.estimator(training, seed, jobs)),
    ]
    # Threads, as processes would load all that has set a filter of warnings here, torch with it;
    # what takes time releases the interpreter's lock.
    with joblib.parallel_config(backend="threading"):
        return Pipeline(steps).fit(training.features.astype(np.float64), training.targets)


def fitted_numbers(pipeline: Pipeline) -> int:
    """How many numbers the classifier itself learned: what parameters are to a network.

    Means, variances and priors (Bayes); support vectors and their weights (SVM); the training
    features (neighbours); feature, threshold and class shares of every node (forest);
    coefficients and offsets (LDA).
    """
    inner = pipeline.named_steps["classify"]
    if isinstance(inner, Pipeline):
        inner = inner[-1]
    if isinstance(inner, CalibratedClassifierCV):
        inner = inner.calibrated_classifiers_[0].estimator
    if isinstance(inner, RandomForestClassifier):
        return sum(t.tree_.node_count * (2 + len(inner.classes_)) for t in inner.estimators_)
    learned = {
        GaussianNB: ("theta_", "var_", "class_prior_"),
        SVC: ("support_vectors_", "dual_coef_", "intercept_"),
        KNeighborsClassifier: ("_fit_X",),
        LinearDiscriminantAnalysis: ("coef_", "intercept_"),
    }
    return sum(int(np.asarray(getattr(inner, name)).size) for name in learned[type(inner)])


def _on_components(components: int, training: TrainingPart, last: Any) -> Pipeline:
    most = min(*training.features.shape, components)
    return Pipeline([("turn", PCA(most, svd_solver="full")), ("decide", last)])


def _folds(training: TrainingPart, seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Parts of whole groups; as many as the rarest class has groups, from 2 on."""
    fewest = min(
        np.unique(training.groups[training.targets == one]).size
        for one in np.unique(training.targets)
    )
    if fewest < 2:
        raise UsageError(
            "the probabilities of an SVM need pictures of at least two groups of every class in "
            f"the training part; the rarest has {fewest}"
        )
    cut = StratifiedGroupKFold(min(_CALIBRATION_FOLDS, fewest), shuffle=True, random_state=seed)
    return list(cut.split(training.features, training.targets, training.groups))


def _at_least_one(config: Any, name: str) -> None:
    if getattr(config, name) < 1:
        raise UsageError(f"{name} must be at least 1; received {getattr(config, name)}")


def _above_zero(config: Any, name: str) -> None:
    if not getattr(config, name) > 0:
        raise UsageError(f"{name} must be above 0; received {getattr(config, name)}")
