"""AlexNet as paper C counts it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.alexnet import AlexNet, AlexNetConfig
from smearlab.learn.train.checkpoints import parameter_count


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    with torch.device("meta"):
        assert parameter_count(AlexNet()) == 46_767_493


def test_the_dense_layers_see_five_by_five_places() -> None:
    with torch.device("meta"):
        model = AlexNet().eval()
        shapes: list[tuple[int, ...]] = []
        for module in model.modules():
            if isinstance(module, nn.MaxPool2d):
                module.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
        model(torch.zeros(1, 3, 224, 224))
    assert shapes == [(96, 26, 26), (256, 12, 12), (256, 5, 5)]


def test_responses_are_normalised_as_in_section_3_3() -> None:
    """b = a / (k + α Σ a²)^β over five channels, α = 1e-4, β = 0.75, k = 2."""
    with torch.device("meta"):
        model = AlexNet()
    norms = [m for m in model.modules() if isinstance(m, nn.LocalResponseNorm)]
    assert len(norms) == 2
    a = torch.rand(1, 9, 2, 2, generator=torch.Generator().manual_seed(0)) * 200
    expected = a[0, 4] / (2 + 1e-4 * (a[0, 2:7] ** 2).sum(0)) ** 0.75
    torch.testing.assert_close(norms[0](a)[0, 4], expected)


def test_the_smallest_image_works_and_smaller_ones_are_refused() -> None:
    model = AlexNet(AlexNetConfig(classes=2, input_px=67)).eval()
    with torch.inference_mode():
        assert model(torch.rand(1, 3, 67, 67)).shape == (1, 2)
    with pytest.raises(UsageError, match="input_px must be at least 67; received 66"):
        AlexNetConfig(input_px=66)
