"""Multiply–accumulate operations, against what can be worked out by hand."""

from __future__ import annotations

import torch

from smearlab.learn.models.complexity import multiply_accumulates
from smearlab.learn.models.lstm import RowLSTM
from smearlab.learn.models.w_net import WNet


def test_convolutions_and_dense_layers_are_counted() -> None:
    convolutions = 128**2 * 16 * 27 + 64**2 * 32 * 16 * 9 + 32**2 * 64 * 32 * 9
    assert multiply_accumulates(WNet(), 128) == convolutions + 16_384 * 1024 + 1024 * 5


def test_every_step_of_a_recurrent_layer_is_counted() -> None:
    assert multiply_accumulates(RowLSTM(), 128) == 128 * 4 * 32 * (384 + 32) + 32 * 5


def test_the_network_stays_as_it_was() -> None:
    model = RowLSTM()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    multiply_accumulates(model, 128)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
