"""All classifiers by name.

A classifier takes float32 ``(N, 3, S, S)`` in [0, 1] and gives logits ``(N, K)``; the normalisation
it needs lies inside. Its ``head`` is what knows the classes; see
:mod:`smearlab.learn.train.transfer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import nn

from smearlab.learn.models.alexnet import AlexNet, AlexNetConfig
from smearlab.learn.models.backbones import BACKBONES, Backbone
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.models.checks import check_classes
from smearlab.learn.models.lstm import RowLSTM, RowLSTMConfig
from smearlab.learn.models.lwcnn import LWCNN, LWCNNConfig
from smearlab.learn.models.resnet50_biased import ResNet50Biased
from smearlab.learn.models.senet154_ge import SENet154GE, SENet154GEConfig
from smearlab.learn.models.sequential_cnn import SequentialCNN, SequentialCNNConfig
from smearlab.learn.models.vgg19_dense import VGGDense, VGGDenseConfig
from smearlab.learn.models.vgg_paper_c import VGGPaperC, VGGPaperCConfig
from smearlab.learn.models.w_net import WNet, WNetConfig
from smearlab.learn.nn.ways import OverWays
from smearlab.registry import look_up


@dataclass(frozen=True)
class ClassifierEntry:
    """One classifier.

    Parameters
    ----------
    build : callable
        Number of classes → fresh network.
    input_px : int
        Side of the images it takes here.
    title : str
        What it is.
    source : str
        Where it comes from, and which of the five papers uses it.
    """

    build: Callable[[int], nn.Module]
    input_px: int
    title: str
    source: str


def _library(name: str, title: str, source: str) -> ClassifierEntry:
    config = BACKBONES[name]
    return ClassifierEntry(partial(Backbone, config), config.input_px, title, source)


#: Name → network. The papers: A Mondal et al. 2024, B Khan et al. 2024, C Jung et al. 2021,
#: D Ferdousi et al. 2024, E Hazra 2022.
CLASSIFIERS: Mapping[str, ClassifierEntry] = {
    "w_net": ClassifierEntry(
        lambda classes: WNet(WNetConfig(classes)), 128, "W-Net", "C, section 2.3"
    ),
    "w_net_8_ways": ClassifierEntry(
        lambda classes: OverWays(WNet(WNetConfig(classes))),
        128,
        "W-Net, mean over eight ways",
        "C, section 2.3; the mean is ours",
    ),
    "lwcnn": ClassifierEntry(
        lambda classes: LWCNN(LWCNNConfig(classes)), 64, "LWCNN", "A, section 3.5"
    ),
    "vgg19_dense": ClassifierEntry(
        lambda classes: VGGDense(VGGDenseConfig(classes)),
        128,
        "VGG19 with a dense head",
        "D, Table 3",
    ),
    "vgg16_dense": ClassifierEntry(
        lambda classes: VGGDense(VGGDenseConfig(classes, depth=16)),
        128,
        "VGG16 with the same head",
        "D, Table 6",
    ),
    "alexnet": ClassifierEntry(
        lambda classes: AlexNet(AlexNetConfig(classes)),
        224,
        "AlexNet, convolutions not split",
        "Krizhevsky et al. 2012; C, section 3.3",
    ),
    "vgg_paper_c": ClassifierEntry(
        lambda classes: VGGPaperC(VGGPaperCConfig(classes)),
        128,
        "VGG19 for small images",
        "Simonyan & Zisserman 2015; C, section 3.4",
    ),
    "lstm": ClassifierEntry(
        lambda classes: RowLSTM(RowLSTMConfig(classes)), 128, "LSTM over rows", "C, section 3.6"
    ),
    "senet154_ge": ClassifierEntry(
        lambda classes: SENet154GE(SENet154GEConfig(classes)),
        224,
        "SENet-154-GE",
        "E, section 3.7",
    ),
    "senet154_fused": ClassifierEntry(
        lambda classes: SENet154GE(SENet154GEConfig(classes, gather_steps=0)),
        224,
        "SENet-154-GE without gather-excite",
        "E, section 4.5",
    ),
    "seresnet18_ge": ClassifierEntry(
        lambda classes: SENet154GE(SENet154GEConfig(classes, "legacy_seresnet18")),
        64,
        "SE-ResNet-18 with SENet-154-GE's head",
        "E, section 3.7, made small",
    ),
    "seresnet18_fused": ClassifierEntry(
        lambda classes: SENet154GE(SENet154GEConfig(classes, "legacy_seresnet18", gather_steps=0)),
        64,
        "The same without gather-excite",
        "E, section 4.5, made small",
    ),
    "sequential_cnn": ClassifierEntry(
        lambda classes: SequentialCNN(SequentialCNNConfig(classes)),
        128,
        "Sequential CNN",
        "E, Figure 52",
    ),
    "vgg16": _library("vgg16", "VGG16", "Simonyan & Zisserman 2015"),
    "vgg19": _library("vgg19", "VGG19", "Simonyan & Zisserman 2015; E"),
    "resnet50": _library("resnet50", "ResNet-50", "He et al. 2016; B, D, E"),
    "resnet50_biased": ClassifierEntry(
        ResNet50Biased, 128, "ResNet-50 with biases", "He et al. 2016; C, section 3.5"
    ),
    "resnet101": _library("resnet101", "ResNet-101", "He et al. 2016; B"),
    "mobilenet_v2": _library("mobilenet_v2", "MobileNetV2", "Sandler et al. 2018; B"),
    "efficientnet_b0": _library("efficientnet_b0", "EfficientNet-B0", "Tan & Le 2019; E"),
    "efficientnet_lite0": _library(
        "efficientnet_lite0", "EfficientNet-Lite0", "Liu 2020, after Tan & Le 2019; timm"
    ),
    "efficientnet_lite0_8_ways": ClassifierEntry(
        lambda classes: OverWays(Backbone(BACKBONES["efficientnet_lite0"], classes)),
        224,
        "EfficientNet-Lite0, mean over eight ways",
        "the same; the mean is ours",
    ),
    "regnety_400mf": _library("regnety_400mf", "RegNetY-400MF", "Radosavovic et al. 2020"),
    "efficientnet_b7": _library("efficientnet_b7", "EfficientNet-B7", "Tan & Le 2019; D"),
    "inception_v3": _library("inception_v3", "Inception-v3", "Szegedy et al. 2016; E"),
    "xception": _library("xception", "Xception", "Chollet 2017; E"),
    "resnext101": _library("resnext101", "ResNeXt-101 64×4d", "Xie et al. 2017; E"),
    "se_resnext50": _library("se_resnext50", "SE-ResNeXt-50 32×4d", "Hu et al. 2018; E"),
    "densenet121": _library("densenet121", "DenseNet-121", "Huang et al. 2017"),
    "densenet161": _library("densenet161", "DenseNet-161", "Huang et al. 2017"),
    "convnext_nano": _library("convnext_nano", "ConvNeXt nano", "Liu et al. 2022; timm"),
    "efficientnetv2_nano": _library(
        "efficientnetv2_nano", "EfficientNetV2 of nano size", "Tan & Le 2021; timm's rw_t"
    ),
    "cell_types": ClassifierEntry(
        lambda classes: CellTypes(CellTypesConfig(classes, blocks=(2, 2, 3, 3))),
        96,
        "The classifier that ships",
        "this project",
    ),
    "cell_types_compact": ClassifierEntry(
        lambda classes: CellTypes(CellTypesConfig(classes, blocks=(2, 2, 2, 3))),
        96,
        "The classifier that ships, a block less",
        "this project",
    ),
}


def build_classifier(name: str, classes: int) -> nn.Module:
    """A fresh network.

    Parameters
    ----------
    name : str
        Key of :data:`CLASSIFIERS`.
    classes : int
        At least 2.

    Raises
    ------
    UnknownNameError
        If no classifier has that name.
    UsageError
        If there are fewer than two classes, or a library is not installed.
    """
    entry = look_up("classifier", CLASSIFIERS, name)
    check_classes(classes)
    return entry.build(classes)
