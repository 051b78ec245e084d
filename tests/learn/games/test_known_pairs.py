"""The paired game where part of the target is unknown."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.games.known_pairs import KnownPairs


class Critic(nn.Module):
    """The mean of what it is shown."""

    def forward(self, picture: Tensor, judged: Tensor) -> Tensor:
        """Logits (N,)."""
        return judged.mean((1, 2, 3))


def test_nothing_is_learnt_where_nothing_is_known() -> None:
    generator = nn.Conv2d(3, 3, 1)
    game = KnownPairs(generator, Critic(), 100.0)
    batch = {
        "pixels": torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8),
        "target": torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8),
        "known": torch.ones(2, 8, 8, dtype=torch.uint8),
    }
    batch["known"][:, :, 4:] = 0
    prepared = game.prepare(batch)
    fake = game.generate(prepared)
    made = generator(prepared["pixels"])
    assert torch.equal(fake[..., :4], made[..., :4])
    assert torch.equal(fake[..., 4:], game.real(prepared)[..., 4:])
    fake.retain_grad()
    judged = game.judge(prepared, fake)
    losses = game.generator_losses(prepared, fake, judged)
    assert float(losses["l1"].detach()) > 0
    batch["known"].zero_()
    prepared = game.prepare(batch)
    nothing = game.generator_losses(prepared, game.generate(prepared), judged)
    assert float(nothing["l1"].detach()) == 0


def test_the_element_alone_can_count_besides() -> None:
    """One pixel in sixteen shows it; black everywhere is wrong by its brightness there."""
    target = torch.zeros(1, 4, 4, 3, dtype=torch.uint8)
    target[0, 1, 2] = torch.tensor([51, 102, 153])
    known = torch.ones(1, 4, 4, dtype=torch.uint8)
    batch = {"pixels": target, "target": target, "known": known}
    black = torch.zeros(1, 3, 4, 4)
    for weight in (0.0, 7.0):
        game = KnownPairs(nn.Conv2d(3, 3, 1), Critic(), 100.0, weight)
        prepared = game.prepare(batch)
        losses = game.generator_losses(prepared, black, game.judge(prepared, black))
        assert losses["l1"] == pytest.approx(0.4 / 16)
        assert losses.keys() == game.weights.keys()
        assert ("l1_element" in losses) == (weight > 0)
    assert losses["l1_element"] == pytest.approx(0.4)
    assert game.weights == {"l1": 100.0, "l1_element": 7.0}
    game.begin_step(0.25)
    assert game.weights == {"l1": 100.0, "l1_element": 1.75}, "it falls with the rates"
    with pytest.raises(UsageError, match="element_weight must be at least 0; received -1"):
        KnownPairs(nn.Conv2d(3, 3, 1), Critic(), 100.0, -1)
