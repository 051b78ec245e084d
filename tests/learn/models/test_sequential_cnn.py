"""The thesis' plain baseline, as it is built here."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from smearlab.errors import UsageError
from smearlab.learn.models.sequential_cnn import SequentialCNN, SequentialCNNConfig
from smearlab.learn.train.checkpoints import parameter_count


def test_its_size_is_known() -> None:
    convolutions = 9 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 128) + 32 + 64 + 128 + 128
    assert parameter_count(SequentialCNN()) == convolutions + (8 * 8 * 128 + 1) * 256 + 257 * 12


def test_other_sizes_work() -> None:
    config = SequentialCNNConfig(classes=3, input_px=37, widths=(4, 6, 8), units=5)
    with torch.inference_mode():
        assert SequentialCNN(config).eval()(torch.rand(2, 3, 37, 37)).shape == (2, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"widths": ()},
            r"widths needs positive numbers and units must be one; received \(\), 256",
        ),
        ({"units": 0}, "units must be one; received"),
        ({"input_px": 15}, "input_px must be at least 16; received 15"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SequentialCNNConfig(**given)
