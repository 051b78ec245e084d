"""Healthy or blast (Khan et al. 2024, RWP-GAN, section IV.D), and what stands in for it.

Pictures are those that ``smearlab data segment`` makes: the white cells alone, on black.
"""

from collections.abc import Mapping
from dataclasses import replace

from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.objectives import Classification
from smearlab.learn.recipes.trainings import BARE, TUNED
from smearlab.learn.transforms.affine_ranges import AffineRanges, EightVersionRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: 80:20; a tenth of the 80 validates.
_SHARES = (0.72, 0.08, 0.2)
_SPLIT = (
    "a fifth of the pictures is tested, as the text says; its percentages are those of 18 pictures "
    "of ALL-IDB1 and 44 of ALL-IDB2, a sixth",
    "a tenth of the training part validates",
)
_SEGMENTED = "white cells are segmented by the model that was given to smearlab data segment"

CELLS = ClassifierRecipe(
    name="rwp_classify",
    title="Healthy or blast, single cells, by ResNet-50, its body frozen",
    source="Khan et al. 2024, RWP-GAN, section IV.D",
    network="resnet50",
    data=PictureData(("all_idb2",), "health2", shares=_SHARES),
    view=PictureViewConfig(224, None, EightVersionRanges()),
    train=replace(BARE, epochs=100, batch_size=128, lr=1e-4, optimizer="sgd", nesterov=False),
    freeze=True,
    segmented="WBC",
    deviations=(
        "weights are those given with --weights (the paper's: ImageNet)",
        _SEGMENTED,
        "each view is one of the eight versions, so an epoch sees one of each picture",
        "100 epochs; the paper names no number",
        *_SPLIT,
    ),
)
FIELDS = replace(
    CELLS,
    name="rwp_classify_fields",
    title="Healthy or blast, fields, by ResNet-50, its body frozen",
    data=replace(CELLS.data, datasets=("all_idb1",)),
)
#: Nobody's blasts are here: immature cells of healthy people show that the phase works.
_NO_BLASTS = (
    "not healthy or blast: all cells are of people without a disease of the blood; immature are "
    "immature granulocytes and erythroblasts, mature the five usual white cells"
)
_SEEN = f"{_SEGMENTED}; the shipped one has learned from pictures of PBC, tested ones among them"
MATURITY = replace(
    CELLS,
    name="rwp_classify_maturity",
    title="Mature or immature white cells of PBC by ResNet-50, in the place of healthy or blast",
    source="this project: a stand-in for paper B's classification, whose pictures are not public",
    data=PictureData(("pbc",), "maturity2", shares=_SHARES, weights="inverse"),
    view=PictureViewConfig(224, 224, AffineRanges((-180.0, 180.0), mirrored=0.5), colour=0.2),
    train=replace(TUNED, epochs=20),
    loss=Classification(label_smoothing=0.05),
    freeze=False,
    deviations=(
        _NO_BLASTS,
        _SEEN,
        "all of the network is trained, from scratch where no weights are given",
    ),
)
MATURITY_FIELDS = replace(
    MATURITY,
    name="rwp_classify_maturity_fields",
    title="Mature or immature, all white cells of a picture of PBC, by ResNet-50",
    deviations=(
        *MATURITY.deviations,
        "in the place of a field of many cells: one in the middle, whose neighbours stay",
    ),
)
#: In the place of ImageNet's weights, which are not shipped: white cells of other smears, whole.
BODY = replace(
    MATURITY,
    name="rwp_body",
    title="A body for the frozen recipes: ResNet-50 on four white cells of BCCD",
    source="this project: in the place of weights of ImageNet",
    data=PictureData(("bccd4",), "wbc4"),
    view=PictureViewConfig(128, None, AffineRanges((-180.0, 180.0), mirrored=0.5), colour=0.2),
    train=replace(TUNED, epochs=10),
    segmented=None,
    deviations=("no paper's: ImageNet's weights are not shipped, and a frozen body wants some",),
)
#: Network → its name, and what the paper reports of ALL-IDB2 and of ALL-IDB1.
NETWORKS: Mapping[str, tuple[str, float, float]] = {
    "resnet50": ("ResNet-50", 0.8864, 0.8888),
    "resnet101": ("ResNet-101", 0.9091, 0.9444),
    "mobilenet_v2": ("MobileNetV2", 0.8182, 0.8333),
}


def _by(network: str, recipe: ClassifierRecipe) -> ClassifierRecipe:
    title, on_2, on_1 = NETWORKS[network]
    told = {"accuracy": on_1 if recipe is FIELDS else on_2, "where": "section IV.D"}
    return replace(
        recipe,
        name=recipe.name if network == "resnet50" else f"{recipe.name}_{network}",
        title=recipe.title.replace("ResNet-50", title),
        network=network,
        reported=told if recipe in (CELLS, FIELDS) else {},
    )


def _unfrozen(recipe: ClassifierRecipe) -> ClassifierRecipe:
    """All of the network, trained our way, which needs no weights from elsewhere."""
    return replace(
        recipe,
        name=f"{recipe.name}_unfrozen",
        title=recipe.title.replace("its body frozen", "all of it trained our way"),
        train=replace(TUNED, batch_size=32),
        loss=Classification(label_smoothing=0.05),
        freeze=False,
        deviations=(
            "the paper trains the head only; its figures are of that",
            "from scratch where no weights are given",
            _SEGMENTED,
            *_SPLIT,
        ),
    )


def _frozen(recipe: ClassifierRecipe) -> ClassifierRecipe:
    """The head alone, on the body of a recipe of the same network."""
    return replace(
        recipe,
        name=f"{recipe.name}_frozen",
        title=f"{recipe.title}, its body frozen",
        freeze=True,
        deviations=(
            *(said for said in recipe.deviations if "from scratch" not in said),
            "weights are those given with --weights, of a recipe rwp_body; the paper's: ImageNet",
        ),
    )


_FROZEN = tuple(_by(network, recipe) for recipe in (CELLS, FIELDS) for network in NETWORKS)
_MATURITY = tuple(
    _by(network, recipe) for recipe in (MATURITY, MATURITY_FIELDS) for network in NETWORKS
)
_BODIES = tuple(_by(network, BODY) for network in NETWORKS)

RECIPES = (
    *_FROZEN, *map(_unfrozen, _FROZEN), *_MATURITY, *map(_frozen, _MATURITY), *_BODIES,
)  # fmt: skip
