"""RWP-GAN (Khan et al. 2024): a conditional GAN for each blood element, and its rivals."""

from dataclasses import replace

from smearlab.learn.models.rwp_discriminator import RWPDiscriminatorConfig
from smearlab.learn.models.rwp_generator import RWPGeneratorConfig
from smearlab.learn.models.unet import UNetConfig
from smearlab.learn.recipes.trainings import BARE
from smearlab.learn.segmentation_recipe import PairData, SegmentationRecipe
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.transforms.pair_views import PairViewConfig

#: Columns of the paper's Table 2, and its rows of test pictures.
_FIGURES = ("SSIM", "PSNR", "SNR", "PCE", "PCC")
_TEST = {
    "RBC": (0.899502, 21.23045, 18.28898, 0.065572, 0.934430),
    "WBC": (0.977765, 34.38795, 34.35404, 0.001668, 0.998332),
    "PLT": (0.956539, 31.81141, 31.80071, 0.000979, 0.999021),
}
#: Table 1: minimum, mean and maximum of every loss.
_LOSSES = {
    "discriminator": {
        "RBC": (0.0855512, 0.8108084, 3.4679773),
        "WBC": (0.3563231, 1.2191777, 2.8275466),
        "PLT": (0.0285471, 1.1596827, 4.1777401),
    },
    "generator": {
        "RBC": (0.0901551, 1.9937623, 7.9675803),
        "WBC": (0.1451996, 1.0230852, 3.6282313),
        "PLT": (0.0742086, 1.1767873, 3.5938938),
    },
    "l1": {
        "RBC": (0.0443960, 0.0776031, 0.4727152),
        "WBC": (0.0004655, 0.0113782, 0.0419668),
        "PLT": (0.0000116, 0.0040520, 0.0185975),
    },
    "generator total": {
        "RBC": (4.7203627, 9.4991832, 16.9016571),
        "WBC": (0.4102790, 2.0890610, 5.8090472),
        "PLT": (0.2525901, 1.4771987, 3.8780067),
    },
}
#: Logits that the critic gives of a picture. The penalty is on the slope of their sum: 30 is what
#: 900 logits of slope one have that look at different pixels. With the target 1 of critics that
#: have one logit, each patch would be left a nine-hundredth.
_PATCHES = 30 * 30

_OF_DATA = (
    "ALL-IDB is given out on request only: white cells learn from the masks of BCCD, what has no "
    "mask from colour segmentation inside boxes; with --data of the extended ALL-IDB1 its own "
    "targets are taken",
    "fields are brought to 64 px a red cell and cropped to 256 px; the paper does not say how "
    "fields of 2592×1944 become pictures of 256",
    "each sample is one of the eight versions, drawn anew, eight a picture and epoch",
    "three of four crops show the element: most others of platelets would be black",
    "what looks like a cell and has no box is neither rewarded nor punished",
    "SSIM's denominators (eqs. 7 and 8) and KID (eq. 17) are misprinted: the standard definitions "
    "hold",
)
_OF_GENERATOR = (
    "one value a channel, as at the bottleneck with a batch of one, is normalised by running "
    "statistics; plain batch norm would make it a constant",
    "in evaluation a picture is normalised by its own statistics, as pix2pix does, or, in the "
    "honest protocol, by running ones if the validation part is segmented better so",
    "noise is off in evaluation unless it is asked for",
)
_OF_PENALTY = (
    "gradient penalty on interpolates, 10 (|slope of the summed logits| / 30 − 1)², a slope of one "
    "a patch; the paper gives neither kind nor weight"
)

#: Section IV.B.
TRAIN = AdversarialConfig(
    batch_size=1, loss="bce", penalty="interpolates", penalty_weight=10 / _PATCHES,
    penalty_target=_PATCHES**0.5, lr_generator=2e-4, lr_critic=2e-4,
    betas_generator=(0.5, 0.999), betas_critic=(0.5, 0.999), precision="auto", workers=2,
)  # fmt: skip
RWP_GAN = SegmentationRecipe(
    name="rwp_gan",
    title="RWP-GAN: red cells, white cells or platelets by a conditional GAN",
    source="Khan et al. 2024, RWP-GAN",
    network=RWPGeneratorConfig(),
    critic=RWPDiscriminatorConfig(spectral=True),
    view=PairViewConfig(),
    honest_view=PairViewConfig(beyond=0.1, scale_jitter=0.1, colour=0.25),
    train=TRAIN,
    epochs={"RBC": 350, "WBC": 350, "PLT": 500},
    watershed={
        "RBC": {"min_area_px": 300.0, "marker_depth": 0.12},
        "WBC": {"min_area_px": 600.0, "marker_depth": 0.3},
        "PLT": {"min_area_px": 30.0, "marker_depth": 0.3},
    },
    reported={
        "test pictures (Table 2)": {
            element: dict(zip(_FIGURES, row, strict=True)) for element, row in _TEST.items()
        },
        "losses, minimum, mean and maximum (Table 1)": _LOSSES,
        "generated pictures (Table 3)": {
            "FID": 16.4, "IS": 3.7, "PSI": 0.91, "KID": 12.3, "WD": 6.5,
        },
        "training, one P100 (section IV.B)": {
            "minutes": {"RBC": 120, "WBC": 120, "PLT": 170}, "seconds a picture": 0.3,
        },
    },
    deviations=(*_OF_DATA, *_OF_GENERATOR, _OF_PENALTY),
    honest_deviations=(
        "honest protocol: places of a smear stay together, light changes of scale and colour, and "
        "the epoch with the best Dice on pictures that are not tested",
    ),
)  # fmt: skip
#: Where people drew masks: nothing else is learned from, and averaged weights count.
MASKS = replace(
    RWP_GAN,
    name="rwp_gan_masks",
    title="RWP-GAN on masks drawn by people alone, its weights averaged",
    train=replace(TRAIN, ema=0.995),
    data=PairData(truths=("mask",)),
    deviations=(
        *RWP_GAN.deviations,
        "only masks that people drew are learned from, none that colour made inside boxes, and "
        "weights are averaged over steps",
    ),
)
#: pix2pix (Isola et al. 2017): neither spectral normalisation nor penalty.
PIX2PIX = replace(
    RWP_GAN,
    name="pix2pix",
    title="pix2pix: RWP-GAN without spectral normalisation and gradient penalty",
    critic=RWPDiscriminatorConfig(),
    train=replace(TRAIN, penalty="none"),
    deviations=(*_OF_DATA, *_OF_GENERATOR),
)
WASSERSTEIN = replace(
    RWP_GAN,
    name="rwp_gan_wgan",
    title="RWP-GAN with the Wasserstein loss",
    train=replace(TRAIN, loss="wasserstein", critic_steps=5),
)
UNET = replace(
    RWP_GAN,
    name="unet_bce_dice",
    title="U-Net of paper A by cross-entropy and Dice, on RWP-GAN's samples",
    network=UNetConfig(),
    critic=None,
    train=replace(BARE, batch_size=8, lr=1e-4),
    deviations=_OF_DATA,
)
RECIPES = (RWP_GAN, MASKS, PIX2PIX, WASSERSTEIN, UNET)
