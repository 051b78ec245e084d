"""W-CycleGAN-GP of the thesis (Hazra 2022), its rivals, and StainNet taught by it."""

from dataclasses import replace
from typing import Any

from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.patch_critic import PatchCriticConfig
from smearlab.learn.models.stain_resnet import StainResNetConfig
from smearlab.learn.models.stain_unet import StainUNetConfig
from smearlab.learn.models.stainnet import StainNetConfig
from smearlab.learn.recipes.trainings import BARE
from smearlab.learn.stain_recipe import StainRecipe, StainWeights
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.patch_ranges import STAIN_PATCHES
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: Tables 13 to 16; FID and IS are of Inception-v3.
_FIGURES = (
    "FID A made", "FID A back", "FID B made", "FID B back", "SSIM A back", "SSIM B back", "IS",
    "hours",
)  # fmt: skip


def _reported(*figures: float) -> dict[str, Any]:
    return {"Tables 13 to 16": dict(zip(_FIGURES, figures, strict=True))}


_STAINS = (
    "from PBC to Raabin-WBC in the place of PBC and the Munich set: five types that both show",
    "partners in a batch are of one type, so that stains are learned and not shares of types",
    "instance norms go by running statistics in use, and in the later part of the training: "
    "pictures are cut into tiles without seams",
    "rates, batch and weights of the losses are ours: the thesis gives none",
)
_SMALL = (
    "patches of 64 px of any magnification, a quarter of the depth and half of the channels, for "
    "processors without a GPU"
)
_GROUND = (
    "every picture is put on the median ground of its stain's training pictures first, in use "
    "too: cameras differ within a stain, and a network that is told no more than 64 px takes one "
    "ground for the other's stain"
)
_UNET = StainUNetConfig((32, 64, 128, 256), base="input", up="resized")
_CRITIC = PatchCriticConfig((32, 64, 128, 256), says="mean", norm=False)
_TRAIN = AdversarialConfig(
    epochs=10, batch_size=8, loss="wasserstein", penalty="interpolates", lr_generator=3e-4,
    lr_critic=6e-4, betas_generator=(0.0, 0.9), betas_critic=(0.0, 0.9), schedule="linear",
    decay_from=0.5, ema=0.995, precision="auto", workers=2,
)  # fmt: skip

W_CYCLEGAN_GP = StainRecipe(
    name="w_cyclegan_gp",
    title="W-CycleGAN-GP: stain to stain and back by U-Nets and Wasserstein critics",
    source="Hazra 2022, section 3.4",
    learning="unpaired",
    network=_UNET,
    critic=_CRITIC,
    data=PictureData(("pbc", "txl_pbc"), "wbc5", shares=(0.6, 0.1, 0.3)),
    stains=("PBC", "Raabin-WBC"),
    view=PictureViewConfig(64, 128, STAIN_PATCHES),
    train=_TRAIN,
    weights=StainWeights(cycle=100.0, identity=50.0),
    same_ground=True,
    reported=_reported(4.9834, 3.7155, 4.2130, 3.7126, 0.9834, 0.9869, 96.26, 10.6),
    deviations=(
        *_STAINS,
        _GROUND,
        _SMALL,
        "the answer is added to the picture, from which a fresh network hardly differs, and maps "
        "are resized where the thesis has transposed convolutions, which left a mesh on nuclei; "
        "--set network.base=none network.up=transposed is the thesis's",
        "critics without norm, which hides a cast, and with one logit a picture: a penalty on its "
        "slope is that of a Wasserstein critic",
        "weights of 100 and 50 for cycle and identity: beside such a critic 10 and 5 would hardly "
        "count",
    ),
)
PAPER_SIZE = replace(
    W_CYCLEGAN_GP,
    name="w_cyclegan_gp_256",
    title="W-CycleGAN-GP at 256 px",
    network=StainUNetConfig(),
    critic=PatchCriticConfig(says="mean"),
    view=PictureViewConfig(256, 224, replace(STAIN_PATCHES, zoom=(1.0, 2.0))),
    judged_px=256,
    same_ground=False,
    train=replace(
        _TRAIN, epochs=150, lr_generator=1e-4, lr_critic=2e-4, ema=0.999, validate_every=5
    ),
    deviations=(*_STAINS, "256 px and widths of the U-Net are ours: the thesis gives neither"),
)
CYCLEGAN = replace(
    W_CYCLEGAN_GP,
    name="cyclegan",
    title="CycleGAN: least squares and residual generators",
    source="Zhu et al. 2017, section 4 and appendix 7; rival in Hazra 2022",
    network=StainResNetConfig(24, 6),
    critic=PatchCriticConfig((32, 64, 128, 256)),
    train=replace(
        _TRAIN, epochs=5, batch_size=4, loss="least_squares", penalty="none", lr_generator=2e-4,
        lr_critic=2e-4, betas_generator=(0.5, 0.999), betas_critic=(0.5, 0.999),
    ),
    weights=StainWeights(cycle=10.0, identity=5.0),
    reported=_reported(9.9732, 5.6637, 11.7466, 6.4624, 0.9535, 0.9662, 88.34, 12.1),
    deviations=(
        *_STAINS,
        _GROUND,
        "patches of 64 px, six residual blocks, 24 and 32 channels in the place of 64, for "
        "processors without a GPU; --set network.width=64 network.blocks=9 is the paper's",
        "critics see what was just made, not a store of older pictures",
    ),
)  # fmt: skip
PIX2PIX = replace(
    W_CYCLEGAN_GP,
    name="pix2pix_stain",
    title="pix2pix: any stain to one, by pictures whose stain was moved",
    source="Isola et al. 2017; rival in Hazra 2022",
    learning="jittered",
    same_ground=False,
    critic=PatchCriticConfig((32, 64, 128, 256), channels_in=6),
    train=replace(
        _TRAIN, epochs=150, loss="bce", penalty="none", lr_generator=2e-4, lr_critic=2e-4,
        betas_generator=(0.5, 0.999), betas_critic=(0.5, 0.999), validate_every=10,
    ),
    weights=StainWeights(l1=100.0),
    reported=_reported(14.5771, 9.8405, 13.5682, 8.3391, 0.9122, 0.9256, 85.67, 13.1),
    deviations=(
        *_STAINS[:1],
        *_STAINS[2:],
        "nobody has stained a smear twice: the stain of a picture is moved at random, and the "
        "network moves it back; pictures of the other stain are only judged by",
        "one way, from any stain to B",
        _SMALL,
    ),
)  # fmt: skip
STAINNET = StainRecipe(
    name="stainnet",
    title="StainNet: a curve of colours, taught by a trained generator",
    source="Kang et al. 2021",
    learning="taught",
    network=StainNetConfig(),
    critic=None,
    data=W_CYCLEGAN_GP.data,
    stains=W_CYCLEGAN_GP.stains,
    view=PictureViewConfig(96, 192, AffineRanges()),
    train=replace(BARE, epochs=30, batch_size=4, lr=5e-3, schedule="cosine", workers=0),
    reported={"parameters": 1_283},
    deviations=(
        "taught by W-CycleGAN-GP of this project, or whatever --teacher names",
        "Adam at 0.005 for 30 epochs in batches of 4, in the place of stochastic gradient descent "
        "for 300",
    ),
)

RECIPES = (W_CYCLEGAN_GP, PAPER_SIZE, CYCLEGAN, PIX2PIX, STAINNET)
