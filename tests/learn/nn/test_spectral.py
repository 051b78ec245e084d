"""Spectral normalisation: the largest stretch of every layer becomes 1."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from smearlab.learn.nn.spectral import spectrally_normalised


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ConvTranspose2d(8, 6, 4, 2, 1),
        nn.Flatten(), nn.Linear(6 * 64, 5),
    )  # fmt: skip


def matrix(module: nn.Module) -> Tensor:
    """The weight, one row for each channel or feature that comes out."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    if isinstance(module, nn.ConvTranspose2d):
        weight = weight.transpose(0, 1)
    return weight.detach().flatten(1)


def test_the_largest_singular_value_becomes_1() -> None:
    model = layers()
    for module in (model[0], model[2], model[4]):
        module.weight.data *= 7
    normalised = spectrally_normalised(model)
    assert normalised is model
    with torch.no_grad():
        for _ in range(200):
            model(torch.rand(2, 3, 8, 8))
    for n in (0, 2, 4):
        largest = float(torch.linalg.matrix_norm(matrix(model[n]), ord=2))
        assert abs(largest - 1) < 1e-3, n


def test_only_the_stretch_changes() -> None:
    """The weight is the old one but for a factor, and norms are left alone."""
    model, before = layers(), [matrix(layers()[n]) for n in (0, 2, 4)]
    spectrally_normalised(model)
    for n, old in zip((0, 2, 4), before, strict=True):
        ratio = matrix(model[n]) / old
        torch.testing.assert_close(ratio, ratio[0, 0].expand_as(ratio))
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == sum(parameter.numel() for parameter in layers().parameters())
    assert isinstance(model[1].weight, nn.Parameter)


def test_the_power_iteration_comes_back_from_a_file(tmp_path: Path) -> None:
    model = spectrally_normalised(layers())
    for _ in range(3):
        model(torch.rand(2, 3, 8, 8)).sum().backward()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    again = spectrally_normalised(layers())
    again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    keys = [key for key in model.state_dict() if key.endswith(("_u", "_v"))]
    assert len(keys) == 6
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(model(x), again(x))  # each takes its next power iteration
    for key, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
