"""The paired game where part of the target is unknown."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
