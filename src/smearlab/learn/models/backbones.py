"""Known networks from torchvision and timm, without weights and with a head of our own size.

Nothing is fetched: published weights come from a file by
:func:`smearlab.learn.train.transfer.load_backbone`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_classes
from smearlab.learn.nn.normalise import IMAGENET, SYMMETRIC, Colours, Normalise
from smearlab.learn.nn.plain import vgg_stage_starts


@dataclass(frozen=True)
class BackboneConfig:
    """Which network of a library, and what must be known of it.

    Parameters
    ----------
    library : {"torchvision", "timm"}
    name : str
        The library's name of the network.
    input_px : int
        Side of the images it is meant for here.
    head : str
        Name of its last layer, the one with an output a class.
    stage_starts : tuple of str
        Names of the modules with which its second and further stages begin, in the order of its
        parameters.
    colours : (mean, std)
        What its published weights expect; see :class:`Normalise`.
    options : mapping
        Further arguments of the library's function.
    """

    library: Literal["torchvision", "timm"]
    name: str
    input_px: int
    head: str
    stage_starts: tuple[str, ...]
    colours: Colours = IMAGENET
    options: Mapping[str, Any] = field(default_factory=dict)


class Backbone(nn.Module):
    """Type logits of crops by a network of torchvision or timm.

    Parameters
    ----------
    config : BackboneConfig
        Usually an entry of :data:`BACKBONES`.
    classes : int
        At least 2.

    Raises
    ------
    UsageError
        If there are fewer classes, or the library is not installed.
    """

    def __init__(self, config: BackboneConfig, classes: int) -> None:
        check_classes(classes)
        super().__init__()
        self.normalise = Normalise(config.colours)
        self.network = library_network(config, num_classes=classes)
        self.stage_starts = tuple(f"network.{start}" for start in config.stage_starts)
        self._head = config.head

    @property
    def head(self) -> nn.Module:
        """The last layer, which knows the classes."""
        return self.network.get_submodule(self._head)

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB crops in [0, 1].

        Returns
        -------
        Tensor, shape (B, classes)
            Logits.
        """
        return cast(Tensor, self.network(self.normalise(x)))


def library_network(config: BackboneConfig, num_classes: int) -> nn.Module:
    """The network as its library builds it, with fresh weights.

    Parameters
    ----------
    config : BackboneConfig
    num_classes : int
        Outputs of the last layer; 0 leaves it out, for networks of timm.

    Raises
    ------
    UsageError
        If the library is not installed.
    """
    library = "torchvision.models" if config.library == "torchvision" else "timm"
    try:
        module = importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the network {config.name} needs {error.name}, which is not installed: "
            "pip install smearlab[train]"
        ) from None
    if config.library == "torchvision":
        network = module.get_model(
            config.name, weights=None, num_classes=num_classes, **config.options
        )
    else:
        network = module.create_model(
            config.name, pretrained=False, num_classes=num_classes, **config.options
        )
    return cast(nn.Module, network)


_LAYERS = ("layer1", "layer2", "layer3", "layer4")
_DENSE_BLOCKS = tuple(f"features.denseblock{n}" for n in range(1, 5))


def _blocks(path: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{path}.{number}" for number in numbers)


#: Networks of other people by their names here.
BACKBONES: Mapping[str, BackboneConfig] = {
    "vgg16": BackboneConfig(
        "torchvision", "vgg16", 224, "classifier.6", (*vgg_stage_starts(16), "classifier")
    ),
    "vgg19": BackboneConfig(
        "torchvision", "vgg19", 224, "classifier.6", (*vgg_stage_starts(19), "classifier")
    ),
    "resnet50": BackboneConfig("torchvision", "resnet50", 224, "fc", _LAYERS),
    "resnet101": BackboneConfig("torchvision", "resnet101", 224, "fc", _LAYERS),
    "mobilenet_v2": BackboneConfig(
        "torchvision", "mobilenet_v2", 224, "classifier.1", _blocks("features", 2, 4, 7, 14, 18)
    ),
    "efficientnet_b0": BackboneConfig(
        "torchvision", "efficientnet_b0", 224, "classifier.1", _blocks("features", *range(1, 9))
    ),
    "efficientnet_lite0": BackboneConfig(
        "timm",
        "tf_efficientnet_lite0",
        224,
        "classifier",
        _blocks("blocks", *range(7)),
        SYMMETRIC,
    ),
    "regnety_400mf": BackboneConfig(
        "timm", "regnety_004", 224, "head.fc", ("s1", "s2", "s3", "s4")
    ),
    "efficientnet_b7": BackboneConfig(
        "torchvision", "efficientnet_b7", 128, "classifier.1", _blocks("features", *range(1, 9))
    ),
    "inception_v3": BackboneConfig(
        "torchvision",
        "inception_v3",
        299,
        "fc",
        ("Mixed_5b", "Mixed_6a", "Mixed_7a"),
        SYMMETRIC,
        {"aux_logits": False, "init_weights": True},
    ),
    "xception": BackboneConfig(
        "timm", "legacy_xception", 299, "fc", ("block1", "block4", "block12", "conv3"), SYMMETRIC
    ),
    "resnext101": BackboneConfig("torchvision", "resnext101_64x4d", 224, "fc", _LAYERS),
    "se_resnext50": BackboneConfig("timm", "seresnext50_32x4d", 224, "fc", _LAYERS),
    "densenet121": BackboneConfig("torchvision", "densenet121", 224, "classifier", _DENSE_BLOCKS),
    "densenet161": BackboneConfig("torchvision", "densenet161", 224, "classifier", _DENSE_BLOCKS),
    "convnext_nano": BackboneConfig(
        "timm", "convnext_nano", 224, "head.fc", _blocks("stages", 0, 1, 2, 3)
    ),
    "efficientnetv2_nano": BackboneConfig(
        "timm", "efficientnetv2_rw_t", 224, "classifier", _blocks("blocks", *range(6))
    ),
}
