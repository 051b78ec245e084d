"""What networks from stain to stain are worth on pictures that they do not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from smearlab.evaluation.picture_features import Features
from smearlab.evaluation.stain_figures import StainedPictures, defined, stain_figures
from smearlab.evaluation.synthesis_figures import RESAMPLES, Figure, mean_figure
from smearlab.io.atomic import write_bytes
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.models.stain_ways import StainWays
from smearlab.learn.nn.settling_norm import own_statistics, settling_norms
from smearlab.learn.stain_graph import restained
from smearlab.learn.stain_samples import matched_places, pictures_at
from smearlab.metrics.picture_pairs import l1
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.report.overlay import encode_png

#: The sheets of a run, of each type real, in the other stain, and back: of validation pictures
#: after an epoch, of test pictures in the end.
SHEET, TESTED = "samples.png", "tested.png"
#: Pictures of a type that are shown of each stain.
_SHOWN, _TILE_PX = 2, 128
Pictures = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class StainJudge:
    """Figures of one way or both; as the loops call it, see :mod:`smearlab.learn.train.validation`.

    Parameters
    ----------
    a, b : ManifestSamples
        Held-out pictures of either stain.
    most : int
        Pictures of each that are looked at, at most; both show as many of each type.
    features : Features
        What the Fréchet distances are of.
    stains : (str, str)
        What the sheet calls them.
    teacher : callable, optional
        Makes the pictures that a network is taught by; the figures then have a ``loss``, so that
        the best epoch is kept.
    sheet : Path, optional
        Where a sheet of some pictures is written.
    """

    a: ManifestSamples
    b: ManifestSamples
    most: int
    features: Features
    stains: tuple[str, str]
    teacher: Callable[[Pictures], Pictures] | None = None
    sheet: Path | None = None

    @cached_property
    def places(self) -> tuple[list[int], list[int]]:
        """Which samples of A and of B: as many of each type."""
        return matched_places(self.a, self.b, self.most)

    @cached_property
    def real(self) -> tuple[Pictures, Pictures]:
        """The pictures of A and of B, uint8 (N, S, S, 3)."""
        return pictures_at(self.a, self.places[0]), pictures_at(self.b, self.places[1])

    @cached_property
    def taught(self) -> Pictures | None:
        """What the teacher makes of A."""
        return None if self.teacher is None else self.teacher(self.real[0])

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        """Write the sheet; the figures that are defined, without intervals.

        Parameters
        ----------
        model : StainWays
            In evaluation mode.
        """
        a, b = self.pictures(cast(StainWays, model))
        if self.sheet is not None:
            write_bytes(self.sheet, encode_png(self._drawn(a, b)))
        figures = defined(stain_figures(a, b, self.features, resamples=0))
        if "l1_taught" in figures:
            figures["loss"] = figures["l1_taught"]
        return figures

    def figures(self, model: StainWays, resamples: int = RESAMPLES) -> dict[str, Figure]:
        """All figures with their intervals.

        Parameters
        ----------
        model : StainWays
            In evaluation mode.
        resamples : int

        Returns
        -------
        dict of str to Figure
            As :func:`smearlab.evaluation.stain_figures.stain_figures` has them, and, with instance
            norms, ``l1_own_b``: the difference from what the same network makes of A where each
            picture goes by its own statistics.
        """
        a, b = self.pictures(model)
        if self.sheet is not None:
            write_bytes(self.sheet, encode_png(self._drawn(a, b)))
        found = stain_figures(a, b, self.features, resamples=resamples)
        if settling_norms(model) and a.made is not None:
            with own_statistics(model):
                own = restained(model.way("a_to_b"), a.real)
            found["l1_own_b"] = mean_figure(l1(a.made, own), resamples)
        return found

    def pictures(self, model: StainWays) -> tuple[StainedPictures, StainedPictures]:
        """What the networks make of the pictures of A and of B."""
        real_a, real_b = self.real
        groups = [self.a.groups[self.places[0]], self.b.groups[self.places[1]]]
        there = model.way("a_to_b")
        made_b, same_b = restained(there, real_a), restained(there, real_b)
        if "b_to_a" not in model.ways:
            a = StainedPictures(real_a, groups[0], made_b, taught=self.taught)
            return a, StainedPictures(real_b, groups[1], same=None if self.teacher else same_b)
        back = model.way("b_to_a")
        made_a = restained(back, real_b)
        return (
            StainedPictures(
                real_a, groups[0], made_b, restained(back, made_b), restained(back, real_a)
            ),
            StainedPictures(real_b, groups[1], made_a, restained(there, made_a), same_b),
        )

    def _drawn(self, a: StainedPictures, b: StainedPictures) -> Pictures:
        """A row of each type and stain, as the thesis's Figures 41 to 46."""
        rows = []
        types = np.array(self.a.classes)[self.a.targets[self.places[0]]]  # of both stains
        for one, stain, other in ((a, *self.stains), (b, *self.stains[::-1])):
            if one.made is None:
                continue
            columns = {stain: one.real, f"as {other}": one.made, "back": one.back}
            shown = {word: pictures for word, pictures in columns.items() if pictures is not None}
            for kind in dict.fromkeys(types.tolist()):
                chosen = np.flatnonzero(types == kind)[:_SHOWN]
                lacking = (_SHOWN - len(chosen)) * len(shown)
                pictures = [some[n] for n in chosen for some in shown.values()]
                pictures += [np.full_like(one.real[0], 255)] * lacking
                notes = (*list(shown) * len(chosen), *[""] * lacking)
                rows.append(SheetRow(f"{stain}, {kind}", pictures, notes))
        return draw_contact_sheet(rows, _TILE_PX)
