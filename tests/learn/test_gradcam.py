"""Grad-CAM of small networks whose maps can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from smearlab.errors import RunError, UnknownNameError, UsageError
from smearlab.learn.gradcam import covered, grad_cam, maps_of_run
from smearlab.learn.models.classifiers import CLASSIFIERS
from tested_run_folders import write_run


class Colours(nn.Module):
    """One convolution that passes red and blue on; each class is the mean of one of them."""

    def __init__(self, weights: list[list[float]]) -> None:
        super().__init__()
        self.pick = nn.Conv2d(3, 2, 1, bias=False)
        self.head = nn.Linear(2, len(weights), bias=False)
        self.drop = nn.Dropout(0.9)
        with torch.no_grad():
            self.pick.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])[..., None, None])
            self.head.weight.copy_(torch.tensor(weights))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.drop(nn.functional.relu(self.pick(x), inplace=True)).mean((2, 3)))


def picture() -> Tensor:
    """Red 0.5 and 1 on the left, blue 0.25 on the right of 4 × 4 px."""
    image = torch.zeros(1, 3, 4, 4)
    image[0, 0, :2, 0], image[0, 0, 2:, 0] = 0.5, 1.0
    image[0, 2, :, 3] = 0.25
    return image


def test_the_map_is_the_weighted_sum_of_the_channels() -> None:
    """Weights are the gradients of a mean: ∂y/∂A = w / 16, so the map is relu(Σ w·A) / its top."""
    net = Colours([[1.0, 0.0], [0.0, 1.0], [-1.0, 4.0], [-1.0, -1.0]])
    images = picture().repeat(4, 1, 1, 1)
    red, blue, both, none = grad_cam(net.train(), images, [0, 1, 2, 3])
    np.testing.assert_allclose(red, images[0, 0].numpy(), atol=1e-6)
    np.testing.assert_allclose(blue, images[0, 2].numpy() * 4, atol=1e-6)
    mixed = np.maximum(4 * images[0, 2].numpy() - images[0, 0].numpy(), 0)
    np.testing.assert_allclose(both, mixed / mixed.max(), atol=1e-6)
    assert (none == 0).all()  # nothing speaks for it
    assert net.training  # left as it was


def test_frozen_networks_have_maps_and_keep_no_hooks() -> None:
    net = Colours([[1.0, 0.0]]).requires_grad_(False)
    heat = grad_cam(net, picture(), [0])
    assert heat.max() == pytest.approx(1)
    assert not net.pick._forward_hooks
    assert all(one.grad is None for one in net.parameters())


def test_the_last_map_larger_than_a_pixel_is_taken_and_enlarged() -> None:
    """Stripes are halved by the second convolution; the third sees one pixel only."""
    net = nn.Sequential(
        nn.Conv2d(3, 1, 1, bias=False),
        nn.Conv2d(1, 1, 2, stride=2, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(1, 2, 1, bias=False),
        nn.Flatten(),
    )
    for part in net.parameters():
        nn.init.constant_(part, 1.0)
    image = torch.zeros(1, 3, 4, 4)
    image[..., :2] = 1.0
    heat = grad_cam(net, image, [1])[0]
    expected = np.tile([1.0, 0.75, 0.25, 0.0], (4, 1))  # bilinear between two columns
    np.testing.assert_allclose(heat, expected, atol=1e-6)


def test_a_network_without_convolutions_is_refused() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    with pytest.raises(UsageError, match="no convolutional feature map"):
        grad_cam(net, picture(), [0])


def test_a_covered_picture_is_red_where_the_map_is_high() -> None:
    pixels = np.full((2, 2, 3), 128, np.uint8)
    shown = covered(pixels, np.array([[0, 1], [0, 1]], np.float32))
    assert shown.dtype == np.uint8 and shown.shape == (2, 2, 3)
    assert shown[0, 1, 0] > shown[0, 1, 2] and shown[0, 0, 0] <= shown[0, 0, 2] + 20
    faint, strong = (np.abs(shown[0, x].astype(int) - 128).max() for x in (0, 1))
    assert strong > faint


def a_run(tmp_path: Path, network: str = "lwcnn") -> Path:
    """A run of LWCNN with fresh weights, and two pictures."""
    run = write_run(tmp_path / "run", n=20, network="lwcnn", input_px=64)
    asked = {
        "kind": "classifier",
        "recipe": "lwcnn",
        "network": network,
        "view": {"size_px": 64, "crop_px": 40, "clip_limit": 0.0},
        "data": {"datasets": [], "taxonomy": "given", "scales": {"raabin": 2.0}},
    }
    (run / "config.json").write_text(json.dumps({"asked": asked}))
    torch.manual_seed(0)
    save_file(CLASSIFIERS["lwcnn"].build(5).state_dict(), run / "model.safetensors")
    ramp = np.linspace(0, 255, 100).astype(np.uint8)
    Image.fromarray(np.stack([np.tile(ramp, (100, 1))] * 3, axis=-1)).save(tmp_path / "a.png")
    return run


def test_maps_of_a_run_show_what_its_network_saw(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    row = {"path": "a.png", "origin": "pbc", "answer": "monocyte"}
    others = ({"origin": "raabin"}, {"origin": "simulated-1"}, {"path": "missing.png"})
    rows = [row, *({**row, **other} for other in others)]
    near, far, whole, missing = maps_of_run(run, rows, tmp_path)
    assert missing is None
    assert near is not None and far is not None and whole is not None
    assert near.shape == far.shape == (64, 64, 3)
    # The middle 40 px of a ramp of 100 rise half as far as the middle 80 px.
    rise = [float(np.ptp(shown.astype(float).mean((0, 2)))) for shown in (near, far, whole)]
    assert rise[0] < 0.75 * rise[1] < 0.75 * rise[2]  # simulated pictures are shown whole


def test_runs_without_maps_are_named(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    rows = [{"path": "a.png", "origin": "pbc", "answer": "monocyte"}]
    (run / "model.safetensors").unlink()
    with pytest.raises(RunError, match=r"model\.safetensors cannot be read"):
        maps_of_run(run, rows, tmp_path)
    with pytest.raises(UnknownNameError, match="naive_bayes"):
        maps_of_run(a_run(tmp_path / "other", "naive_bayes"), rows, tmp_path)
