"""Dropout that ends before the training: when, for good, and the same after an interruption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from toy_run import CONFIG, Stripes, losses_of, train

from smearlab.errors import UsageError
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.dropout import end_dropout

#: Four epochs of three steps: the last six are without.
HALF = replace(CONFIG, dropout_share=0.5)


@pytest.mark.parametrize(
    ("layer", "ndim"),
    [
        (nn.Dropout(0.9), 2),
        (nn.Dropout2d(0.9), 4),
        (nn.Dropout3d(0.9), 5),
        (nn.AlphaDropout(0.9), 2),
    ],
)
def test_every_layer_of_dropout_passes_all(layer: nn.Module, ndim: int) -> None:
    network = nn.Sequential(nn.Identity(), nn.Sequential(layer)).train()
    x = torch.rand(6, 7, *(ndim - 2) * [4])
    assert not torch.equal(network(x), x)
    end_dropout(network)
    torch.testing.assert_close(network(x), x, rtol=0, atol=0)
    assert network.training


def test_it_acts_up_to_its_share_and_not_after(tmp_path: Path) -> None:
    train(tmp_path / "half", HALF)
    train(tmp_path / "all", CONFIG)
    train(tmp_path / "none", replace(CONFIG, dropout_share=0.0))
    half, always, never = (losses_of(tmp_path / name) for name in ("half", "all", "none"))
    assert half[:6] == always[:6]
    assert half[6] != always[6]
    assert half[0] != never[0]


def test_a_run_that_failed_without_dropout_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", HALF).state_dict()
    with pytest.raises(OSError, match="the disk is gone"):
        train(tmp_path / "broken", HALF, Stripes(stop_after=9 * 8 + 2))
    again = train(tmp_path / "broken", HALF).state_dict()
    assert losses_of(tmp_path / "broken") == losses_of(tmp_path / "whole")
    for name, value in whole.items():
        torch.testing.assert_close(again[name], value, rtol=0, atol=0)


def test_its_share_is_one() -> None:
    with pytest.raises(UsageError, match="dropout_share must lie within"):
        TrainConfig(dropout_share=1.2)
