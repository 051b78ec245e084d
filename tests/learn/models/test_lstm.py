"""The LSTM of paper C reads rows from the top, and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.lstm import RowLSTM, RowLSTMConfig
from smearlab.learn.train.checkpoints import parameter_count


def test_its_size_is_known() -> None:
    # Four gates of 384 inputs and 32 states a unit, and two biases each; then five classes.
    assert parameter_count(RowLSTM()) == 4 * 32 * (384 + 32 + 2) + 33 * 5


def test_a_step_is_a_row_of_three_colours() -> None:
    """The same as torch's own cell, fed row by row."""
    torch.manual_seed(0)
    model = RowLSTM(RowLSTMConfig(classes=3, input_px=12, units=8)).eval()
    cell = nn.LSTMCell(36, 8)
    cell.load_state_dict(
        {name.removesuffix("_l0"): value for name, value in model.rows.state_dict().items()}
    )
    image = torch.rand(1, 3, 12, 12)
    normalised = (image - image.mean()) / image.std(correction=0)
    state = (torch.zeros(1, 8), torch.zeros(1, 8))
    with torch.inference_mode():
        for row in range(12):
            state = cell(normalised[:, :, row].permute(0, 2, 1).reshape(1, 36), state)
        torch.testing.assert_close(model(image), model.head(state[0]))


def test_its_forget_gates_begin_open() -> None:
    rows = RowLSTM().rows
    biases = (rows.bias_ih_l0 + rows.bias_hh_l0).detach()
    assert biases[32:64].tolist() == [1.0] * 32
    assert not biases[:32].any() and not biases[64:].any()


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="input_px and units must be at least 1; received 128, 0"):
        RowLSTMConfig(units=0)
