"""Recipes: one file a system, data rather than code."""

from collections.abc import Mapping

from smearlab.learn.classifier_recipe import ClassifierRecipe
from smearlab.learn.few_shot_recipe import FewShotRecipe
from smearlab.learn.recipe import Recipe
from smearlab.learn.recipes import (
    bloodcell_net,
    c_wgan_gp,
    compact_pbc,
    few_shot_gan,
    lwcnn,
    rwp_classify,
    rwp_gan,
    senet154_ge,
    shipped,
    srgan_vgg19,
    transfer_w_net,
    vgg19_wbc,
    w_cyclegan_gp,
    w_net,
    w_net_dcgan,
)
from smearlab.learn.segmentation_recipe import SegmentationRecipe
from smearlab.learn.stain_recipe import StainRecipe
from smearlab.learn.synthesis_recipe import SynthesisRecipe
from smearlab.learn.upscale_recipe import UpscaleRecipe

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
#: Every recipe that makes pictures larger, by name.
UPSCALE_RECIPES: Mapping[str, UpscaleRecipe] = {
    recipe.name: recipe for recipe in srgan_vgg19.RECIPES
}
#: Every recipe that makes pictures of cells, by name.
SYNTHESIS_RECIPES: Mapping[str, SynthesisRecipe] = {
    recipe.name: recipe for module in (w_net_dcgan, c_wgan_gp) for recipe in module.RECIPES
}
#: Every recipe that makes pictures of rare types, by name.
FEW_SHOT_RECIPES: Mapping[str, FewShotRecipe] = {
    recipe.name: recipe for recipe in few_shot_gan.RECIPES
}
#: Every recipe of networks from stain to stain, by name.
STAIN_RECIPES: Mapping[str, StainRecipe] = {recipe.name: recipe for recipe in w_cyclegan_gp.RECIPES}
