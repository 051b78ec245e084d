"""Recipes that segment an element: the paper's numbers, what differs, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.unet import UNetConfig
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.recipes.rwp_gan import PIX2PIX, RWP_GAN, UNET, WASSERSTEIN
from smearlab.learn.segmentation_recipe import LossWeights, PairData, SegmentationRecipe
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.types import ELEMENTS


def test_the_papers_settings() -> None:
    """Section IV.B."""
    train = RWP_GAN.train
    assert isinstance(train, AdversarialConfig)
    assert (train.loss, train.penalty, train.batch_size) == ("bce", "interpolates", 1)
    assert train.penalty_weight * train.penalty_target**2 == pytest.approx(10)
    assert (train.lr_generator, train.lr_critic) == (2e-4, 2e-4)
    assert train.betas_generator == train.betas_critic == (0.5, 0.999)
    assert RWP_GAN.weights.l1 == 100
    assert RWP_GAN.critic is not None and RWP_GAN.critic.spectral
    assert RWP_GAN.epochs == {"RBC": 350, "WBC": 350, "PLT": 500}
    assert (RWP_GAN.view.colour, RWP_GAN.view.scale_jitter, RWP_GAN.view.beyond) == (0, 0, 0)


def test_reported_figures_belong_together() -> None:
    """PCC = 1 − PCE in Table 2, and minimum ≤ mean ≤ maximum in Table 1."""
    for row in RWP_GAN.reported["test pictures (Table 2)"].values():
        assert row["PCC"] == pytest.approx(1 - row["PCE"], abs=3e-6)
    table = RWP_GAN.reported["losses, minimum, mean and maximum (Table 1)"]
    for rows in table.values():
        assert list(rows) == list(ELEMENTS)
        assert all(low < mean < high for low, mean, high in rows.values())


def changes(rival: SegmentationRecipe) -> set[str]:
    named = {"name", "title", "deviations"}
    return {key for key, value in vars(rival).items() if value != getattr(RWP_GAN, key)} - named


def test_rivals_are_the_same_recipe_but_for_two_or_three_lines() -> None:
    assert changes(PIX2PIX) == {"critic", "train"}
    assert PIX2PIX.critic is not None and not PIX2PIX.critic.spectral
    assert replace(PIX2PIX.train, penalty="interpolates") == RWP_GAN.train
    assert changes(WASSERSTEIN) == {"train"}
    assert changes(UNET) == {"network", "critic", "train"}
    names = {"rwp_gan", "rwp_gan_masks", "pix2pix", "rwp_gan_wgan", "unet_bce_dice"}
    assert set(SEGMENTATION_RECIPES) == names


def test_an_element_has_its_epochs_and_a_protocol_its_views() -> None:
    platelets = RWP_GAN.asked_for("PLT", "paper")
    assert (platelets.train.epochs, platelets.view) == (500, RWP_GAN.view)
    honest = RWP_GAN.asked_for("WBC", "honest", ["train.epochs=3", "weights.l1=10"])
    assert (honest.train.epochs, honest.view) == (3, RWP_GAN.honest_view)
    assert honest.weights == LossWeights(l1=10)
    assert honest.view.colour > 0


@pytest.mark.parametrize(
    ("recipe", "setting", "message"),
    [
        ("rwp_gan", "train.lr=1e-3", "unknown key of AdversarialConfig 'lr'"),
        ("rwp_gan", "weight.l1=1", "unknown part of a recipe 'weight'; did you mean 'weights'"),
        ("unet_bce_dice", "critic.spectral=True", "unknown part of a recipe 'critic'"),
        ("rwp_gan", "data.truths=masks", "unknown kind of target 'masks'; did you mean 'mask'"),
        ("rwp_gan", "train.loss=bse", "unknown adversarial loss 'bse'; did you mean 'bce'"),
    ],
)
def test_unknown_settings_are_refused(recipe: str, setting: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        SEGMENTATION_RECIPES[recipe].asked_for("WBC", "honest", [setting])


@pytest.mark.parametrize(
    ("recipe", "setting", "message"),
    [
        ("rwp_gan", "view.size=128", "view.size is 128 and network.input_px 256: set both alike"),
        ("unet_bce_dice", "view.size=100", "view.size must be a multiple of 16 for this U-Net"),
        ("rwp_gan", "weights.l1=-1", "l1 must be at least 0; received -1"),
        ("rwp_gan", "data.per_picture=0", "per_picture must be at least 1; received 0"),
        ("rwp_gan", "data.truths=()", "truths must name mask or boxes, or both"),
    ],
)
def test_impossible_settings_are_refused(recipe: str, setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SEGMENTATION_RECIPES[recipe].asked_for("WBC", "honest", [setting])


def test_parts_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(UsageError, match="a generator has a critic and an AdversarialConfig"):
        replace(RWP_GAN, critic=None)
    with pytest.raises(UsageError, match="received UNetConfig, RWPDiscriminatorConfig"):
        replace(RWP_GAN, network=UNetConfig())


def test_simulated_targets_are_no_choice() -> None:
    with pytest.raises(UnknownNameError, match="unknown kind of target 'simulated'"):
        PairData(truths=("simulated",))
