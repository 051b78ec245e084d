"""What a segmenter is worth on held-out tiles while it learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from smearlab.learn.element_samples import Tiles
from smearlab.learn.nn.picture_norm import PictureNorm, Statistics, use_statistics
from smearlab.learn.segmenter_graphs import graph_of

_BATCH = 8


@dataclass(frozen=True, eq=False)
class TileJudge:
    """Figures of a segmenter; as the loops call it, see :data:`~smearlab.learn.train.validation`.

    Parameters
    ----------
    tiles : Tiles
    chooses : bool
        Whether there is a ``loss`` among the figures, so that the best epoch is kept.
    """

    tiles: Tiles
    chooses: bool = True

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        """Figures over all known pixels, by the weights alone: noise is off.

        Parameters
        ----------
        model : Module
            In evaluation mode, on any device.

        Returns
        -------
        dict of str to float
            ``pixel_accuracy``; ``dice``, NaN where the element is neither shown nor found; ``l1``,
            mean difference of the segmented picture to its target, in [0, 1]; and, if it chooses,
            ``loss``: 1 − Dice with one more pixel found and right, so that it is always defined.
            Of a network whose batch norms can go by two kinds of statistics, a judge that chooses
            tells the figures of the better kind, and ``dice_own`` and ``dice_running``.
        """
        if not self.chooses:
            return self._judged(model)
        before = next((m.statistics for m in model.modules() if isinstance(m, PictureNorm)), None)
        if before is None:
            return self._judged(model)
        by = self._by_statistics(model)
        use_statistics(model, before)
        dices = {f"dice_{kind}": figures["dice"] for kind, figures in by.items()}
        return {**by[_better(by)], **dices}

    def better_statistics(self, model: nn.Module) -> Statistics | None:
        """The kind of statistics that a trained network does better with, and now goes by.

        None of a network without a choice, or by a judge that does not choose.
        """
        if not self.chooses or not use_statistics(model, "own"):
            return None
        better = _better(self._by_statistics(model))
        use_statistics(model, better)
        return better

    def _by_statistics(self, model: nn.Module) -> dict[Statistics, dict[str, float]]:
        by: dict[Statistics, dict[str, float]] = {}
        for kind in get_args(Statistics):
            use_statistics(model, kind)
            by[kind] = self._judged(model)
        return by

    def _judged(self, model: nn.Module) -> dict[str, float]:
        """Figures of the network as it is."""
        right = found = shown = both = known = 0
        apart, values = 0.0, 0
        for answer, tiles in self._answers(model):
            element, picture = answer
            mask = tiles.mask & tiles.known
            here = (element > 0.5) & tiles.known
            right += int(np.count_nonzero((here == mask) & tiles.known))
            known += int(np.count_nonzero(tiles.known))
            found, shown = found + int(here.sum()), shown + int(mask.sum())
            both += int((here & mask).sum())
            difference = np.abs(picture - tiles.target.astype(np.float32) / 255)
            apart += float(difference[tiles.known].sum(dtype=np.float64))
            values += 3 * int(np.count_nonzero(tiles.known))
        figures = {
            "pixel_accuracy": right / known if known else float("nan"),
            "dice": 2 * both / (found + shown) if found + shown else float("nan"),
            "l1": apart / values if values else float("nan"),
        }
        if self.chooses:
            figures["loss"] = 1 - (2 * both + 1) / (found + shown + 1)
        return figures

    def _answers(
        self, model: nn.Module
    ) -> Iterator[tuple[tuple[NDArray[np.float32], NDArray[np.float32]], Tiles]]:
        """Probability and picture of some tiles at a time, and these tiles."""
        graph, tiles = graph_of(model).eval(), self.tiles
        device = next(model.parameters()).device
        for start in range(0, len(tiles), _BATCH):
            part = slice(start, start + _BATCH)
            some = Tiles(
                tiles.pixels[part], tiles.target[part], tiles.mask[part], tiles.known[part]
            )
            with torch.inference_mode():
                classes, picture = graph(torch.from_numpy(some.pixels).to(device))
            answer = (classes[..., 1].float().cpu().numpy(), picture.float().cpu().numpy())
            yield answer, some


def _better(by: Mapping[Statistics, Mapping[str, float]]) -> Statistics:
    """The kind of statistics with the lower loss."""
    return min(by, key=lambda kind: by[kind]["loss"])
