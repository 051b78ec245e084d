"""Recipes: one file a system, data rather than code."""

from collections.abc import Mapping

from smearlab.learn.classifier_recipe import ClassifierRecipe
from smearlab.learn.recipe import Recipe
from smearlab.learn.recipes import (
    bloodcell_net,
    compact_pbc,
    lwcnn,
    rwp_classify,
    rwp_gan,
    senet154_ge,
    shipped,
    transfer_w_net,
    vgg19_wbc,
    w_net,
)
from smearlab.learn.segmentation_recipe import SegmentationRecipe

#: Every recipe of stages, each of which becomes a bundle, by name.
RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (bloodcell_net.RECIPE, shipped.RECIPE)
}
#: Every recipe of a picture classifier by name.
CLASSIFIER_RECIPES: Mapping[str, ClassifierRecipe] = {
    recipe.name: recipe
    for module in (
        w_net,
        transfer_w_net,
        lwcnn,
        vgg19_wbc,
        senet154_ge,
        rwp_classify,
        compact_pbc,
    )
    for recipe in module.RECIPES
}
#: Every recipe that segments one element at a time, by name.
SEGMENTATION_RECIPES: Mapping[str, SegmentationRecipe] = {
    recipe.name: recipe for recipe in rwp_gan.RECIPES
}
