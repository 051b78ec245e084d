"""Penalties on a critic's slope: known answers, and their own gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from smearlab.learn.losses.gradient_penalty import gradient_penalty, r1_penalty, slope_norms


def pictures(n: int = 3, seed: int = 0) -> Tensor:
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 3.0])
def test_of_a_linear_critic(scale: float) -> None:
    """⟨w, x⟩ has the slope w everywhere: (‖w‖ − 1)², whatever the pictures and their number."""
    w = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(1)) * scale

    def critic(x: Tensor) -> Tensor:
        return (x * w).flatten(1).sum(1)

    norm = float(w.norm())
    for n in (1, 3):
        found = float(gradient_penalty(critic, pictures(n), pictures(n, 5)))
        assert found == pytest.approx((norm - 1) ** 2, rel=1e-5)
        found = float(gradient_penalty(critic, pictures(n), pictures(n, 5), target=2.5))
        assert found == pytest.approx((norm - 2.5) ** 2, rel=1e-5)
        assert float(r1_penalty(critic, pictures(n))) == pytest.approx(norm**2, rel=1e-5, abs=1e-9)


def test_norms_are_taken_picture_by_picture() -> None:
    """½‖x‖² has the slope x: pictures of different length have different norms."""
    x = pictures()
    x[1] *= 5
    found = slope_norms(lambda at: at.square().flatten(1).sum(1) / 2, x)
    torch.testing.assert_close(found, x.flatten(1).norm(dim=1))
    expected = x.flatten(1).square().sum(1).mean()
    found = r1_penalty(lambda at: at.square().flatten(1).sum(1) / 2, x)
    torch.testing.assert_close(found, expected)


def test_it_is_taken_between_the_pictures() -> None:
    real, fake, mix = pictures(), pictures(seed=9), torch.tensor([0.0, 0.25, 1.0])
    between = mix[:, None, None, None] * real + (1 - mix[:, None, None, None]) * fake
    expected = (between.flatten(1).norm(dim=1) - 1).square().mean()
    found = gradient_penalty(lambda at: at.square().flatten(1).sum(1) / 2, real, fake, mix=mix)
    torch.testing.assert_close(found, expected)


def test_the_points_between_follow_from_the_seed() -> None:
    def drawn(seed: int) -> float:
        torch.manual_seed(seed)
        found = gradient_penalty(
            lambda at: at.pow(3).flatten(1).sum(1), pictures(), pictures(seed=2)
        )
        return float(found.detach())

    assert drawn(3) == drawn(3) != drawn(4)


def test_of_a_patch_critic_the_sum_counts() -> None:
    """Four patches, each ⟨v, its quarter⟩: the sum has the slope (v, v, v, v), of norm 2‖v‖."""
    v = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(1))
    conv = nn.Conv2d(3, 1, 4, stride=4, bias=False)
    conv.weight.data.copy_(v)
    found = gradient_penalty(conv, pictures(), pictures(seed=1)).detach()
    assert float(found) == pytest.approx((2 * float(v.norm()) - 1) ** 2, rel=1e-5)
    found = r1_penalty(conv, pictures()).detach()
    assert float(found) == pytest.approx(4 * float(v.norm()) ** 2, rel=1e-5)


def test_a_condition_is_no_part_of_the_slope() -> None:
    w = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(1))
    condition = pictures(seed=4).requires_grad_(True)
    found = gradient_penalty(
        lambda at: (at * w + 100 * condition).flatten(1).sum(1), pictures(), pictures(seed=5)
    )
    assert float(found) == pytest.approx((float(w.norm()) - 1) ** 2, rel=1e-5)


def test_its_own_gradient_is_the_derivative() -> None:
    """Of the linear critic: 2 (‖w‖ − 1) · w / ‖w‖; of R1: 2 w."""
    w = torch.randn(3 * 64, generator=torch.Generator().manual_seed(1)).requires_grad_(True)

    def critic(x: Tensor) -> Tensor:
        return x.flatten(1) @ w

    gradient_penalty(critic, pictures(), pictures(seed=1)).backward()
    plain = w.detach()
    torch.testing.assert_close(w.grad, 2 * (plain.norm() - 1) * plain / plain.norm())
    w.grad = None
    r1_penalty(critic, pictures()).backward()
    torch.testing.assert_close(w.grad, 2 * plain)


@pytest.mark.parametrize("kind", ["interpolates", "r1"])
def test_its_own_gradient_beside_differences(kind: str) -> None:
    """A critic with patches and curved layers, along a random direction of its weights."""
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(3, 5, 3, 2), nn.Tanh(), nn.Conv2d(5, 1, 2))
    real, fake, mix = pictures(), pictures(seed=3), torch.tensor([0.2, 0.5, 0.9])

    def penalty() -> Tensor:
        if kind == "r1":
            return r1_penalty(critic, real)
        return gradient_penalty(critic, real, fake, mix=mix)

    parameters = list(critic.parameters())
    penalty().backward()
    directions = [torch.randn_like(p) for p in parameters]
    slope = sum(
        float((p.grad * d).sum())
        for p, d in zip(parameters, directions, strict=True)
        if p.grad is not None
    )
    values = []
    for step in (1e-2, -1e-2):
        for p, d in zip(parameters, directions, strict=True):
            p.data.add_(step * d)
        values.append(float(penalty().detach()))
        for p, d in zip(parameters, directions, strict=True):
            p.data.sub_(step * d)
    assert slope == pytest.approx((values[0] - values[1]) / 2e-2, rel=2e-2)
    assert abs(slope) > 0.01


def test_a_flat_critic_gives_no_nan() -> None:
    w = torch.zeros(3 * 64, requires_grad=True)
    found = gradient_penalty(lambda x: x.flatten(1) @ w, pictures(), pictures(seed=1))
    found.backward()
    assert float(found.detach()) == 1
    assert w.grad is not None and bool(torch.isfinite(w.grad).all())


def test_it_is_computed_in_32_bits_under_autocast() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(3, 5, 3, 2), nn.Tanh(), nn.Conv2d(5, 1, 2))
    mix = torch.tensor([0.2, 0.5, 0.9])
    plain = gradient_penalty(critic, pictures(), pictures(seed=3), mix=mix)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = gradient_penalty(critic, pictures(), pictures(seed=3), mix=mix)
        of_real = r1_penalty(critic, pictures())
    assert found.dtype == of_real.dtype == torch.float32
    assert float(found.detach()) == float(plain.detach())
    assert float(of_real.detach()) == float(r1_penalty(critic, pictures()).detach())


def test_nothing_flows_back_into_the_generator() -> None:
    fake = pictures(seed=1).requires_grad_(True)
    w = torch.ones(3 * 64, requires_grad=True)
    gradient_penalty(lambda x: (x.flatten(1) ** 2) @ w, pictures(), fake).backward()
    assert fake.grad is None
    assert w.grad is not None
