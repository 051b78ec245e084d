"""Grad-CAM: where a convolutional classifier looks for an answer.

The gradients of a class's logit by the last convolutional feature map, averaged over the map, say
how much each of its channels speaks for the class; their weighted sum, where it is positive, is the
map of the class.

References
----------
Selvaraju, R. R. et al. (2017). Grad-CAM: visual explanations from deep networks via gradient-based
localization. ICCV, eq. 1 and 2. arXiv:1610.02391
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from smearlab.errors import ImageError, UsageError
from smearlab.io.quick_jpeg import read_reduced
from smearlab.learn.classifier_recipe import ClassifierRecipe
from smearlab.learn.classifier_run import open_classifier_run
from smearlab.learn.objectives import image_batch
from smearlab.learn.run_asked import crop_of
from smearlab.learn.transforms.picture_views import draw_picture_view

_BATCH = 16
#: How much the map covers the picture where it is 0, and how much more where it is 1.
_COVER, _MORE = 0.15, 0.45


def grad_cam(model: nn.Module, images: Tensor, classes: Sequence[int]) -> NDArray[np.float32]:
    """Maps of what speaks for a class in each image.

    Parameters
    ----------
    model : Module
        Takes ``(N, 3, S, S)``, gives logits ``(N, K)``; it is used in evaluation mode. The map is
        that of the convolution that is carried out last, of those whose result is larger than
        one pixel.
    images : Tensor of float32, shape (N, 3, S, S)
        In [0, 1].
    classes : sequence of int
        N classes, one an image.

    Returns
    -------
    ndarray of float32, shape (N, S, S)
        In [0, 1]; the highest value of each map is 1, or all are 0 where nothing speaks for it.

    Raises
    ------
    UsageError
        If the network has no convolutional feature map.
    """
    training = model.training
    model.eval()
    try:
        with torch.enable_grad(), _feature_maps(model) as seen:
            # So that gradients flow in a frozen network, too.
            logits = model(images.detach().clone().requires_grad_())
        if not seen:
            raise UsageError(
                f"{type(model).__name__} has no convolutional feature map: there is no Grad-CAM "
                "map of it"
            )
        # A network may look at a picture in several ways: as it lies first, in the same pass.
        features = seen[-1]
        chosen = logits[torch.arange(len(images)), torch.as_tensor(classes)]
        (gradients,) = torch.autograd.grad(chosen.sum(), features)
    finally:
        model.train(training)
    features, gradients = features.detach()[: len(images)], gradients[: len(images)]
    weights = gradients.mean((2, 3), keepdim=True)
    maps = F.relu((weights * features).sum(1, keepdim=True))
    peak = maps.amax((1, 2, 3), keepdim=True)
    maps = maps / torch.where(peak > 0, peak, torch.ones_like(peak))
    size = (images.shape[-2], images.shape[-1])
    full = F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
    return np.asarray(full[:, 0].numpy(), np.float32)


@contextmanager
def _feature_maps(model: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the results of the convolutions in the order in which they are carried out."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if output.ndim != 4 or output.shape[-1] * output.shape[-2] <= 1:
            return None
        seen.append(output)
        return output.clone()  # an activation in place would change what is kept

    hooks = [
        part.register_forward_hook(keep) for part in model.modules() if isinstance(part, nn.Conv2d)
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def maps_of_run(
    run: Path, rows: Sequence[Mapping[str, Any]], data: Path
) -> list[NDArray[np.uint8] | None]:
    """Pictures as the network of a run sees them, with what speaks for its answers.

    Parameters
    ----------
    run : Path
        Folder of one training: its weights, ``summary.json`` and ``config.json`` are read.
    rows : sequence of mapping
        ``path``, ``origin`` and ``answer`` of each picture.
    data : Path
        Folder that the paths start from.

    Returns
    -------
    list of ndarray of uint8, shape (S, S, 3), or None
        One for each row; None where the picture cannot be read.

    Raises
    ------
    RunError
        If the run is not finished, or holds no weights that can be loaded.
    UsageError
        If it is a run without a network, or the network has no convolutional feature map.
    """
    opened = open_classifier_run(run)
    model = opened.network()
    found: list[NDArray[np.uint8] | None] = [None] * len(rows)
    views: dict[int, NDArray[np.uint8]] = {}
    for place, row in enumerate(rows):
        try:
            views[place] = _view(opened.recipe, data / row["path"], str(row["origin"]))
        except (ImageError, UsageError):
            continue
    places = list(views)
    for start in range(0, len(places), _BATCH):
        some = places[start : start + _BATCH]
        images = image_batch(torch.from_numpy(np.stack([views[place] for place in some])))
        answers = [opened.classes.index(rows[place]["answer"]) for place in some]
        for place, heat in zip(some, grad_cam(model, images, answers), strict=True):
            found[place] = covered(views[place], heat)
    return found


def _view(recipe: ClassifierRecipe, path: Path, origin: str) -> NDArray[np.uint8]:
    """The unchanged view of a picture that the run's network was tested on."""
    still = recipe.view.of_crop(crop_of(origin, recipe))
    picture = read_reduced(path, still.size_px, still.crop_px)
    return draw_picture_view(picture, still, np.random.default_rng(0))


def covered(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture under its map, blue where it is low, red where it is high.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
        sRGB.
    heat : ndarray of float32, shape (S, S)
        In [0, 1].

    Returns
    -------
    ndarray of uint8, shape (S, S, 3)
    """
    levels = np.asarray(heat * 255, np.uint8)
    colour = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    cover = (_COVER + _MORE * heat)[..., None]
    return np.asarray(np.round(pixels * (1 - cover) + colour * cover), np.uint8)
