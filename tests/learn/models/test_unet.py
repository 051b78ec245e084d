"""Paper A's U-Net: its size, and what it gives."""

from __future__ import annotations

import pytest
import torch

from smearlab.errors import UsageError
from smearlab.learn.models.unet import UNet, UNetConfig
from smearlab.learn.train.checkpoints import parameter_count


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    assert parameter_count(UNet()) == 31_378_945


def test_it_gives_one_logit_a_pixel() -> None:
    model = UNet(UNetConfig(widths=(4, 8, 16, 24, 32))).eval()
    with torch.inference_mode():
        assert model(torch.rand(2, 3, 48, 32)).shape == (2, 1, 48, 32)


def test_skip_connections_carry_detail() -> None:
    """A change of one pixel must change the logit right there, which the middle block halves away
    four times."""
    torch.manual_seed(0)
    model = UNet(UNetConfig(widths=(4, 8, 16))).eval()
    x = torch.rand(1, 3, 32, 32)
    y = x.clone()
    y[0, :, 13, 17] = 1 - y[0, :, 13, 17]
    with torch.inference_mode():
        change = (model(x) - model(y)).abs()[0, 0]
    assert int(change.argmax()) in {r * 32 + c for r in (12, 13, 14) for c in (16, 17, 18)}


@pytest.mark.parametrize("widths", [(64,), (0, 8)])
def test_impossible_sizes_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="widths needs two or more positive numbers; received"):
        UNetConfig(widths=widths)
