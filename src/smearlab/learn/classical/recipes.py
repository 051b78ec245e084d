"""The classical recipes: pictures, features and a classifier, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smearlab.learn.classical.classifiers import (
    BayesConfig,
    ClassifierConfig,
    ForestConfig,
    LdaConfig,
    NeighboursConfig,
    SvmConfig,
)
from smearlab.learn.classical.features import FeatureConfig
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.recipe import override
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: The pictures and folds of the networks on the eight types of PBC.
_PBC = PictureData(("pbc",), "cells8", folds=5)
_PARTS = ("classifier", "features", "data")


@dataclass(frozen=True)
class ClassicalRecipe:
    """A classical classifier as it is trained.

    Parameters
    ----------
    name, title : str
    classifier : ClassifierConfig
    features : FeatureConfig
    data : PictureData
        ``weights`` of it is for losses of networks.
    seed : int
        Of what a classifier draws.
    reported : mapping
        A paper's figures, as fractions.
    deviations : tuple of str
        What was not taken from a paper.
    """

    name: str
    title: str
    classifier: ClassifierConfig
    features: FeatureConfig = field(default_factory=FeatureConfig)
    data: PictureData = _PBC
    seed: int = 0
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ("no paper gives features or settings: these are ours",)

    @property
    def view(self) -> PictureViewConfig:
        """The part of a picture that is measured, and at which size."""
        return PictureViewConfig(self.features.size_px, self.features.crop_px, AffineRanges())


def with_classical_settings(recipe: ClassicalRecipe, settings: Sequence[str]) -> ClassicalRecipe:
    """Apply ``classifier.C=3``, ``features.groups=('shape',)`` or ``data.seed=2``.

    Parameters
    ----------
    recipe : ClassicalRecipe
    settings : sequence of str
        See :func:`smearlab.learn.recipe.override`.

    Raises
    ------
    UnknownNameError
        If a part or a key does not exist.
    UsageError
        If a value does not fit.
    """
    return override(recipe, settings, _PARTS)


CLASSICAL_RECIPES: Mapping[str, ClassicalRecipe] = {
    recipe.name: recipe
    for recipe in (
        ClassicalRecipe(
            "classical_bayes",
            "naïve Bayes on measured features",
            BayesConfig(),
            reported={"accuracy": 0.8185, "where": "Hazra 2022, Figure 52 and page 99; 12 types"},
            deviations=("Hazra names neither features nor settings: these are ours",),
        ),
        ClassicalRecipe("classical_svm", "support vectors on measured features", SvmConfig()),
        ClassicalRecipe("classical_knn", "nearest neighbours by features", NeighboursConfig()),
        ClassicalRecipe("classical_forest", "random forest on measured features", ForestConfig()),
        ClassicalRecipe("classical_lda", "linear discriminants of measured features", LdaConfig()),
    )
}
