"""Recipes from stain to stain: sizes go together, figures are the papers', settings are checked."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny_stains import quick_settings

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.stain_ways import StainCritics, build_stain_network
from smearlab.learn.recipes import STAIN_RECIPES
from smearlab.learn.recipes.w_cyclegan_gp import STAINNET, W_CYCLEGAN_GP
from smearlab.learn.stain_recipe import StainRecipe, StainWeights
from smearlab.learn.train.checkpoints import parameter_count


def test_the_thesis_and_its_rivals_are_there() -> None:
    assert list(STAIN_RECIPES) == [
        "w_cyclegan_gp", "w_cyclegan_gp_256", "cyclegan", "pix2pix_stain", "stainnet",
    ]  # fmt: skip
    for name, recipe in STAIN_RECIPES.items():
        assert recipe.name == name
        assert recipe.title and recipe.source and recipe.reported and recipe.deviations
        assert recipe.with_settings() == recipe
        assert recipe.stains == ("PBC", "Raabin-WBC"), "never BCCD"
    figures = W_CYCLEGAN_GP.reported["Tables 13 to 16"]
    assert (figures["FID B made"], figures["SSIM A back"]) == (4.2130, 0.9834)


@pytest.mark.parametrize(
    ("name", "generator", "critics"),
    [
        ("w_cyclegan_gp", 1_174_516, 1_388_482),
        ("w_cyclegan_gp_256", 29_241_731, 5_529_474),
        ("cyclegan", 1_107_459, 1_388_482),
    ],
)
def test_networks_of_recipes_have_golden_sizes(name: str, generator: int, critics: int) -> None:
    recipe = STAIN_RECIPES[name]
    with torch.device("meta"):
        assert parameter_count(build_stain_network(recipe.network)) == generator
        assert parameter_count(StainCritics(recipe.critic)) == critics


def test_the_judged_view_is_as_fine_as_an_unchanged_one() -> None:
    view = W_CYCLEGAN_GP.judged_view
    assert (view.size_px, view.crop_px) == (96, 192)
    assert view.crop_px / view.size_px == W_CYCLEGAN_GP.view.crop_px / 64  # type: ignore[operator]
    assert 1.9 * view.crop_px <= 575, "it lies within a field of Raabin"
    assert view.crop_px <= 224, "and within a picture of PBC"


def test_settings_reach_every_part() -> None:
    changed = W_CYCLEGAN_GP.with_settings(
        [
            "weights.cycle=3",
            "settle=0.25",
            "judged=7",
            "judged_px=32",
            "critic.norm=True",
            "same_ground=False",
        ],
        (None, "BCCD"),
    )
    assert (changed.weights.cycle, changed.settle, changed.judged) == (3.0, 0.25, 7)
    assert changed.judged_px == 32 and changed.critic and changed.critic.norm
    assert changed.stains == ("PBC", "BCCD")
    assert W_CYCLEGAN_GP.same_ground and not changed.same_ground
    assert STAINNET.with_settings(["loss.loss=mse"]).loss.loss == "mse"
    for name, recipe in STAIN_RECIPES.items():
        recipe.with_settings(quick_settings(name))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["view.size_px=40"], "view.size_px must be a multiple of 16 px .* received 40"),
        (["judged_px=24"], "judged_px must be a multiple of 16 px .* received 24"),
        (["view.size_px=16"], "view.size_px must be at least 24 px for this critic; received 16"),
        (["judged=0"], "judged must be at least 1; received 0"),
        (["judged=many"], "judged must be a whole number; received 'judged=many'"),
        (["same_ground=no"], "same_ground must be True or False; received 'same_ground=no'"),
        (["settle=2"], r"settle must lie within \[0, 1\]; received 2.0"),
        (["data.folds=3"], "w_cyclegan_gp learns from the training parts of two stains"),
        (["weights.cycle=-1"], "cycle must be at least 0; received -1"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        W_CYCLEGAN_GP.with_settings(settings)


def test_what_is_unknown_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"setting 'settles'.*did you mean 'settle'"):
        W_CYCLEGAN_GP.with_settings(["settles=1"])
    with pytest.raises(UnknownNameError, match="part of a recipe 'critic'"):
        STAINNET.with_settings(["critic.norm=True"])
    with pytest.raises(UsageError, match="stains A and B are both PBC"):
        W_CYCLEGAN_GP.with_settings([], (None, "PBC"))
    with pytest.raises(UnknownNameError, match="way of learning 'paired'"):
        replace(W_CYCLEGAN_GP, learning="paired")
    with pytest.raises(UsageError, match="a network that is unpaired needs critic and Adversarial"):
        replace(W_CYCLEGAN_GP, critic=None)
    with pytest.raises(UsageError, match="a network that is taught has no critic"):
        replace(STAINNET, critic=W_CYCLEGAN_GP.critic)
    with pytest.raises(UsageError, match="jitter must be at least 0; received -2"):
        StainWeights(jitter=-2)
    assert isinstance(W_CYCLEGAN_GP, StainRecipe)
