"""Healthy or blast by transfer learning (Khan et al. 2024, RWP-GAN, section IV.D)."""

from dataclasses import replace

from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.recipes.trainings import BARE
from smearlab.learn.transforms.affine_ranges import EightVersionRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

RESNET50 = ClassifierRecipe(
    name="rwp_classify",
    title="Healthy or blast by ResNet-50, its body frozen",
    source="Khan et al. 2024, RWP-GAN, section IV.D",
    network="resnet50",
    data=PictureData(("all_idb2",), "health2", shares=(0.72, 0.08, 0.2)),
    view=PictureViewConfig(224, None, EightVersionRanges()),
    train=replace(BARE, epochs=100, batch_size=128, lr=1e-4, optimizer="sgd", nesterov=False),
    freeze=True,
    reported={"accuracy": 0.8864, "accuracy on ALL-IDB1": 0.8888, "where": "section IV.D"},
    deviations=(
        "weights are those given with --weights (the paper's: ImageNet)",
        "ALL-IDB2; for the fields of ALL-IDB1 --set \"data.datasets=('all_idb1',)\"",
        "each view is one of the eight versions, so an epoch sees one of each picture",
        "100 epochs; the paper names no number",
        "a tenth of the training part validates",
    ),
)


def _compared(network: str, title: str, on_2: float, on_1: float) -> ClassifierRecipe:
    return replace(
        RESNET50,
        name=f"rwp_classify_{network}",
        title=f"Healthy or blast by {title}, its body frozen",
        network=network,
        reported={**RESNET50.reported, "accuracy": on_2, "accuracy on ALL-IDB1": on_1},
    )


RECIPES = (
    RESNET50,
    _compared("resnet101", "ResNet-101", 0.9091, 0.9444),
    _compared("mobilenet_v2", "MobileNetV2", 0.8182, 0.8333),
)
