"""What a classifier answers for pictures it does not train on, during a training and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from smearlab.evaluation.runs import Predictions
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.nn.ways import one_way
from smearlab.learn.objectives import image_batch
from smearlab.learn.train.supervised import Objective

_BATCH = 64


@dataclass(frozen=True, eq=False)
class HeldOutPictures:
    """The pictures of one part, each in its one unchanged view.

    Parameters
    ----------
    samples : ManifestSamples
        Of the part; what is random in its views is left out.
    shown : ndarray of uint8, shape (N, S, S, 3), optional
        What the network sees in the place of these views, in their order.
    """

    samples: ManifestSamples
    shown: NDArray[np.uint8] | None = None

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """All views, shape (N, S, S, 3)."""
        if self.shown is not None:
            return self.shown
        still = self.samples.without_augmentation()
        rng = np.random.default_rng(0)  # nothing is drawn from it
        return np.stack([still.sample(n, rng)["pixels"] for n in range(len(still))])

    def batches(self, device: torch.device) -> Iterator[dict[str, Tensor]]:
        """``pixels`` and ``target``, in the order of the rows."""
        for first in range(0, len(self.samples), _BATCH):
            chosen = slice(first, first + _BATCH)
            pixels = torch.from_numpy(self.pixels[chosen]).to(device)
            target = torch.from_numpy(self.samples.targets[chosen]).to(device)
            yield {"pixels": pixels, "target": target}

    def logits(self, model: nn.Module) -> NDArray[np.float32]:
        """The answers of a network in evaluation mode, shape (N, K); 32 bits throughout."""
        device = next(model.parameters()).device
        with torch.inference_mode():
            answers = [model(image_batch(one["pixels"])).float() for one in self.batches(device)]
        return np.asarray(torch.cat(answers).cpu().numpy(), np.float32)

    def predictions(self, model: nn.Module) -> Predictions:
        """The answers with what they are about."""
        manifest, rows = self.samples.manifest, self.samples.rows
        sources, datasets = manifest.column("source")[rows], manifest.column("dataset")[rows]
        return Predictions(
            self.samples.classes,
            manifest.column("path")[rows].astype(str),
            self.samples.groups,
            np.array([a or b for a, b in zip(sources, datasets, strict=True)], str),
            self.samples.targets,
            self.logits(model),
        )


@dataclass(frozen=True, eq=False)
class Validation:
    """Mean loss and accuracy over held-out pictures, as :func:`fit` asks for after every epoch.

    They are of the pictures as they lie, even where the network will look at them in eight ways:
    that would take a third of the training's time.

    Parameters
    ----------
    pictures : HeldOutPictures
    objective : callable
        The one that is trained for.
    """

    pictures: HeldOutPictures
    objective: Objective

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        """``loss`` and ``accuracy`` of a network in evaluation mode."""
        model = one_way(model)
        device = next(model.parameters()).device
        sums: dict[str, float] = {}
        with torch.inference_mode():
            for batch in self.pictures.batches(device):
                for name, value in self.objective(model, batch).items():
                    sums[name] = sums.get(name, 0.0) + float(value) * len(batch["target"])
        return {name: total / len(self.pictures.samples) for name, total in sums.items()}
