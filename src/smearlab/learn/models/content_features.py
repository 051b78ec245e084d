"""Fixed networks whose feature maps a content loss compares: VGG19, or our own classifier."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.io.bundles import find_bundle, read_card
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.nn.normalise import Normalise
from smearlab.learn.nn.plain import VGG_GROUPS, vgg_features
from smearlab.learn.train.transfer import read_weights
from smearlab.learn.warm_start import start_from_bundle
from smearlab.types import CELL_TYPES

#: In the place of a weight file: the classifier that ships.
OWN_CLASSIFIER = "cell_types"
#: Features of VGG19 are divided by it, so that their loss has about the size of one of pixels
#: (Ledig et al. 2017, section 3.2).
_VGG_SCALE = 12.75
#: The same for our own classifier: of bicubic pictures of cells the losses by stages 0 to 4 are 30
#: to 85 times that of pixels.
_OWN_SCALE = 8.0
_PREFIXES = ("", "module.", "network.", "model.")


@dataclass(frozen=True)
class ContentConfig:
    """Which features a content loss compares.

    Parameters
    ----------
    weights : str
        ``cell_types``: the classifier of blood cells that ships; or the path of a file with the
        weights of VGG19, as torchvision names them: safetensors, or a state dict of torch.
        Nothing is fetched.
    layer : str
        Of VGG19 a convolution of a group, after its ReLU: ``conv5_4`` is the last one, as in
        SRGAN. Of the classifier ``stage0``, at the picture's size, to ``stage4``, each halved
        once more.

    Raises
    ------
    UsageError
        If there is no such layer.
    """

    weights: str = OWN_CLASSIFIER
    layer: str = "stage2"

    def __post_init__(self) -> None:
        if self.layer not in self.layers:
            raise UsageError(
                f"layer must be one of {', '.join(self.layers)} with weights "
                f"{self.weights!r}; received {self.layer!r}"
            )

    @property
    def layers(self) -> tuple[str, ...]:
        """Those that the network has."""
        if self.weights == OWN_CLASSIFIER:
            return tuple(f"stage{n}" for n in range(5))
        groups = enumerate(VGG_GROUPS[19], 1)
        return tuple(f"conv{group}_{n}" for group, many in groups for n in range(1, many + 1))


class ContentFeatures(nn.Module):
    """Feature maps of pictures by a network that does not learn.

    Parameters
    ----------
    name : str
        What the network is and where its weights come from; every loss by it is named so.
    before, layers : Module
        What is done with sRGB in [0, 1], and the layers up to the feature maps.
    scale : float
        The maps are divided by it.
    """

    def __init__(self, name: str, before: nn.Module, layers: nn.Module, scale: float = 1.0) -> None:
        super().__init__()
        self.name, self.scale = name, scale
        self.before, self.layers = before, layers
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1] → ``(B, C, h, w)``."""
        return cast(Tensor, self.layers(self.before(x))) / self.scale


class _Stretch(nn.Module):
    """What the classifier that ships does with pictures first."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - 0.5) * 4


def content_features(config: ContentConfig) -> ContentFeatures:
    """The features that a configuration names, in evaluation mode and without gradients of theirs.

    Parameters
    ----------
    config : ContentConfig

    Returns
    -------
    ContentFeatures

    Raises
    ------
    UsageError
        If the file is missing, holds code, or lacks a weight of VGG19.
    """
    if config.weights == OWN_CLASSIFIER:
        return _of_own_classifier(int(config.layer.removeprefix("stage")))
    return _of_vgg19(Path(config.weights), config.layer)


def content_source(config: ContentConfig) -> str:
    """What tells the weights of a configuration from others: the start of their checksum."""
    if config.weights == OWN_CLASSIFIER:
        return str(read_card(find_bundle("classifier", "default"), "classifier")["sha256"])[:16]
    path = Path(config.weights)
    if not path.is_file():
        raise UsageError(f"there is no weight file {path}: give VGG19's, or {OWN_CLASSIFIER}")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def _of_own_classifier(stage: int) -> ContentFeatures:
    network = CellTypes(CellTypesConfig(len(CELL_TYPES) - 1, blocks=(2, 2, 3, 3)))
    # Whatever the norms are measured on, in evaluation the network answers as the bundle does.
    seen = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    start_from_bundle(network, "classifier", "default", [seen])
    name = f"the shipped blood-cell classifier, stage {stage}"
    return ContentFeatures(name, _Stretch(), network.features[: stage + 1], _OWN_SCALE)


def _of_vgg19(path: Path, layer: str) -> ContentFeatures:
    group, number = (int(part) for part in layer.removeprefix("conv").split("_"))
    # Each convolution has a ReLU, each group before ends with a pool.
    before = sum(2 * many + 1 for many in VGG_GROUPS[19][: group - 1])
    layers = vgg_features(19)[: before + 2 * number]
    stored, wanted = read_weights(path), layers.state_dict()
    for prefix in _PREFIXES:
        there = {name: stored.get(f"{prefix}features.{name}") for name in wanted}
        found = {name: value for name, value in there.items() if value is not None}
        if found:
            break
    for name, value in wanted.items():
        shape = list(found[name].shape) if name in found else "missing"
        if shape != list(value.shape):
            raise UsageError(
                f"{path} does not hold VGG19 as torchvision names it: features.{name} is {shape} "
                f"in it, and must have shape {list(value.shape)}"
            )
    layers.load_state_dict(found)
    return ContentFeatures(f"VGG19 {layer} of {path.name}", Normalise(), layers, _VGG_SCALE)
