"""Paper A's light classifier: its size, and what it gives."""

from __future__ import annotations

import pytest
import torch

from smearlab.errors import UsageError
from smearlab.learn.models.lwcnn import LWCNN, LWCNNConfig
from smearlab.learn.train.checkpoints import parameter_count


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    assert parameter_count(LWCNN()) == 653_129


@pytest.mark.parametrize(("classes", "side"), [(9, 64), (5, 46), (8, 96)])
def test_it_gives_a_logit_a_class(classes: int, side: int) -> None:
    model = LWCNN(LWCNNConfig(classes=classes, input_px=side)).eval()
    with torch.inference_mode():
        assert model(torch.rand(3, 3, side, side)).shape == (3, classes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"classes": 1}, "classes must be at least 2; received 1"),
        ({"dropout": 1.0}, r"dropout must lie within \[0, 1\); received 1.0"),
        ({"input_px": 45}, "input_px must be at least 46; received 45"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, float], message: str) -> None:
    """The pools would eat crops of 45 px."""
    with pytest.raises(UsageError, match=message):
        LWCNNConfig(**given)  # type: ignore[arg-type]
