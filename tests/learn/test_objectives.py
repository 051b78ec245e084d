"""Objectives: losses put together as their texts say."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.losses import classification
from smearlab.learn.losses.boxes import side_giou
from smearlab.learn.losses.heat import centre_focal
from smearlab.learn.losses.maps import class_map_loss
from smearlab.learn.objectives import (
    Classification,
    ElementForeground,
    cell_centres,
    foreground,
    image_batch,
)


class Fixed(nn.Module):
    """Answers the same whatever it sees."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> object:
        assert x.ndim == 4 and x.shape[1] == 3
        return self.answer


PIXELS = torch.randint(0, 256, (2, 8, 8, 3), generator=torch.Generator().manual_seed(0)).to(
    torch.uint8
)


def test_pixels_become_channels_in_0_to_1() -> None:
    batch = image_batch(PIXELS)
    assert batch.shape == (2, 3, 8, 8)
    assert batch.dtype == torch.float32
    torch.testing.assert_close(batch[1, 2, 3, 4], PIXELS[1, 3, 4, 2] / 255)
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_cell_centres_weighs_boxes_twice() -> None:
    rng = torch.Generator().manual_seed(1)
    heat = torch.randn(2, 3, 2, 2, generator=rng)
    sides = torch.rand(2, 4, 2, 2, generator=rng) * 9 + 1
    classes = torch.randn(2, 4, 4, 4, generator=rng)
    batch = {
        "pixels": PIXELS,
        "heat": (torch.rand(2, 3, 2, 2, generator=rng) > 0.8).float(),
        "heat_weight": torch.ones(2, 3, 2, 2),
        "sides": torch.rand(2, 4, 2, 2, generator=rng) * 9 + 1,
        "sides_weight": torch.rand(2, 2, 2, generator=rng),
        "classes": torch.randint(0, 4, (2, 4, 4), generator=rng).to(torch.uint8),
    }
    found = cell_centres(Fixed((heat, sides, classes)), batch)
    parts = {
        "heat": centre_focal(heat, batch["heat"], batch["heat_weight"]),
        "box": side_giou(sides, batch["sides"], batch["sides_weight"]),
        "map": class_map_loss(classes, batch["classes"].long()),
    }
    for name, value in parts.items():
        torch.testing.assert_close(found[name], value)
    torch.testing.assert_close(found["loss"], parts["heat"] + 2 * parts["box"] + parts["map"])


def test_classification_counts_right_answers() -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 3.0]])
    batch = {"pixels": PIXELS, "target": torch.tensor([0, 1])}
    found = Classification()(Fixed(logits), batch)
    assert float(found["accuracy"]) == 0.5
    torch.testing.assert_close(found["loss"], F.cross_entropy(logits, batch["target"]))
    smooth = Classification(label_smoothing=0.3)(Fixed(logits), batch)["loss"]
    # Smoothing mixes in the mean over all classes: 0.7 · one-hot + 0.3 / 3 everywhere.
    log = logits.log_softmax(1)
    by_hand = -(0.7 * log[[0, 1], [0, 1]] + 0.1 * log.sum(1)).mean()
    torch.testing.assert_close(smooth, by_hand)


@pytest.mark.parametrize("name", ["cross_entropy", "hinge", "focal"])
def test_each_loss_is_taken_with_its_options(name: str) -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 0.5]])
    target = torch.tensor([0, 1])
    weights = torch.tensor([1.0, 3.0, 2.0])
    objective = Classification(
        loss=name,  # type: ignore[arg-type]
        class_weights=(1.0, 3.0, 2.0),
        gamma=1.5,
        margin=2.5,
    )
    expected = {
        "cross_entropy": classification.cross_entropy(logits, target, 0.0, weights),
        "hinge": classification.multiclass_hinge(logits, target, 2.5, weights),
        "focal": classification.focal(logits, target, 1.5, weights),
    }
    found = objective(Fixed(logits), {"pixels": PIXELS, "target": target})
    assert float(found["loss"]) == float(expected[name])
    assert float(found["accuracy"]) == 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "hing"}, "unknown loss 'hing'; did you mean 'hinge'"),
        ({"label_smoothing": 1.0}, r"label_smoothing must lie within \[0, 1\); received 1.0"),
        ({"loss": "focal", "label_smoothing": 0.1}, "label_smoothing belongs to cross_entropy"),
        ({"gamma": -1.0}, "gamma must be at least 0 and margin above 0; received -1.0, 1.0"),
        ({"margin": 0.0}, "margin above 0; received 2.0, 0.0"),
        ({"class_weights": (1.0, 0.0)}, r"class_weights must be above 0; received \(1.0, 0.0\)"),
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Classification(**given)


@pytest.mark.parametrize(("target", "named"), [([0, 3], 3), ([-100, 1], -100)])
def test_a_class_that_the_network_lacks_is_named(target: list[int], named: int) -> None:
    batch = {"pixels": PIXELS, "target": torch.tensor(target)}
    with pytest.raises(UsageError, match=f"class number {named}, and the network has 3 classes"):
        Classification()(Fixed(torch.zeros(2, 3)), batch)


def test_as_many_class_weights_as_classes() -> None:
    batch = {"pixels": PIXELS, "target": torch.tensor([0, 1])}
    with pytest.raises(UsageError, match=r"there are 2 class_weights, and the network has 3"):
        Classification(class_weights=(1.0, 2.0))(Fixed(torch.zeros(2, 3)), batch)


def test_foreground_is_any_element_and_unknown_pixels_are_left_out() -> None:
    logits = torch.full((1, 1, 2, 2), 2.0)
    marks = torch.tensor([[[0, 1], [3, 255]]], dtype=torch.uint8)
    loss = foreground(Fixed(logits), {"pixels": PIXELS[:1], "element_map": marks})["loss"]
    p = torch.tensor(2.0).sigmoid()
    assert float(loss) == pytest.approx(float(-((1 - p).log() + 2 * p.log()) / 3), rel=1e-5)
    nothing = torch.full((1, 2, 2), 255, dtype=torch.uint8)
    loss = foreground(Fixed(logits), {"pixels": PIXELS[:1], "element_map": nothing})["loss"]
    assert float(loss) == 0


@pytest.mark.parametrize("dice", [0.0, 1.0, 3.0])
def test_element_foreground_is_entropy_and_dice_of_what_is_known(dice: float) -> None:
    """Logits of 0 cost ln 2 a pixel; of six known pixels three are the element's, and half of
    every pixel is found: Dice is (2 · 1.5 + 1) / (3 + 3 + 1)."""
    batch = {
        "pixels": torch.zeros(1, 2, 4, 3, dtype=torch.uint8),
        "mask": torch.tensor([[[1, 1, 1, 0], [0, 0, 1, 1]]], dtype=torch.uint8),
        "known": torch.tensor([[[1, 1, 1, 1], [1, 1, 0, 0]]], dtype=torch.uint8),
    }
    found = ElementForeground(dice)(Fixed(torch.zeros(1, 1, 2, 4)), batch)
    wanted = math.log(2) + dice * (1 - 4 / 7)
    assert float(found["loss"]) == pytest.approx(wanted, rel=1e-6)


def test_a_negative_weight_of_dice_is_refused() -> None:
    with pytest.raises(UsageError, match="dice must be at least 0; received -1"):
        ElementForeground(-1.0)
