"""SRGAN (Ferdousi et al. 2024): white cells at four times the resolution, and its rivals."""

from dataclasses import replace

from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.srgan import SRGANDiscriminatorConfig, SRGANGeneratorConfig
from smearlab.learn.recipes.trainings import BARE
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.transforms.upscale_views import UpscaleViewConfig
from smearlab.learn.upscale_recipe import UpscaleRecipe, UpscaleWeights
from smearlab.preprocess.central_square import W_NET_CROP_PX

_SHARED = (
    "the archive's own split in the paper's protocol; a tenth of the training part validates",
    "no augmentation but quarter turns and mirroring: the archive's pictures are augmented "
    "already, and turning by 15° would blur what shall be learned",
    "the width of the Gaussian filter is not given: 1.6 px for a factor of 4, 0.8 px for 2",
    "the answer is added to the bicubically enlarged picture, from which a fresh network does not "
    "differ; --set network.base=none is the paper's",
    "Adam's rate is not given: 1e-4, as in Ledig et al. 2017",
)

SRGAN = UpscaleRecipe(
    name="srgan",
    title="SRGAN: pictures of four times the sides, sharpened by an adversary",
    source="Ferdousi et al. 2024, sections 3.1, 3.2 and 5.2",
    network=SRGANGeneratorConfig(base="bicubic"),
    critic=SRGANDiscriminatorConfig(),
    data=PictureData(("bccd4",), "wbc4", split="published"),
    view=UpscaleViewConfig(),
    train=AdversarialConfig(
        epochs=200, batch_size=16, loss="bce", lr_generator=1e-4, lr_critic=1e-4,
        betas_generator=(0.9, 0.999), betas_critic=(0.9, 0.999), precision="auto", workers=2,
        validate_every=10,
    ),
    weights=UpscaleWeights(content=1.0, adversarial=1e-3, pixels=1.0),
    reported={
        "accuracy of VGG19 (Table 6)": {"test": 0.9487, "train": 0.9741, "val": 0.9322},
        "parameters (Tables 1 and 2)": {"generator": 2_044_291, "critic": 38_249_281},
        "pictures made (section 5.2)": 4_000,
    },
    deviations=(
        *_SHARED,
        "content by features of the shipped blood-cell classifier, stage 2, beside the pixels "
        "themselves; VGG19 with --set content.weights=FILE content.layer=conv5_4 weights.pixels=0",
        "one network for all types; srgan_per_type has one a type, as the paper",
        "batches of 16; the paper does not say",
    ),
)  # fmt: skip
PER_TYPE = replace(
    SRGAN,
    name="srgan_per_type",
    title="SRGAN for one type of cell, as the paper trains it",
    per_type=True,
    deviations=tuple(said for said in SRGAN.deviations if not said.startswith("one network")),
)
SRRESNET = UpscaleRecipe(
    name="srresnet",
    title="SRResNet: SRGAN's generator without the adversary",
    source="Ledig et al. 2017, section 3.2; the network of Ferdousi et al. 2024",
    network=SRGAN.network,
    critic=None,
    data=SRGAN.data,
    view=SRGAN.view,
    train=replace(BARE, epochs=50, batch_size=16, lr=1e-4),
    deviations=_SHARED,
)


def _twice(recipe: UpscaleRecipe) -> UpscaleRecipe:
    return replace(
        recipe,
        name=f"{recipe.name}_x2",
        title=recipe.title.replace("four times", "twice") + ", factor 2",
        network=replace(recipe.network, factor=2),
        deviations=(*recipe.deviations, "factor 2"),
    )


def _on_pbc(recipe: UpscaleRecipe) -> UpscaleRecipe:
    """On the middle of PBC's pictures, which are split by us in both protocols."""
    return replace(
        recipe,
        name=f"{recipe.name}_pbc",
        title=f"{recipe.title}, on eight types of PBC",
        data=PictureData(("pbc",), "cells8"),
        view=UpscaleViewConfig(crop_px=W_NET_CROP_PX),
        reported={},
        deviations=(
            *recipe.deviations[1:],
            f"on PBC: the middle {W_NET_CROP_PX} px at 128 px",
        ),
    )


RECIPES = (
    SRGAN, PER_TYPE, SRRESNET, _twice(SRGAN), _twice(SRRESNET), _on_pbc(SRGAN), _on_pbc(PER_TYPE),
    _on_pbc(SRRESNET),
)  # fmt: skip
