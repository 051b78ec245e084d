"""Recipes that make pictures larger: what they say, and which parts go together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.srgan import SRGANDiscriminatorConfig
from smearlab.learn.recipes import UPSCALE_RECIPES
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.upscale_recipe import UpscaleWeights


def test_the_papers_are_there_with_what_they_report() -> None:
    assert set(UPSCALE_RECIPES) == {
        "srgan", "srgan_per_type", "srresnet", "srgan_x2", "srresnet_x2", "srgan_pbc",
        "srgan_per_type_pbc", "srresnet_pbc",
    }  # fmt: skip
    srgan = UPSCALE_RECIPES["srgan"]
    assert srgan.weights == UpscaleWeights(1.0, 1e-3, 1.0)
    assert (srgan.view.high_px, srgan.view.learned_px, srgan.network.factor) == (128, 128, 4)
    assert isinstance(srgan.train, AdversarialConfig)
    assert (srgan.train.epochs, srgan.train.loss) == (200, "bce")
    assert srgan.reported["accuracy of VGG19 (Table 6)"]["test"] == 0.9487
    assert UPSCALE_RECIPES["srgan_per_type"].per_type


@pytest.mark.parametrize("name", UPSCALE_RECIPES)
def test_the_parts_of_a_recipe_go_together(name: str) -> None:
    recipe = UPSCALE_RECIPES[name]
    assert recipe.name == name and recipe.title and recipe.source and recipe.deviations
    assert len(set(recipe.deviations)) == len(recipe.deviations)
    assert set(recipe.data.datasets) <= set(ADAPTERS)
    assert recipe.with_settings() == recipe, "sizes fit as they are"
    assert recipe.network.factor == (2 if name.endswith("_x2") else 4)


def test_settings_change_parts_and_misfits_are_refused() -> None:
    srgan, plain = UPSCALE_RECIPES["srgan"], UPSCALE_RECIPES["srresnet"]
    changed = srgan.with_settings(["view.patch_px=64", "critic.input_px=64", "weights.pixels=0"])
    assert (changed.view.learned_px, changed.weights.pixels) == (64, 0.0)
    assert plain.with_settings(["loss.loss=l1"]).loss.loss == "l1"
    with pytest.raises(UsageError, match=r"pictures of 64 px .* critic\.input_px is 128"):
        srgan.with_settings(["view.patch_px=64"])
    with pytest.raises(UsageError, match="patch_px must be a multiple of the factor, 4"):
        plain.with_settings(["view.patch_px=30"])
    with pytest.raises(UnknownNameError, match="part of a recipe 'critic'"):
        plain.with_settings(["critic.width=4"])
    with pytest.raises(UsageError, match="a critic and an AdversarialConfig go together"):
        replace(plain, critic=SRGANDiscriminatorConfig())
    with pytest.raises(UsageError, match="judged must be at least 1; received 0"):
        replace(plain, judged=0)
    with pytest.raises(UsageError, match="adversarial must be at least 0; received -1"):
        UpscaleWeights(adversarial=-1)
