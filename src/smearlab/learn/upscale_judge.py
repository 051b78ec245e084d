"""What an upscaler is worth on pictures that it does not learn from, while it learns and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from smearlab.io.atomic import write_bytes
from smearlab.learn.classifier_run import evenly
from smearlab.learn.transforms.upscale_views import lowered
from smearlab.learn.upscale_graph import UpscaleGraph
from smearlab.learn.upscale_samples import UpscaleSamples
from smearlab.metrics.picture_pairs import l2, psnr, ssim
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.report.overlay import encode_png
from smearlab.upscale.upscaler import BICUBIC, Upscaler

#: The sheet that an epoch leaves in the run: small, bicubic, network, large.
SHEET = "samples.png"
_BATCH, _SHOWN = 16, 4
#: What identical pictures count as, dB: a mean over pictures stays finite.
IDENTICAL_DB = 100.0
Pictures = NDArray[np.uint8]


def enlarged(model: nn.Module, low: Pictures) -> Pictures:
    """A network's answers, as its bundle would give them.

    Parameters
    ----------
    model : Module
        In evaluation mode, on any device.
    low : ndarray of uint8, shape (N, H, W, 3)

    Returns
    -------
    ndarray of uint8, shape (N, f H, f W, 3)
    """
    graph, device = UpscaleGraph(model), next(model.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(low), _BATCH):
            (made,) = graph(torch.from_numpy(low[start : start + _BATCH]).to(device))
            parts.append(made.cpu().numpy())
    return np.asarray(np.concatenate(parts), np.uint8)


@dataclass(frozen=True, eq=False)
class UpscaleJudge:
    """Figures of an upscaler; as the loops call it, see :mod:`smearlab.learn.train.validation`.

    Parameters
    ----------
    samples : UpscaleSamples
        Of the validation part.
    most : int
        Pictures that are looked at, at most.
    chooses : bool
        Whether there is a ``loss`` among the figures, so that the best epoch is kept.
    sheet : Path or None
        Where a sheet of some pictures is written.
    """

    samples: UpscaleSamples
    most: int
    chooses: bool
    sheet: Path | None = None

    @cached_property
    def high(self) -> Pictures:
        """The large pictures, shape (N, S, S, 3)."""
        return np.stack([self.samples.high(n) for n in evenly(len(self.samples), self.most)])

    @cached_property
    def low(self) -> Pictures:
        """The small ones."""
        factor, sigma_px = self.samples.factor, self.samples.view.sigma_px
        return np.stack([lowered(one, factor, sigma_px) for one in self.high])

    @cached_property
    def bicubic(self) -> Pictures:
        """The small ones, interpolated."""
        upscaler = Upscaler.load(BICUBIC, self.samples.factor)
        return np.stack([upscaler.upscale(one) for one in self.low])

    @cached_property
    def interpolated(self) -> dict[str, float]:
        """``psnr_bicubic`` and ``ssim_bicubic``."""
        return {f"{key}_bicubic": value for key, value in _figures(self.bicubic, self.high).items()}

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        """Mean ``psnr`` (dB) and ``ssim`` over the pictures, and those of bicubic interpolation.

        Parameters
        ----------
        model : Module
            In evaluation mode.

        Returns
        -------
        dict of str to float
            If it chooses with ``loss``, the mean squared difference of pixels in [0, 1].
        """
        made = enlarged(model, self.low)
        if self.sheet is not None:
            write_bytes(self.sheet, encode_png(self._drawn(made)))
        figures = {**_figures(made, self.high), **self.interpolated}
        if self.chooses:
            figures["loss"] = float(np.square(l2(made, self.high)).mean())
        return figures

    def _drawn(self, made: Pictures) -> Pictures:
        rows = []
        for n in range(min(_SHOWN, len(made))):
            high = self.high[n : n + 1]
            quality = [float(psnr(one[n : n + 1], high)[0]) for one in (self.bicubic, made)]
            words = (
                f"small, {self.low.shape[2]} px",
                f"bicubic, {quality[0]:.2f} dB",
                f"network, {quality[1]:.2f} dB",
                "large",
            )
            pictures = (self.low[n], self.bicubic[n], made[n], self.high[n])
            rows.append(SheetRow(f"picture {n + 1}", pictures, words))
        return draw_contact_sheet(rows)


def decibels(made: Pictures, high: Pictures) -> NDArray[np.float64]:
    """PSNR of each pair, :data:`IDENTICAL_DB` at most."""
    return np.minimum(psnr(made, high), IDENTICAL_DB)


def _figures(made: Pictures, high: Pictures) -> dict[str, float]:
    return {"psnr": float(decibels(made, high).mean()), "ssim": float(ssim(made, high).mean())}
