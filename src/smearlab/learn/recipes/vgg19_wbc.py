"""The classifiers of SRGAN + VGG19 (Ferdousi et al. 2024) on real pictures."""

from dataclasses import replace

from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.objectives import Classification
from smearlab.learn.recipes.trainings import BARE, TUNED
from smearlab.learn.transforms.affine_ranges import PAPER_D
from smearlab.learn.transforms.picture_views import PictureViewConfig

_SPLIT = (
    "the archive's own split, whose test part is tested on whole; the paper also says 80/10/10, "
    "and its Table 5 counts 2,497 pictures, neither of which is that part"
)

#: Side, px, of a picture of 128 px, that shows the largest cells of the set whole.
CELL_PX = 64

VGG19 = ClassifierRecipe(
    name="vgg19_wbc",
    title="VGG19 with a dense head on four white cells",
    source="Ferdousi et al. 2024, section 3.4 and Table 4",
    network="vgg19_dense",
    data=PictureData(("bccd4",), "wbc4", split="published"),
    view=PictureViewConfig(128, CELL_PX, PAPER_D, centre="nucleus"),
    train=replace(
        BARE,
        epochs=50,
        batch_size=4,
        lr=1e-3,
        schedule="plateau",
        plateau_patience=2,
        plateau_factor=0.2,
        stop_patience=3,
        stop_min_delta=0.1,
    ),
    reported={
        "accuracy": 0.9487,
        "precision": 0.95,
        "recall": 0.95,
        "f1": 0.95,
        "parameters": 21_206_852,
        "where": "Tables 5 and 6",
    },
    deviations=(
        _SPLIT,
        "weights as given with --weights (the paper's: ImageNet), else random",
        "no super-resolved pictures; give a manifest with synthetic rows to train on them, too",
        f"a square of {CELL_PX} px about the nucleus, with what is around it, in the place of the "
        "nucleus cut out along its outline",
        "a tenth of the training part validates; its loss is what plateaus and stops",
    ),
)


def _compared(name: str, title: str, network: str, accuracy: float) -> ClassifierRecipe:
    return replace(
        VGG19,
        name=name,
        title=f"{title} on four white cells",
        network=network,
        reported={"accuracy": accuracy, "where": "Table 6"},
    )


VGG16 = _compared("vgg16_wbc", "VGG16 with a dense head", "vgg16_dense", 0.9347)
RESNET50 = _compared("resnet50_wbc", "ResNet-50", "resnet50", 0.7168)
EFFICIENTNET_B7 = _compared("efficientnet_b7_wbc", "EfficientNet-B7", "efficientnet_b7", 0.53103)


def _tuned(recipe: ClassifierRecipe, lr: float) -> ClassifierRecipe:
    """Trained as we do, which needs no weights from elsewhere."""
    return replace(
        recipe,
        name=f"{recipe.name}_tuned",
        title=f"{recipe.title}, trained our way",
        train=replace(TUNED, epochs=40, lr=lr),
        loss=Classification(label_smoothing=0.05),
        deviations=(*recipe.deviations[:4], "trained our way, not the paper's"),
    )


RECIPES = (
    VGG19, VGG16, RESNET50, EFFICIENTNET_B7, _tuned(VGG19, 1e-4), _tuned(RESNET50, 1e-3),
)  # fmt: skip
