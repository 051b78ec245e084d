"""Paper D's classifier: VGG19 under dense layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.vgg19_dense import VGGDense, VGGDenseConfig
from smearlab.learn.train.checkpoints import parameter_count


def test_its_parts_have_as_many_parameters_as_table_3_says() -> None:
    with torch.device("meta"):
        model = VGGDense()
    assert parameter_count(model.features) == 20_024_384
    dense = [parameter_count(m) for m in model.head if isinstance(m, nn.Linear)]
    assert dense == [525_312, 524_800, 131_328, 1028]
    assert parameter_count(model) == 21_206_852


@pytest.mark.parametrize("depth", [16, 19])
def test_its_features_are_torchvisions(depth: int) -> None:
    """Layer by layer, so that published weights fit by name."""
    torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")
    with torch.device("meta"):
        theirs = torchvision.models.get_model(f"vgg{depth}", weights=None).features
        ours = VGGDense(VGGDenseConfig(depth=depth)).features
    assert [type(m) for m in ours] == [type(m) for m in theirs]
    shapes = {name: value.shape for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == shapes


def test_any_image_of_32_px_or_more_works() -> None:
    model = VGGDense(VGGDenseConfig(classes=3, depth=16)).eval()
    with torch.inference_mode():
        for side in (32, 50):
            assert model(torch.rand(1, 3, side, side)).shape == (1, 3)


def test_other_depths_are_refused() -> None:
    with pytest.raises(UsageError, match="depth must be 16 or 19; received 11"):
        VGGDenseConfig(depth=11)


def test_what_it_says_follows_from_the_picture_before_any_training() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(4, 3, 1, 1).expand(4, 3, 32, 32) * torch.rand(4, 1, 32, 32)
    with torch.inference_mode():
        said = VGGDense()(pictures)
    # Were kernels scaled by what goes out, these would differ by a hundredth.
    assert said.std(0).mean() > 0.03
