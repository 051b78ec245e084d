"""VGG of paper C: sixteen convolutions, three dense layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.vgg_paper_c import VGGPaperC, VGGPaperCConfig
from smearlab.learn.train.checkpoints import parameter_count


def counted(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in model.modules())


@pytest.mark.parametrize(("side", "size"), [(128, 70_384_709), (224, 139_590_725)])
def test_its_size_is_known(side: int, size: int) -> None:
    with torch.device("meta"):
        model = VGGPaperC(VGGPaperCConfig(input_px=side))
    assert parameter_count(model) == size
    assert (counted(model, nn.Conv2d), counted(model, nn.Linear)) == (16, 3)
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == [0.5, 0.5]


def test_images_that_the_pools_would_eat_are_refused() -> None:
    with pytest.raises(UsageError, match="input_px must be at least 32; received 31"):
        VGGPaperCConfig(input_px=31)
