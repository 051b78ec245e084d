"""Recipes of generators: all are listed, sizes go together, figures are the papers'."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny_synthesis import quick_settings

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.games.conditional import (
    AuxiliaryTypes,
    ReadableCodes,
    SeparateClassifier,
    TypedPictures,
)
from smearlab.learn.models.c_wgan_gp import ResidualCriticConfig
from smearlab.learn.models.dcgan import DCGANDiscriminatorConfig
from smearlab.learn.recipes import SYNTHESIS_RECIPES
from smearlab.learn.recipes.c_wgan_gp import C_WGAN_GP
from smearlab.learn.synthesis_games import build_synthesis_game
from smearlab.learn.synthesis_recipe import SynthesisRecipe, TeachingWeights
from smearlab.learn.train.checkpoints import parameter_count

RIVALS = ("cgan", "acgan", "cwgan_gp", "infogan", "dcgan")


def test_the_papers_recipes_and_all_rivals_are_there() -> None:
    assert set(SYNTHESIS_RECIPES) == {
        "w_net_dcgan", "w_net_dcgan_conditional", "c_wgan_gp", "c_wgan_gp_untold",
        "c_wgan_gp_fast", "c_wgan_gp_128", *RIVALS,
    }  # fmt: skip
    for name, recipe in SYNTHESIS_RECIPES.items():
        assert recipe.name == name
        assert recipe.title and recipe.source and recipe.reported and recipe.deviations


@pytest.mark.parametrize("recipe", SYNTHESIS_RECIPES.values(), ids=lambda r: r.name)
def test_networks_have_the_size_of_the_views(recipe: SynthesisRecipe) -> None:
    networks = [recipe.generator, recipe.critic, *([recipe.teacher] if recipe.teacher else [])]
    assert {network.size_px for network in networks} == {recipe.view.size_px}
    smaller = recipe.with_settings(["view.size_px=32"])
    assert smaller.generator.size_px == smaller.critic.size_px == 32


@pytest.mark.parametrize(
    ("name", "kind", "networks"),
    [
        ("c_wgan_gp", SeparateClassifier, {"generator", "critic", "classifier"}),
        ("c_wgan_gp_fast", SeparateClassifier, {"generator", "critic", "classifier"}),
        ("infogan", ReadableCodes, {"generator", "critic", "reader"}),
        ("acgan", AuxiliaryTypes, {"generator", "critic"}),
        ("cgan", TypedPictures, {"generator", "critic"}),
        ("cwgan_gp", TypedPictures, {"generator", "critic"}),
        ("dcgan", TypedPictures, {"generator", "critic"}),
    ],
)
def test_each_plays_its_game(name: str, kind: type, networks: set[str]) -> None:
    recipe = SYNTHESIS_RECIPES[name].with_settings(quick_settings(name))
    game = build_synthesis_game(recipe.for_types(5))
    assert type(game) is kind
    assert set(game.networks) == networks
    assert game.classes == 5


def test_rivals_share_the_networks_of_c_wgan_gp() -> None:
    for name in RIVALS[:-1]:
        recipe = SYNTHESIS_RECIPES[name]
        assert recipe.generator == C_WGAN_GP.generator
        critic = replace(recipe.critic, told="projection", auxiliary=False, spectral=False)
        assert critic == C_WGAN_GP.critic
        assert (recipe.data, recipe.view) == (C_WGAN_GP.data, C_WGAN_GP.view)
    untold = SYNTHESIS_RECIPES["c_wgan_gp_untold"]
    assert untold.critic == C_WGAN_GP.teacher, "the same network, and nothing is told"
    assert (untold.train, untold.generator) == (C_WGAN_GP.train, C_WGAN_GP.generator)
    fast = SYNTHESIS_RECIPES["c_wgan_gp_fast"]
    assert (fast.critic, fast.teacher, fast.game) == (
        C_WGAN_GP.critic,
        C_WGAN_GP.teacher,
        C_WGAN_GP.game,
    )
    assert isinstance(SYNTHESIS_RECIPES["dcgan"].critic, DCGANDiscriminatorConfig)


def test_the_thesis_networks_are_those_of_128_px() -> None:
    with torch.device("meta"):
        game = build_synthesis_game(SYNTHESIS_RECIPES["c_wgan_gp_128"])
    assert sum(parameter_count(one) for one in game.networks.values()) == 9_695_820


def test_the_papers_figures_are_reported() -> None:
    table = SYNTHESIS_RECIPES["c_wgan_gp"].reported["Tables 17 to 20"]
    assert (table["precision"], table["FID"], table["IS"], table["L2"]) == (
        97.93,
        57.82,
        17.73,
        3.26,
    )
    hours = SYNTHESIS_RECIPES["w_net_dcgan"].reported["training, hours (section 3.7)"]
    assert hours["basophil"] == 34.44


def test_weights_reach_the_game() -> None:
    settings = [*quick_settings("c_wgan_gp"), "weights.types=3"]
    game = build_synthesis_game(C_WGAN_GP.with_settings(settings))
    assert game.weights == {"types": 3.0}


def test_layers_and_sizes_change_together() -> None:
    """Whichever way: four widths take 64 px at most."""
    larger = ["view.size_px=128", "critic.widths=8,8,8,8,8"]
    for settings in (larger, larger[::-1]):
        changed = SYNTHESIS_RECIPES["dcgan"].with_settings(settings)
        assert changed.critic.size_px == 128
    with pytest.raises(UsageError, match="at most 64 with 4 widths; received 128"):
        SYNTHESIS_RECIPES["dcgan"].with_settings(larger[:1])


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(UsageError, match=r"critic.size_px is 32 and view.size_px 64: set view"):
        C_WGAN_GP.with_settings(["critic.size_px=32"])
    with pytest.raises(UnknownNameError, match="part of a recipe 'teachr'; did you mean 'teacher'"):
        C_WGAN_GP.with_settings(["teachr.width=3"])
    with pytest.raises(UnknownNameError, match="part of a recipe 'teacher'"):
        SYNTHESIS_RECIPES["cgan"].with_settings(["teacher.width=3"])
    with pytest.raises(UsageError, match="size_px must be a multiple of 16; received 24"):
        C_WGAN_GP.with_settings(["view.size_px=24"])
    with pytest.raises(UsageError, match=r"data\.folds must be 0, received 5"):
        C_WGAN_GP.with_settings(["data.folds=5"])
    with pytest.raises(UsageError, match="the teacher NoneType"):
        replace(C_WGAN_GP, teacher=None)
    with pytest.raises(UsageError, match=r"says the type \(auxiliary=True\)"):
        replace(C_WGAN_GP, critic=ResidualCriticConfig(auxiliary=True))
    with pytest.raises(UsageError, match="the critic cannot be told the type"):
        replace(SYNTHESIS_RECIPES["infogan"], critic=ResidualCriticConfig(told="planes"))
    with pytest.raises(UsageError, match="only a DCGAN makes a single type"):
        replace(C_WGAN_GP, per_type=True)
    with pytest.raises(UnknownNameError, match="game 'classifer'; did you mean 'classifier'"):
        replace(C_WGAN_GP, game="classifer")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="types must be at least 0; received -1"):
        TeachingWeights(types=-1)
