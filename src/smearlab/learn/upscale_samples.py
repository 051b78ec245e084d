"""Training samples for super-resolution, from the pictures of a manifest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.train.sampling import Sample
from smearlab.learn.transforms.upscale_views import UpscaleViewConfig, draw_pair


@dataclass(frozen=True, eq=False)
class UpscaleSamples:
    """Small pictures and their large ones; a :class:`~smearlab.learn.train.sampling.SampleSource`.

    Parameters
    ----------
    pictures : ManifestSamples
        Of views as ``view.picture`` has them: the large pictures.
    view : UpscaleViewConfig
    factor : int
    """

    pictures: ManifestSamples
    view: UpscaleViewConfig
    factor: int

    def __len__(self) -> int:
        return len(self.pictures)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """``pixels`` and ``target``, both uint8 (H, W, 3), the second ``factor`` times as large."""
        high = self.high(index)
        low, patch = draw_pair(high, self.view, self.factor, rng)
        return {"pixels": low, "target": patch}

    def high(self, index: int) -> NDArray[np.uint8]:
        """The whole large picture, uint8 (high_px, high_px, 3)."""
        still = np.random.default_rng(0)  # nothing is drawn from it
        return np.asarray(self.pictures.sample(index, still)["pixels"], np.uint8)

    def describe(self, index: int) -> str:
        """Row and file of a sample, for messages."""
        return self.pictures.describe(index)
