"""Few-shot GAN of the thesis (Hazra 2022) and its rivals: three types of PBC held down to a few.

The thesis's rare types are not in PBC: monoblast (26 pictures), promyelocyte (87) and smudge cells
(15). In their places stand monocytes, the grown form of the first; immature granulocytes, among
which PBC counts promyelocytes; and basophils, the rarest white cell of healthy blood.
"""

from dataclasses import replace
from typing import Any

from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.few_shot_recipe import Adaptation, FewShotRecipe, Joint, Playing
from smearlab.learn.models.few_shot_gan import FewShotConfig
from smearlab.learn.models.figr import FIGRConfig
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.episodes import MetaConfig
from smearlab.learn.transforms.affine_ranges import WHOLE_PIXELS
from smearlab.learn.transforms.picture_views import PictureViewConfig


def _reported(fid: float, inception: float, lpips: float, **more: Any) -> dict[str, Any]:
    """Table 21; hours, episodes and parameters are those of Table 22."""
    return {"FID": fid, "IS": inception, "LPIPS": lpips, **more, "where": "Tables 21 and 22"}


_STAND_INS = (
    "monocytes, immature granulocytes and basophils of PBC, held down to 26, 87 and 15 training "
    "pictures, in the place of monoblasts, promyelocytes and smudge cells; the five other types "
    "are the common ones"
)
_COMMON = (
    _STAND_INS,
    "real pictures of the common types are learnt from, not those that C-WGAN-GP made of them",
    "pictures are mirrored and turned by quarters while they teach",
    "64 px and half the channels, for processors without a GPU; the thesis has 256 px",
    "rates, shots, inner steps and averaging are ours: the thesis does not give them",
)
#: FID and IS are of Inception-v3; Table 21's IS is the lowest where the text says the highest.
_TABLE = "Table 21 prints the lowest IS for the proposed network; its text calls it the highest"

FEW_SHOT_GAN = FewShotRecipe(
    name="few_shot_gan",
    title="Few-shot GAN: encoder, generator and critic, meta-trained and adapted",
    source="Hazra 2022, section 3.6",
    begin="meta",
    generator=FewShotConfig(size_px=64, width=16),
    data=PictureData(("pbc",), "cells8", shares=(0.63, 0.07, 0.3)),
    view=PictureViewConfig(64, 200, WHOLE_PIXELS),
    train=AdversarialConfig(
        epochs=3, batch_size=10, loss="bce", lr_generator=2e-4, lr_critic=8e-4,
        schedule="linear", decay_from=0.5, precision="auto",
    ),
    meta=MetaConfig(shots=10, inner_steps=5, lr_outer=1.0),
    joint=Joint(epochs=12),
    adapt=Adaptation(steps=150, round_steps=50, ema=0.98),
    play=Playing(encoder_l1=3.0),
    reported=_reported(51.62, 3.16, 0.2956, hours=5.18, episodes=20_000, parameters=5_800_000),
    deviations=(*_COMMON, "20,000 episodes take a GPU; 300 here, then 150 steps for each type",
                "before them, 12 epochs of all common pictures together: 700 episodes alone left "
                "pictures that do not follow the encoded one, and a mesh",
                "the generator's loss is −log D(G), without the constant term of equation 38",
                "the ratio of the mode-seeking term is bounded, not its inverse", _TABLE),
)  # fmt: skip
FIGR = replace(
    FEW_SHOT_GAN,
    name="figr",
    title="FIGR: generator and critic moved by Reptile, without encoder",
    source="Clouâtre & Demers 2019; Hazra 2022, Table 21",
    generator=FIGRConfig(size_px=64, width=16),
    joint=Joint(epochs=24),
    adapt=Adaptation(steps=1000, ema=0.99),
    play=Playing(),
    train=replace(
        FEW_SHOT_GAN.train, loss="wasserstein", penalty="interpolates", lr_generator=3e-4,
        lr_critic=3e-4, betas_generator=(0.0, 0.9), betas_critic=(0.0, 0.9), critic_steps=2,
        penalty_every=2,
    ),
    reported=_reported(98.83, 15.77, 0.6721, hours=19.0, episodes=80_000, parameters=11_500_000),
    deviations=(
        *_COMMON,
        "residual networks of our own sizes",
        "80,000 episodes take a GPU; 300 here, then 1,000 steps for each type",
        "before them, 24 epochs of all common pictures together: 300 episodes alone left one "
        "blurred picture, whatever the noise",
        "plain steps of Reptile; the published ones give the way to Adam (meta.outer=adam)",
    ),
)  # fmt: skip
FASTGAN_DIFFAUGMENT = replace(
    FEW_SHOT_GAN,
    name="fastgan_diffaugment",
    title="FastGAN with DiffAugment, of the rare type's pictures alone",
    source="Liu et al. 2021; Zhao et al. 2020; Hazra 2022, Table 21",
    begin="none",
    generator=FewShotConfig(size_px=64, width=16, features=0, rebuilds=True),
    train=replace(FEW_SHOT_GAN.train, loss="hinge", lr_critic=2e-4, batch_size=8),
    adapt=Adaptation(steps=3000, ema=0.995),
    play=Playing(augment=("colour", "translation", "cutout")),
    reported={
        "FastGAN": _reported(67.33, 9.91, 0.4517, hours=7.5, parameters=7_600_000),
        "DiffAugment": _reported(102.27, 19.52, 0.7783, hours=21.2, parameters=13_400_000),
    },
    deviations=(
        _STAND_INS,
        _COMMON[2],
        _COMMON[3],
        "the thesis trains FastGAN and DiffAugment apart; here they go together",
        "what the critic rebuilds is compared by L1, not by LPIPS, whose weights are not shipped",
    ),
)
FREEZE_D = replace(
    FEW_SHOT_GAN,
    name="freeze_d",
    title="Transfer from the common types, the critic's lower layers frozen",
    source="Mo et al. 2020, FreezeD; in the place of MineGAN in Hazra 2022, Table 21",
    begin="joint",
    generator=FewShotConfig(size_px=64, width=16, features=0),
    train=replace(FEW_SHOT_GAN.train, loss="hinge", lr_critic=2e-4, epochs=28, batch_size=16),
    adapt=Adaptation(steps=1000, ema=0.99, freeze=4),
    play=Playing(),
    reported={"MineGAN": _reported(88.90, 12.32, 0.6013, hours=17.2, parameters=10_200_000)},
    deviations=(_STAND_INS, _COMMON[2], _COMMON[3], "FreezeD in the place of MineGAN"),
)

RECIPES = (FEW_SHOT_GAN, FIGR, FASTGAN_DIFFAUGMENT, FREEZE_D)
