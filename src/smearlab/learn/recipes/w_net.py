"""W-Net and what it is compared with (Jung et al. 2021), as they were trained and trained well."""

from dataclasses import replace
from typing import Any

from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.objectives import Classification
from smearlab.learn.recipes.trainings import BARE, TUNED
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.affine_ranges import PAPER_D, TURNED, AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: Pictures of each type, Table 2.
PROPORTIONS = {
    "neutrophil": 2006.0,
    "eosinophil": 1310.0,
    "basophil": 377.0,
    "lymphocyte": 1676.0,
    "monocyte": 1193.0,
}
_DATA = (
    "PBC restricted to the five types and drawn in the paper's proportions, in the place of 6,562 "
    "private pictures"
)
_OURS = "trained our way, on augmented pictures, not the paper's"
_VALIDATION = "a tenth of the training part validates; the weights are those of its best epoch"
_ACCURACY = (
    "the paper's accuracies are means over the types (appendix A.1), as recall is here; accuracy "
    "here counts pictures"
)
_TIME = "reported times are a tenth of the paper's hours, which are read as those of ten folds"
_HINGE = "Crammer and Singer's hinge; the paper's is of two types"
_SIZE = "its 121,796,165 parameters do not follow from the text; the network has what it names"
_NORMALISED = (
    "pictures are normalised each by its own mean and deviation; the paper does not say how"
)
_BATCH = '"different batch sizes" were tried; that of section 4.1, five, is used'


def fold_seconds(hours: float) -> float:
    """What the paper's hours of ten folds are for one."""
    return round(hours * 3600 / 10, 1)


def _table_4(
    accuracy: float,
    precision: float,
    recall: float,
    f1: float,
    parameters: int | None = None,
    hours: float | None = None,
) -> dict[str, Any]:
    """Parameters are those of sections 2.3 and 3.3 to 3.5, hours those of 3.1 to 3.5."""
    figures = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}
    size = {} if parameters is None else {"parameters": parameters}
    time = {} if hours is None else {"train_seconds": fold_seconds(hours)}
    return {**figures, **size, **time, "where": "Table 4"}


W_NET = ClassifierRecipe(
    name="w_net",
    title="W-Net, softmax",
    source="Jung et al. 2021, W-Net, section 2.3",
    network="w_net",
    data=PictureData(("pbc",), "wbc5", folds=10, proportions=PROPORTIONS),
    view=PictureViewConfig(128, 200, AffineRanges()),
    train=replace(BARE, epochs=500, batch_size=5, lr=1e-4),
    reported=_table_4(0.97, 0.97, 0.97, 0.97, 16_806_949, hours=33.87),
    deviations=(_DATA, _ACCURACY, _TIME, _NORMALISED, _VALIDATION, _BATCH),
)
W_NET_SVM = replace(
    W_NET,
    name="w_net_svm",
    title="W-Net with the hinge loss of a support vector machine",
    loss=Classification(loss="hinge"),
    reported=_table_4(0.95, 0.97, 0.95, 0.96, 16_806_949, hours=33.79),
    deviations=(*W_NET.deviations, _HINGE),
)


def _compared(
    name: str, title: str, network: str, train: TrainConfig, reported: Any, *more: str
) -> ClassifierRecipe:
    """A network that W-Net is compared with, as its authors trained it."""
    view = replace(W_NET.view, size_px=224 if network == "alexnet" else 128)
    time = (_TIME,) if "train_seconds" in reported else ()
    said = (_DATA, _ACCURACY, *time, _NORMALISED, _VALIDATION, *more)
    return replace(
        W_NET, name=name, title=title, network=network, view=view, train=train,
        reported=reported, deviations=said,
    )  # fmt: skip


_MOMENTUM = replace(BARE, optimizer="sgd", nesterov=False, lr=1e-3)
ALEXNET = _compared(
    "w_net_alexnet", "AlexNet on W-Net's task", "alexnet",
    replace(_MOMENTUM, epochs=90, batch_size=128, weight_decay=5e-4),
    _table_4(0.84, 0.94, 0.84, 0.85, 46_767_493),
)  # fmt: skip
VGG = _compared(
    "w_net_vgg", "VGG on W-Net's task", "vgg_paper_c",
    replace(BARE, epochs=300, batch_size=1, lr=1e-6),
    _table_4(0.44, 0.67, 0.44, 0.42, 121_796_165, hours=510.59),
    _SIZE,
)  # fmt: skip
RESNET50 = _compared(
    "w_net_resnet50", "ResNet-50 on W-Net's task", "resnet50_biased",
    replace(_MOMENTUM, epochs=50, batch_size=32, weight_decay=1e-4),
    _table_4(0.51, 0.60, 0.51, 0.43, 23_544_837, hours=8.38),
)  # fmt: skip
LSTM = _compared(
    "w_net_lstm", "LSTM over rows on W-Net's task", "lstm",
    replace(BARE, epochs=100, batch_size=64, lr=0.01), _table_4(0.83, 0.86, 0.85, 0.85),
    "100 epochs of Adam; the paper names neither number nor optimiser",
)  # fmt: skip


#: What holds however a network is trained.
_OF_BOTH = (_DATA, _ACCURACY, _TIME, _HINGE, _NORMALISED, _SIZE)


def _tuned(recipe: ClassifierRecipe, lr: float = 1e-3) -> ClassifierRecipe:
    """The same network on the same pictures, trained as we do."""
    hinge = recipe.loss.loss == "hinge"
    return replace(
        recipe,
        name=f"{recipe.name}_tuned",
        title=f"{recipe.title}, trained our way",
        view=replace(recipe.view, ranges=PAPER_D),
        # Pooling after dropout shows larger maps than it sees in use: the last quarter is without.
        train=replace(TUNED, lr=lr, dropout_share=0.75 if recipe.network == "w_net" else 1.0),
        loss=recipe.loss if hinge else Classification(label_smoothing=0.05),
        deviations=(*(one for one in recipe.deviations if one in _OF_BOTH), _OURS),
    )


W_NET_TUNED = _tuned(W_NET)
W_NET_PBC = replace(
    W_NET_TUNED,
    name="w_net_pbc",
    title="W-Net on the eight types of PBC, trained our way",
    network="w_net_8_ways",
    data=PictureData(("pbc",), "cells8", folds=5),
    view=replace(W_NET.view, ranges=TURNED),
    train=replace(W_NET_TUNED.train, epochs=24, batch_size=32, lr=1.2e-3),
    deviations=(
        "eight types of PBC in the place of five of a private set",
        "turned by any angle; no dropout in the last quarter of the training",
        "its answer in use is the mean over the eight ways a picture can lie",
        _ACCURACY,
        _TIME,
        _NORMALISED,
        _OURS,
    ),
)

RECIPES = (
    W_NET, W_NET_SVM, ALEXNET, VGG, RESNET50, LSTM, W_NET_TUNED, _tuned(W_NET_SVM),
    _tuned(ALEXNET, 2e-4), _tuned(VGG, 1e-4), _tuned(RESNET50), _tuned(LSTM, 3e-3), W_NET_PBC,
)  # fmt: skip
