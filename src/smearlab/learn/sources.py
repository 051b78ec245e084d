"""Where training samples come from: each joins pictures with the view that is drawn of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.cell_patches import Patches
from smearlab.learn.train.sampling import Sample
from smearlab.learn.transforms.cell_views import CellViewConfig, draw_cell_view
from smearlab.learn.transforms.centre_targets import centre_targets
from smearlab.learn.transforms.views import ViewConfig, draw_view
from smearlab.learn.transforms.whole_views import WholeViewConfig, draw_whole_view


@dataclass(frozen=True, eq=False)
class CentreSamples:
    """Views of boxed fields with the targets of the cell-centre network.

    Parameters
    ----------
    fields : sequence of BoxedField
        One sample of each in an epoch.
    config : ViewConfig
    """

    fields: Sequence[BoxedField]
    config: ViewConfig = field(default_factory=ViewConfig)

    def __len__(self) -> int:
        return len(self.fields)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """See :class:`smearlab.learn.train.sampling.SampleSource`."""
        return centre_targets(draw_view(self.fields, index, self.config, rng))


@dataclass(frozen=True, eq=False)
class ForegroundSamples:
    """Whole fields with their pixel map, for paper A's U-Net.

    Parameters
    ----------
    fields : sequence of BoxedField
        One sample of each in an epoch.
    config : WholeViewConfig
    """

    fields: Sequence[BoxedField]
    config: WholeViewConfig = field(default_factory=WholeViewConfig)

    def __len__(self) -> int:
        return len(self.fields)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """See :class:`smearlab.learn.train.sampling.SampleSource`."""
        chosen = self.fields[index]
        return draw_whole_view(chosen.pixels, chosen.element_map, self.config, rng)


class CellSamples:
    """Views of cells with their type.

    Parameters
    ----------
    patches : Patches
    classes : sequence of str
        The number of a type is its place here.
    config : CellViewConfig
    per_epoch : int, optional
        Samples in an epoch; each is drawn by weight. As many as there are patches when left out.
    origin_weights : mapping of str to float, optional
        How often a patch of an origin is drawn, 1 where it is not named.
    """

    def __init__(
        self,
        patches: Patches,
        classes: Sequence[str],
        config: CellViewConfig,
        per_epoch: int | None = None,
        origin_weights: Mapping[str, float] | None = None,
    ) -> None:
        self.patches, self.config = patches, config
        number = {name: n for n, name in enumerate(classes)}
        self.targets: NDArray[np.int64] = np.array([number[name] for name in patches.types])
        self.per_epoch = per_epoch or len(self.targets)
        weights = np.ones(len(self.targets))
        for origin, weight in (origin_weights or {}).items():
            weights[patches.origins == origin] = weight
        self.cumulative = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return self.per_epoch

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """See :class:`smearlab.learn.train.sampling.SampleSource`."""
        # Systematic sampling: the index fixes the stratum, chance the place within it.
        place = (index + rng.random()) / self.per_epoch
        n = min(int(np.searchsorted(self.cumulative, place)), len(self.targets) - 1)
        view = draw_cell_view(self.patches.pixels[n], self.config, rng)
        return {"pixels": view, "target": self.targets[n]}
