"""LSTM of paper C: reads an image row by row.

Jung et al. (2021), section 3.6: the 128 rows of an image are 128 steps of 384 numbers (128 columns
of three colours); one layer of 32 units, whose last state is classified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.checks import check_classes
from smearlab.learn.nn.normalise import OwnNormalise


@dataclass(frozen=True)
class RowLSTMConfig:
    """Sizes of the network.

    Parameters
    ----------
    classes : int
        Five in the paper.
    input_px : int
        Side of the images.
    units : int
        Of the only layer; the paper's search chose 32.
    """

    classes: int = 5
    input_px: int = 128
    units: int = 32

    def __post_init__(self) -> None:
        check_classes(self.classes)
        if self.input_px < 1 or self.units < 1:
            raise UsageError(
                f"input_px and units must be at least 1; received {self.input_px}, {self.units}"
            )


class RowLSTM(nn.Module):
    """Type logits of crops; see the module's text.

    Parameters
    ----------
    config : RowLSTMConfig, optional
        The paper's sizes when left out: 53,669 parameters, as torch keeps two biases a gate.
    """

    #: One stage before the head.
    stage_starts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: RowLSTMConfig | None = None) -> None:
        super().__init__()
        config = config or RowLSTMConfig()
        self.normalise = OwnNormalise()
        self.rows = nn.LSTM(3 * config.input_px, config.units, batch_first=True)
        self.head = nn.Linear(config.units, config.classes)
        self._start()

    def _start(self) -> None:
        """Forget gates begin open: a gradient must come through all the steps.

        Jozefowicz, Zaremba & Sutskever (2015), section 2.2.
        """
        units = self.rows.hidden_size
        with torch.no_grad():
            for name in ("bias_ih_l0", "bias_hh_l0"):
                bias: Tensor = getattr(self.rows, name)
                bias.zero_()  # gates lie in the order input, forget, cell, output
                bias[units : 2 * units] = 0.5

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x : Tensor, shape (B, 3, S, S)
            sRGB crops in [0, 1], S = ``input_px``.

        Returns
        -------
        Tensor, shape (B, classes)
            Logits.
        """
        steps = self.normalise(x).permute(0, 2, 3, 1).flatten(2)  # (B, S, 3 · S)
        states, _ = self.rows(steps)
        return cast(Tensor, self.head(states[:, -1]))
