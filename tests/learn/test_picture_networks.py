"""LPIPS against torchmetrics with the same weights, the blood-cell LPIPS, Inception features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.backbones import BACKBONES, library_network
from smearlab.learn.picture_networks import (
    InceptionFeatures,
    PerceptualDistance,
    blood_cell_lpips,
    lpips,
)

from torchmetrics.functional.image.lpips import _LPIPS  # isort: skip

WIDTHS = (64, 192, 384, 256, 256)


def pictures(n: int = 4, side: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def theirs() -> nn.Module:
    """AlexNet with random weights, and the channel weights that torchmetrics ships."""
    torch.manual_seed(0)
    return _LPIPS(pretrained=True, net="alex", pnet_rand=True)


@pytest.fixture(scope="module")
def files(theirs: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Its weights, named as torchvision and LPIPS name them."""
    folder = tmp_path_factory.mktemp("weights")
    # It keeps torchvision's layers in slices, under their numbers there.
    network = {
        f"features.{name.split('.', 2)[2]}": value.contiguous()
        for name, value in theirs.net.state_dict().items()
        if name.startswith("slices.")
    } or {
        f"features.{name.split('.', 1)[1]}": value.contiguous()
        for name, value in theirs.net.state_dict().items()
    }
    save_file(network, folder / "alexnet.safetensors")
    linear = {
        name: value.contiguous()
        for name, value in theirs.state_dict().items()
        if name.startswith("lin") and name[3].isdigit()
    }
    torch.save(linear, folder / "linear.pth")
    return folder / "alexnet.safetensors", folder / "linear.pth"


def test_lpips_equals_torchmetrics(theirs: nn.Module, files: tuple[Path, Path]) -> None:
    ours = lpips("alexnet", *files)
    shown = pictures(4, 64)
    left, right = np.array([0, 1, 2]), np.array([3, 3, 0])
    tensors = [torch.from_numpy(shown[rows]).permute(0, 3, 1, 2) / 255.0 for rows in (left, right)]
    with torch.inference_mode():
        expected = theirs(*tensors, normalize=True).flatten().numpy()
    assert expected.min() > 0
    assert ours.of_pairs(shown, left, right) == pytest.approx(expected, rel=1e-4)
    assert ours.name.startswith("LPIPS (alexnet, ")


def test_other_files_are_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    network, linear = files
    with pytest.raises(UsageError, match=r"not alexnet as torchvision names it: features.0.weight"):
        lpips("alexnet", linear, linear)
    with pytest.raises(UsageError, match=r"lin0.model.1.weight is missing, not 64 numbers"):
        lpips("alexnet", network, network)
    with pytest.raises(UsageError, match=r"missing\.pth"):
        lpips("alexnet", tmp_path / "missing.pth", linear)
    with pytest.raises(UnknownNameError, match="did you mean 'alexnet'"):
        lpips("alexnt", network, linear)


def test_distance_by_hand() -> None:
    """One layer that leaves colours: red and green pixels at length 1 differ by 1² + 1²."""
    identity = PerceptualDistance("colours", nn.Identity(), [nn.Identity()])
    weighted = PerceptualDistance(
        "colours", nn.Identity(), [nn.Identity()], [torch.tensor([0.5, 0.0, 0.0])]
    )
    shown = np.zeros((2, 4, 4, 3), np.uint8)
    shown[0, ..., 0], shown[1, ..., 1] = 200, 100
    shown[1, :2] = shown[0, :2]  # the upper half is alike
    left, right = np.array([0]), np.array([1])
    assert identity.of_pairs(shown, left, right) == pytest.approx([1.0], rel=1e-6)
    assert weighted.of_pairs(shown, left, right) == pytest.approx([0.25], rel=1e-6)
    assert identity.of_pairs(shown, left[:0], right[:0]).shape == (0,)


def test_blood_cell_lpips_is_a_distance() -> None:
    ours = blood_cell_lpips()
    shown = pictures(3)
    shown[2] = shown[0]
    found = ours.of_pairs(shown, np.array([0, 1, 0]), np.array([1, 0, 2]))
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert found[2] == 0 < found[0] <= 2 * len(ours.layers)
    assert len(ours.layers) == 5
    assert "cell_types" in ours.name


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    from dataclasses import replace

    config = replace(
        BACKBONES["inception_v3"], options={"aux_logits": False, "init_weights": False}
    )
    torch.manual_seed(0)
    network = library_network(config, num_classes=1000).eval()
    path = tmp_path_factory.mktemp("inception") / "inception.safetensors"
    save_file(network.state_dict(), path)
    return path, network


def test_inception_features_are_what_its_last_layer_takes(
    inception: tuple[Path, nn.Module],
) -> None:
    path, network = inception
    ours = InceptionFeatures(path)
    features, probabilities = ours.both(pictures(1))
    assert features.shape == (1, 2048) and probabilities.shape == (1, 1000)
    x = torch.from_numpy(pictures(1)).permute(0, 3, 1, 2) / 255.0
    x = nn.functional.interpolate(x, (299, 299), mode="bilinear", antialias=True) * 2 - 1
    with torch.inference_mode():
        expected = network(x).softmax(1).numpy()
    assert probabilities == pytest.approx(expected, abs=1e-6)
    head = network.get_submodule("fc")
    weight, bias = (one.detach().double().numpy() for one in (head.weight, head.bias))
    logits = np.log(probabilities)
    ours_logits = features @ weight.T + bias
    centred = ours_logits - ours_logits.mean(1, keepdims=True)
    assert logits - logits.mean(1, keepdims=True) == pytest.approx(centred, abs=1e-4)
    assert "Inception-v3" in ours.name


def test_a_part_of_inception_is_refused(inception: tuple[Path, nn.Module], tmp_path: Path) -> None:
    state = {n: v for n, v in inception[1].state_dict().items() if "Mixed_5b" not in n}
    save_file(state, tmp_path / "part.safetensors")
    with pytest.raises(UsageError, match=r"lacks weights of Inception-v3, first network\.Mixed_5b"):
        InceptionFeatures(tmp_path / "part.safetensors")
