"""From a recipe's data to the networks and the game that it names."""

from __future__ import annotations

from smearlab.learn.games.conditional import (
    AuxiliaryTypes,
    ReadableCodes,
    SeparateClassifier,
    TypedPictures,
)
from smearlab.learn.models.c_wgan_gp import (
    ResidualClassifier,
    ResidualCritic,
    ResidualCriticConfig,
)
from smearlab.learn.models.dcgan import DCGANDiscriminator, DCGANDiscriminatorConfig
from smearlab.learn.models.generators import build_generator
from smearlab.learn.synthesis_recipe import SynthesisRecipe


def build_synthesis_critic(
    config: DCGANDiscriminatorConfig | ResidualCriticConfig,
) -> DCGANDiscriminator | ResidualCritic:
    """The critic of a configuration, with fresh weights."""
    if isinstance(config, DCGANDiscriminatorConfig):
        return DCGANDiscriminator(config)
    return ResidualCritic(config)


def build_synthesis_game(recipe: SynthesisRecipe) -> TypedPictures:
    """The game of a recipe, all networks with fresh weights.

    Parameters
    ----------
    recipe : SynthesisRecipe
        As :meth:`~smearlab.learn.synthesis_recipe.SynthesisRecipe.for_types` gives it.
    """
    generator, critic = build_generator(recipe.generator), build_synthesis_critic(recipe.critic)
    weights = recipe.weights
    if recipe.teacher is None:
        if recipe.game == "auxiliary":
            return AuxiliaryTypes(generator, critic, weights.types)
        return TypedPictures(generator, critic)
    teacher = ResidualClassifier(recipe.teacher)
    if recipe.game == "classifier":
        return SeparateClassifier(generator, critic, teacher, weights.types)
    return ReadableCodes(generator, critic, teacher, weights.information)
