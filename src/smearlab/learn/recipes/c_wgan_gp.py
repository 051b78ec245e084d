"""C-WGAN-GP of the thesis (Hazra 2022) and its rivals, on the eight types of PBC."""

from dataclasses import replace
from typing import Any

from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.c_wgan_gp import ResidualCriticConfig, ResidualGeneratorConfig
from smearlab.learn.models.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from smearlab.learn.models.fast_generator import TypedFastConfig
from smearlab.learn.synthesis_recipe import SynthesisRecipe
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.transforms.affine_ranges import WHOLE_PIXELS
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: Tables 17 to 20; FID and IS are of Inception-v3.
_FIGURES = (
    "precision", "recall", "F1", "FID", "IS", "LPIPS", "PSNR", "SSIM", "L1", "L2", "hours",
)  # fmt: skip


def _reported(*figures: float, **more: Any) -> dict[str, Any]:
    return {"Tables 17 to 20": dict(zip(_FIGURES, figures, strict=True)), **more}


_COMMON = (
    "the eight types of PBC in the place of eight of PBC and the Munich set: neutrophils for "
    "myeloblasts, no stain normalisation",
    "pictures are mirrored and turned by quarters while they teach",
    "rates, batch, steps of the critic, how often it is penalised, and averaging of the weights "
    "are ours: nothing is said of them",
)
_SMALL = "64 px, half the channels and half the residual blocks, for processors without a GPU"
_TRAIN = AdversarialConfig(
    epochs=25, batch_size=16, lr_generator=3e-4, lr_critic=3e-4, lr_further=1e-3,
    betas_generator=(0.0, 0.9), betas_critic=(0.0, 0.9), schedule="linear", decay_from=0.5,
    ema=0.995, precision="auto", workers=2,
)  # fmt: skip
#: Wasserstein loss with a penalty in every other update of the critic, which has two for one of
#: the generator.
_WASSERSTEIN = replace(
    _TRAIN, loss="wasserstein", penalty="interpolates", penalty_every=2, critic_steps=2
)
#: As the rivals were published; as many pictures pass.
_CROSS_ENTROPY = replace(
    _TRAIN, loss="bce", lr_generator=2e-4, lr_critic=2e-4,
    betas_generator=(0.5, 0.999), betas_critic=(0.5, 0.999),
)  # fmt: skip
_GENERATOR = ResidualGeneratorConfig(size_px=64, width=32, blocks=(1, 2, 1))
_CRITIC = ResidualCriticConfig(size_px=64, width=32, blocks=(1, 2, 2))

C_WGAN_GP = SynthesisRecipe(
    name="c_wgan_gp",
    title="C-WGAN-GP: generator, critic, separate classifier",
    source="Hazra 2022, section 3.5",
    game="classifier",
    generator=_GENERATOR,
    critic=replace(_CRITIC, told="projection"),
    teacher=_CRITIC,
    data=PictureData(("pbc",), "cells8", shares=(0.63, 0.07, 0.3)),
    view=PictureViewConfig(64, 200, WHOLE_PIXELS),
    train=_WASSERSTEIN,
    reported=_reported(
        97.93, 97.60, 97.15, 57.82, 17.73, 0.21, 40.18, 0.9862, 6.91, 3.26, 9.2,
        parameters=9.7e6,
    ),
    deviations=(
        *_COMMON,
        _SMALL,
        "the critic is told the type, by projection, without which the types come out purer than "
        "they are: a critic that is not told sees nothing wrong with a picture that only the "
        "classifier believes; recipe c_wgan_gp_untold has the thesis's",
    ),
)  # fmt: skip
C_WGAN_GP_UNTOLD = replace(
    C_WGAN_GP,
    name="c_wgan_gp_untold",
    title="C-WGAN-GP whose critic is not told the type, as Table 11 has it",
    critic=_CRITIC,
    deviations=(*_COMMON, _SMALL),
)
C_WGAN_GP_FAST = replace(
    C_WGAN_GP,
    name="c_wgan_gp_fast",
    title="C-WGAN-GP with FastGAN's generator, trained for longer than the table's others",
    source="Hazra 2022, section 3.5; Liu et al. 2021",
    generator=TypedFastConfig(),
    train=replace(_WASSERSTEIN, epochs=70, ema=0.998),
    deviations=(
        *C_WGAN_GP.deviations,
        "the generator is FastGAN's, whose maps begin at 4×4 and whose norms are told the type; "
        "the thesis's begins at a quarter of the size, and its cells get clear outlines late",
        "70 epochs; the table's others have 25",
    ),
)
C_WGAN_GP_128 = replace(
    C_WGAN_GP,
    name="c_wgan_gp_128",
    title="C-WGAN-GP at the size of the thesis, 128 px",
    generator=ResidualGeneratorConfig(),
    critic=ResidualCriticConfig(),
    teacher=ResidualCriticConfig(),
    view=replace(C_WGAN_GP.view, size_px=128),
    train=replace(
        _WASSERSTEIN, epochs=3_000, max_steps=40_000, batch_size=64, critic_steps=5,
        penalty_every=1, lr_generator=1e-4, lr_critic=1e-4, lr_further=1e-4, schedule="constant",
        decay_from=0.0, ema=0.999, validate_every=20,
    ),
    deviations=_COMMON,
)  # fmt: skip


def _rival(name: str, title: str, source: str, figures: dict[str, Any], **parts: Any) -> Any:
    """Another game on the same pictures, by networks of the same blocks where it has no own."""
    changed = {"game": "typed", "teacher": None, "train": _CROSS_ENTROPY, **parts}
    said = (*_COMMON, _SMALL, *changed.pop("more", ()))
    return replace(
        C_WGAN_GP, name=name, title=title, source=source, reported=figures, deviations=said,
        **changed,
    )  # fmt: skip


_SPECTRAL = (
    "the critic is spectrally normalised; the paper names nothing that keeps it from winning"
)
_SHARED = "generator and critic are those of C-WGAN-GP: the games are compared, not the networks"
CGAN: SynthesisRecipe = _rival(
    "cgan",
    "conditional GAN: the critic is told the type by planes",
    "Mirza & Osindero 2014",
    _reported(94.78, 92.33, 93.60, 71.33, 11.59, 0.32, 29.99, 0.9461, 13.22, 8.11, 14.0),
    critic=replace(_CRITIC, told="planes", spectral=True),
    more=(_SHARED, _SPECTRAL),
)
ACGAN: SynthesisRecipe = _rival(
    "acgan",
    "AC-GAN: the critic says the type as well",
    "Odena et al. 2017",
    _reported(93.98, 92.16, 93.55, 62.66, 13.32, 0.28, 35.62, 0.9134, 12.94, 8.92, 11.2),
    game="auxiliary",
    critic=replace(_CRITIC, auxiliary=True, spectral=True),
    more=(_SHARED, _SPECTRAL),
)
CWGAN_GP: SynthesisRecipe = _rival(
    "cwgan_gp",
    "conditional WGAN-GP: the critic is told the type by projection; no classifier",
    "Gulrajani et al. 2017; Miyato & Koyama 2018",
    _reported(87.23, 87.46, 88.74, 72.48, 9.83, 0.36, 33.46, 0.8762, 13.26, 9.11, 13.2),
    critic=replace(_CRITIC, told="projection"),
    train=_WASSERSTEIN,
    more=(_SHARED,),
)
INFOGAN: SynthesisRecipe = _rival(
    "infogan",
    "InfoGAN: codes without names, which an ally reads",
    "Chen et al. 2016",
    _reported(91.66, 87.11, 87.46, 70.32, 9.91, 0.33, 29.04, 0.9316, 10.91, 7.47, 12.5),
    game="codes",
    critic=replace(_CRITIC, spectral=True),
    teacher=_CRITIC,
    more=(
        _SHARED,
        _SPECTRAL,
        "the network Q shares no layer with the critic; it is built as the classifier is",
        "each code is given the type that it stands for most often, every type once, by what Q "
        "reads in the training pictures",
    ),
)
DCGAN: SynthesisRecipe = _rival(
    "dcgan",
    "DCGAN of W-Net's authors at 64 px, conditional, trained our way",
    "Radford et al. 2016; networks of Jung et al. 2021",
    _reported(88.62, 88.90, 88.33, 77.91, 8.44, 0.43, 30.83, 0.9232, 11.63, 8.32, 16.1),
    generator=DCGANGeneratorConfig(size_px=64, statistics="running", dropout=0.0),
    critic=DCGANDiscriminatorConfig(size_px=64, widths=(32, 64, 128, 256)),
    more=(
        "networks of its own: those of recipe w_net_dcgan, the discriminator with fewer channels; "
        "the type is joined to the latents and shown to the discriminator by planes",
    ),
)
RECIPES = (
    C_WGAN_GP, C_WGAN_GP_UNTOLD, C_WGAN_GP_FAST, C_WGAN_GP_128, CGAN, ACGAN, CWGAN_GP, INFOGAN,
    DCGAN,
)  # fmt: skip
