"""Recipes: one file a system, data rather than code."""

from collections.abc import Mapping

from smearlab.learn.recipe import Recipe
from smearlab.learn.recipes import bloodcell_net, shipped

#: Every recipe by name.
RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (bloodcell_net.RECIPE, shipped.RECIPE)
}
