"""Networks that judge pictures: perceptual distance (LPIPS), and features of Inception-v3.

Published weights come from local files, and nothing is fetched. Without a file there is the
blood-cell classifier that ships; whichever it is, its name goes with every figure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from smearlab.errors import UsageError
from smearlab.learn.models.backbones import BACKBONES, Backbone, BackboneConfig, library_network
from smearlab.learn.models.content_features import ContentConfig, content_features
from smearlab.learn.nn.normalise import Normalise
from smearlab.learn.train.transfer import load_backbone, read_weights
from smearlab.registry import look_up

Pictures = NDArray[np.uint8]
_BATCH = 16
_ALEXNET = BackboneConfig("torchvision", "alexnet", 224, "classifier.6", ())
#: Network → its library entry, and the layers (after ReLU) whose maps LPIPS compares.
_COMPARED: Mapping[str, tuple[BackboneConfig, tuple[int, ...]]] = {
    "alexnet": (_ALEXNET, (1, 4, 7, 9, 11)),
    "vgg16": (BACKBONES["vgg16"], (3, 8, 15, 22, 29)),
}
_LEAST_LENGTH = 1e-8


class PerceptualDistance(nn.Module):
    """Distance of the feature maps of two pictures, each pixel's features at length 1.

    Σ over the layers of the mean over the pixels of Σ over the channels of w (â - b̂)².

    Parameters
    ----------
    name : str
        What every figure is to be called by.
    before : Module
        What is done with sRGB in [0, 1] first.
    layers : sequence of Module
        One after the other; the maps after each are compared.
    weights : sequence of Tensor, each of shape (C,), optional
        Of the channels of each layer, at least 0; all 1 when left out.

    References
    ----------
    Zhang, R. et al. (2018). The unreasonable effectiveness of deep features as a perceptual metric.
    CVPR, equation 1. arXiv:1801.03924
    """

    def __init__(
        self,
        name: str,
        before: nn.Module,
        layers: Sequence[nn.Module],
        weights: Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.before, self.layers = before, nn.ModuleList(layers)
        self.weights = [None] * len(layers) if weights is None else list(weights)
        self.eval().requires_grad_(False)

    def maps(self, x: Tensor) -> list[Tensor]:
        """``(B, 3, H, W)`` in [0, 1] → a map ``(B, C, h, w)`` a layer, each pixel at length 1."""
        x = self.before(x)
        found = []
        for layer in self.layers:
            x = layer(x)
            found.append(x / (x.square().sum(1, keepdim=True) + _LEAST_LENGTH).sqrt())
        return found

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Pictures ``(B, 3, H, W)`` in [0, 1] → distances ``(B,)``."""
        total = a.new_zeros(len(a))
        for x, y, w in zip(self.maps(a), self.maps(b), self.weights, strict=True):
            apart = (x - y).square()
            if w is not None:
                apart = apart * w.to(apart)[:, None, None]
            total = total + apart.sum(1).mean((1, 2))
        return total

    def of_pairs(
        self, pictures: Pictures, left: NDArray[np.intp], right: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Distances of pairs of pictures.

        Parameters
        ----------
        pictures : ndarray of uint8, shape (N, H, W, 3)
        left, right : ndarray of int, shape (P,)
            Numbers of the pictures of each pair.

        Returns
        -------
        ndarray of float64, shape (P,)
        """
        found = [np.empty(0)]
        with torch.inference_mode():
            for n in range(0, len(left), _BATCH):
                chosen = slice(n, n + _BATCH)
                a, b = (_tensor(pictures[rows[chosen]]) for rows in (left, right))
                found.append(self(a, b).double().numpy())
        return np.concatenate(found)


def blood_cell_lpips() -> PerceptualDistance:
    """Perceptual distance by the stages of the classifier that ships, no channel weighted.

    Its scale is its own: figures do not compare with those of LPIPS, whose channels are weighted
    by what people find alike.
    """
    seen = content_features(ContentConfig(layer="stage4"))
    stages = list(seen.layers.children())
    return PerceptualDistance("blood-cell LPIPS (cell_types, stages 0 to 4)", seen.before, stages)


def lpips(network: str, weights: Path, linear: Path) -> PerceptualDistance:
    """LPIPS as it is published, from local files.

    Parameters
    ----------
    network : {"alexnet", "vgg16"}
    weights : Path
        The network trained on ImageNet, as torchvision names its weights.
    linear : Path
        The channels' weights, ``lin0.model.1.weight`` to ``lin4.model.1.weight``, as LPIPS 0.1
        names them.

    Raises
    ------
    UnknownNameError
        If there is no such network.
    UsageError
        If a file is missing, holds code, or lacks a weight.
    """
    config, places = look_up("LPIPS network", _COMPARED, network)
    with torch.device("meta"):  # shapes only: the numbers come from the file
        features = library_network(config, num_classes=1000).features
    assert isinstance(features, nn.Sequential)
    stored = {
        name.removeprefix("features."): value.float()
        for name, value in read_weights(weights).items()
        if name.startswith("features.")
    }
    _fill(features, stored, weights, network)
    starts = (0, *(place + 1 for place in places))
    layers = [features[a:b] for a, b in pairwise(starts)]
    name = f"LPIPS ({network}, {_digest(weights)}, {_digest(linear)})"
    widths = [_width(layer) for layer in layers]
    return PerceptualDistance(name, Normalise(), layers, _channel_weights(linear, widths))


def _fill(features: nn.Module, stored: Mapping[str, Tensor], path: Path, network: str) -> None:
    for name, value in features.state_dict().items():
        if name not in stored or stored[name].shape != value.shape:
            here = list(stored[name].shape) if name in stored else "missing"
            raise UsageError(
                f"{path} is not {network} as torchvision names it: features.{name} is {here}, not "
                f"{list(value.shape)}"
            )
    features.load_state_dict({n: stored[n] for n in features.state_dict()}, assign=True)


def _channel_weights(path: Path, widths: Sequence[int]) -> list[Tensor]:
    stored = read_weights(path)
    found = []
    for n, width in enumerate(widths):
        name = f"lin{n}.model.1.weight"
        value = stored.get(name)
        if value is None or value.numel() != width:
            here = "missing" if value is None else list(value.shape)
            raise UsageError(
                f"{path} has not the channel weights of this network: {name} is {here}, not "
                f"{width} numbers"
            )
        found.append(value.float().reshape(-1))
    return found


def _width(layer: nn.Module) -> int:
    """Channels that a piece of a network gives."""
    return [one.out_channels for one in layer.modules() if isinstance(one, nn.Conv2d)][-1]


class InceptionFeatures:
    """The 2048 pooled features of Inception-v3, by torchvision's weights from a local file.

    The figures of papers are usually by the weights that came with the FID's first program,
    which differ: compare only figures of one name.

    Parameters
    ----------
    weights : Path
        As torchvision names them, the last layer for 1000 classes among them.

    Raises
    ------
    UsageError
        If the file is missing, holds code, or is of another network.
    """

    def __init__(self, weights: Path) -> None:
        # Nothing is drawn that the file replaces.
        config = replace(
            BACKBONES["inception_v3"], options={"aux_logits": False, "init_weights": False}
        )
        model = Backbone(config, 1000)
        loaded = load_backbone(model, weights, head=True)
        if loaded.kept:
            raise UsageError(f"{weights} lacks weights of Inception-v3, first {loaded.kept[0]}")
        self._head = model.head
        model.network.fc = nn.Identity()
        self._model, self._side = model.eval(), config.input_px
        self.name = f"Inception-v3, pooled features (torchvision's weights, {_digest(weights)})"

    def __call__(self, pictures: Pictures) -> NDArray[np.float64]:
        """uint8 ``(N, H, W, 3)`` → float64 ``(N, 2048)``."""
        return self.both(pictures)[0]

    def both(self, pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features, and the probabilities of the 1000 classes; see :meth:`__call__`."""
        features, answers = [], []
        side = (self._side, self._side)
        with torch.inference_mode():
            for n in range(0, len(pictures), _BATCH):
                x = _tensor(pictures[n : n + _BATCH])
                seen = self._model(functional.interpolate(x, side, mode="bilinear", antialias=True))
                features.append(seen.double().numpy())
                answers.append(self._head(seen).double().softmax(1).numpy())
        return np.concatenate(features), np.concatenate(answers)


def _tensor(pictures: Pictures) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255


def _digest(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"there is no weight file {path}: nothing is fetched, name a local one")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]
