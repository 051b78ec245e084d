"""The game of pictures and targets: what is generated, judged and lost, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.games.paired import PairedPictures


class Half(nn.Module):
    """Halves a picture."""

    def forward(self, x: Tensor) -> Tensor:
        return x / 2


class Difference(nn.Module):
    """One logit a picture: how much brighter the answer is."""

    def forward(self, picture: Tensor, judged: Tensor) -> Tensor:
        return (judged - picture).flatten(1).mean(1)


GAME = PairedPictures(Half(), Difference(), l1_weight=7.0)


def batch(value: int, target: int, side: int = 4) -> dict[str, Tensor]:
    def flat(level: int) -> Tensor:
        return torch.full((2, side, side, 3), level, dtype=torch.uint8)

    return {"pixels": flat(value), "target": flat(target)}


def test_what_is_generated_judged_and_lost() -> None:
    prepared = GAME.prepare(batch(51, 204))
    assert prepared["pixels"].shape == (2, 3, 4, 4)
    real, fake = GAME.real(prepared), GAME.generate(prepared)
    assert float(real.mean()) == pytest.approx(0.8)
    assert float(fake.mean()) == pytest.approx(0.1)
    assert GAME.judge(prepared, real).logits.tolist() == pytest.approx([0.6, 0.6])
    judged = GAME.judge(prepared, fake)
    assert judged.logits.tolist() == pytest.approx([-0.1, -0.1])
    losses = GAME.generator_losses(prepared, fake, judged)
    assert {name: float(value) for name, value in losses.items()} == pytest.approx({"l1": 0.7})
    assert GAME.weights == {"l1": 7.0}
    assert PairedPictures(Half(), Difference()).weights == {"l1": 100.0}, "the paper's λ"


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(UsageError, match="l1_weight must be at least 0; received -1"):
        PairedPictures(Half(), Difference(), l1_weight=-1)
    with pytest.raises(UsageError, match="target is missing, there is pixels"):
        GAME.prepare({"pixels": batch(0, 0)["pixels"]})
    with pytest.raises(UsageError, match=r"one shape; received \[2, 4, 4, 3\] and \[2, 8, 8, 3\]"):
        GAME.prepare({"pixels": batch(0, 0)["pixels"], "target": batch(0, 0, 8)["target"]})
