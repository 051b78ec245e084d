"""The bar to beat: the best that a network of few parameters reaches on PBC, trained our way.

And current networks of more, in the same training, which the papers' networks have to beat, too.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.objectives import Classification
from smearlab.learn.recipes.lwcnn import ACROSS
from smearlab.learn.recipes.trainings import TUNED
from smearlab.learn.transforms.affine_ranges import TURNED
from smearlab.learn.transforms.picture_views import PictureViewConfig

COMPACT = ClassifierRecipe(
    name="compact_pbc",
    title="EfficientNet-B0, 4.0 million parameters, on the eight types of PBC",
    source="this project",
    network="efficientnet_b0",
    data=PictureData(("pbc",), "cells8", folds=5),
    view=PictureViewConfig(160, 200, TURNED, colour=0.2),
    train=replace(TUNED, epochs=60, lr=2e-3, weight_decay=0.02),
    loss=Classification(label_smoothing=0.05),
)
PLAIN = replace(
    COMPACT,
    name="compact_plain",
    title="The compact network trained on PBC, tested on Raabin-WBC",
    data=ACROSS,
    view=replace(COMPACT.view, colour=0.0),
)
STAINS = replace(
    PLAIN,
    name="compact_stains",
    title="The compact network trained on PBC in varied stains, tested on Raabin-WBC",
    view=replace(COMPACT.view, colour=1.0),
)


def _other(network: str, **changes: Any) -> ClassifierRecipe:
    return replace(
        COMPACT,
        name=f"{network}_pbc",
        title=f"{CLASSIFIERS[network].title} on the eight types of PBC",
        network=network,
        **changes,
    )


#: Candidates of less than five million parameters that two cores train in an hour a fold.
_QUICK: Mapping[str, Any] = {
    "view": replace(COMPACT.view, size_px=96),
    "train": replace(COMPACT.train, epochs=40),
}
#: For published weights: `--weights` names their file.
FINE_TUNED = replace(
    _other("efficientnet_lite0_8_ways"),
    name="efficientnet_lite0_pbc",
    view=replace(COMPACT.view, size_px=128),
    train=replace(COMPACT.train, epochs=8, batch_size=32, lr=1e-3),
)
ONE_WAY = replace(
    FINE_TUNED,
    name="efficientnet_lite0_one_way_pbc",
    title=f"{CLASSIFIERS['efficientnet_lite0'].title} on the eight types of PBC",
    network="efficientnet_lite0",
)
_SMALLER = ("regnety_400mf", "cell_types_compact")
_LARGER = ("convnext_nano", "efficientnetv2_nano", "densenet121", "densenet161")

RECIPES = (
    COMPACT, PLAIN, STAINS, FINE_TUNED, ONE_WAY,
    *(_other(network, **_QUICK) for network in _SMALLER),
    *(_other(network, train=replace(COMPACT.train, lr=1e-3)) for network in _LARGER),
)  # fmt: skip
