"""The two networks that ship: cell-centre segmenter and compact cell classifier."""

from smearlab.learn.recipe import Recipe
from smearlab.learn.recipes import shipped_classifier, shipped_segmenter

RECIPE = Recipe(
    name="shipped",
    title="The segmenter and the classifier inside the package",
    source="smearlab",
    stages=(*shipped_segmenter.ROUNDS, *shipped_classifier.ROUNDS),
)
