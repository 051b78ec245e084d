"""Adversarial losses, against numbers worked out by hand and torch's own cross-entropy."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from smearlab.errors import UnknownNameError
from smearlab.learn.losses.adversarial import ADVERSARIAL_LOSSES, adversarial_loss

REAL, FAKE = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 0.25])

#: For the logits above: the critic's part on real and on generated ones, the generator's loss.
BY_HAND = {
    "bce": (
        (math.log1p(math.exp(-2)) + math.log1p(math.e) + math.log1p(math.exp(-0.5))) / 3,
        (math.log1p(math.exp(-3)) + math.log1p(math.exp(0.25))) / 2,
        (math.log1p(math.exp(3)) + math.log1p(math.exp(-0.25))) / 2,
    ),
    "least_squares": ((1 + 4 + 0.25) / 3, (9 + 0.0625) / 2, (16 + 0.5625) / 2),
    "hinge": ((0 + 2 + 0.5) / 3, (0 + 1.25) / 2, (3 - 0.25) / 2),
    "wasserstein": (-1.5 / 3, -2.75 / 2, 2.75 / 2),
}


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_by_hand(name: str) -> None:
    loss = ADVERSARIAL_LOSSES[name]
    on_real, on_fake, on_fooling = BY_HAND[name]
    parts = [float(part) for part in loss.critic_parts(REAL, FAKE)]
    assert parts == pytest.approx([on_real, on_fake], rel=1e-6)
    assert float(loss.critic(REAL, FAKE)) == pytest.approx(on_real + on_fake, rel=1e-6)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(on_fooling, rel=1e-6)
    assert float(loss.generator(None, FAKE)) == pytest.approx(on_fooling, rel=1e-6)


def test_cross_entropy_is_torchs() -> None:
    loss = ADVERSARIAL_LOSSES["bce"]
    real, fake = torch.randn(4, 1, 5, 5), torch.randn(4, 1, 5, 5)
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    with_logits = F.binary_cross_entropy_with_logits
    expected = with_logits(real, ones) + with_logits(fake, zeros)
    torch.testing.assert_close(loss.critic(real, fake), expected)
    torch.testing.assert_close(loss.generator(real, fake), with_logits(fake, ones))


def test_a_critic_that_cannot_tell_pays_twice_the_entropy_of_a_coin() -> None:
    undecided = torch.zeros(3, 1, 30, 30)
    assert float(ADVERSARIAL_LOSSES["bce"].critic(undecided, undecided)) == pytest.approx(
        2 * math.log(2)
    )


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_halves_of_a_batch_have_the_mean_of_the_whole(name: str) -> None:
    loss = ADVERSARIAL_LOSSES[name]
    real, fake = torch.randn(6, 1, 3, 3), torch.randn(6, 1, 3, 3)
    for play in (loss.critic, loss.generator):
        halves = (play(real[:3], fake[:3]) + play(real[3:], fake[3:])) / 2
        torch.testing.assert_close(halves, play(real, fake))


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_each_side_is_pulled_the_right_way(name: str) -> None:
    """The critic raises real logits and lowers generated ones; the generator raises its own."""
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    loss = ADVERSARIAL_LOSSES[name]
    loss.critic(real, fake).backward()
    assert real.grad is not None and fake.grad is not None
    assert bool((real.grad < 0).all())
    assert bool((fake.grad >= 0).all())
    fake.grad = None
    loss.generator(None, fake).backward()
    assert fake.grad is not None and bool((fake.grad < 0).all())


def test_a_generator_that_fools_nobody_still_has_a_slope() -> None:
    """Not so with log(1 − D), whose slope is σ(z)."""
    logits = torch.tensor([-20.0], requires_grad=True)
    ADVERSARIAL_LOSSES["bce"].generator(None, logits).backward()
    assert logits.grad is not None
    assert float(logits.grad) == pytest.approx(-1, abs=1e-6)


def test_the_boundary_is_where_the_critic_wavers() -> None:
    """There what it would pay for a real picture equals what it would pay for a generated one."""
    for loss in ADVERSARIAL_LOSSES.values():
        if loss.boundary is not None:
            there = torch.tensor([loss.boundary])
            on_real, on_fake = loss.critic_parts(there, there)
            assert float(on_real) == pytest.approx(float(on_fake))


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_16_bits_come_out_as_32(name: str) -> None:
    low = torch.randn(1000).to(torch.bfloat16)
    loss = ADVERSARIAL_LOSSES[name]
    assert loss.critic(low, low).dtype == loss.generator(None, low).dtype == torch.float32
    torch.testing.assert_close(loss.critic(low, low), loss.critic(low.float(), low.float()))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown adversarial loss 'hing'; did you mean"):
        adversarial_loss("hing")
