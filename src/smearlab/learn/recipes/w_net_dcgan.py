"""DCGAN of paper C (Jung et al. 2021): white cells of one type, or of all five with one network."""

from dataclasses import replace

from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from smearlab.learn.recipes.w_net import PROPORTIONS
from smearlab.learn.synthesis_recipe import SynthesisRecipe
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.transforms.affine_ranges import WHOLE_PIXELS, AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: Order of the hours in section 3.7.
_TYPES = ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte")
_COMMON = (
    "PBC restricted to the five types and drawn in the paper's proportions, in the place of 6,562 "
    "private pictures",
    "only the training part is learnt from; the paper does not say that pictures were held out",
    "strides, and the place of the generator's dropout, follow from nothing that is said: the "
    "first four and five steps change the size, dropout follows the dense layer",
    "0.6 is read as the share that dropout keeps, as in W-Net",
    "one value a channel, as after the dense layer with a batch of one, is normalised by running "
    "statistics; plain batch norm would make it a constant",
    "Adam with β = (0.5, 0.999), as DCGAN has it; the paper names the rate alone",
)
W_NET_DCGAN = SynthesisRecipe(
    name="w_net_dcgan",
    title="DCGAN of W-Net's authors, one type a network (--type)",
    source="Jung et al. 2021, W-Net, section 3.7",
    game="typed",
    generator=DCGANGeneratorConfig(),
    critic=DCGANDiscriminatorConfig(),
    data=PictureData(("pbc",), "wbc5", proportions=PROPORTIONS),
    view=PictureViewConfig(128, 200, AffineRanges()),
    train=AdversarialConfig(
        epochs=10_000, batch_size=1, loss="bce", lr_generator=1e-5, lr_critic=1e-5,
        precision="auto", workers=2, validate_every=100,
    ),
    per_type=True,
    reported={
        "parameters (section 3.7)": {"generator": 2_780_099, "discriminator": 69_878_401},
        "training, hours (section 3.7)": dict(
            zip(_TYPES, (191.66, 120.13, 34.44, 158.33, 91.66), strict=True)
        ),
        "making 1,000 pictures, hours (section 3.7)": dict(
            zip(_TYPES, (154.72, 93.61, 26.11, 116.66, 66.66), strict=True)
        ),
    },
    deviations=_COMMON,
)  # fmt: skip
CONDITIONAL = replace(
    W_NET_DCGAN,
    name="w_net_dcgan_conditional",
    title="DCGAN of W-Net's authors, five types in one network",
    per_type=False,
    view=replace(W_NET_DCGAN.view, ranges=WHOLE_PIXELS),
    deviations=(
        *_COMMON,
        "pictures are mirrored and turned by quarters while they teach",
        "the paper has a network for each type; here the type is joined to the latents, and shown "
        "to the discriminator by a plane for each",
    ),
)
RECIPES = (W_NET_DCGAN, CONDITIONAL)
