"""The focal loss of centres, against hand-computed values."""

from __future__ import annotations

import math

import pytest
import torch

from smearlab.learn.losses.heat import centre_focal


def grid(*values: float) -> torch.Tensor:
    """A 2×2 map of one element of one view."""
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, 2, 2)


def logit(*p: float) -> torch.Tensor:
    return grid(*(math.log(v / (1 - v)) for v in p))


def test_two_by_two_by_hand() -> None:
    """One centre, one step near it, two far: Zhou et al. 2019, eq. 1, with α = 2 and β = 4."""
    loss = centre_focal(logit(0.7, 0.4, 0.1, 0.2), grid(1, 0.5, 0, 0), torch.ones(1, 1, 2, 2))
    by_hand = -(
        (1 - 0.7) ** 2 * math.log(0.7)
        + (1 - 0.5) ** 4 * 0.4**2 * math.log(1 - 0.4)
        + 0.1**2 * math.log(1 - 0.1)
        + 0.2**2 * math.log(1 - 0.2)
    )
    assert float(loss) == pytest.approx(by_hand, rel=1e-9)


def test_the_exponents_are_those_that_are_given() -> None:
    loss = centre_focal(logit(0.7, 0.4, 0.1, 0.2), grid(1, 0.5, 0, 0), torch.ones(1, 1, 2, 2), 1, 2)
    by_hand = -(
        0.3 * math.log(0.7) + 0.25 * 0.4 * math.log(0.6) + 0.1 * math.log(0.9) + 0.2 * math.log(0.8)
    )
    assert float(loss) == pytest.approx(by_hand, rel=1e-9)


def test_the_sum_is_divided_by_the_number_of_centres() -> None:
    one = centre_focal(logit(0.7, 0.1, 0.1, 0.1), grid(1, 0, 0, 0), torch.ones(1, 1, 2, 2))
    p = torch.cat([logit(0.7, 0.1, 0.1, 0.1)] * 3)
    three = centre_focal(p, torch.cat([grid(1, 0, 0, 0)] * 3), torch.ones(3, 1, 2, 2))
    assert float(three) == pytest.approx(float(one), rel=1e-9)
    # Without any centre the sum itself remains.
    none = centre_focal(logit(0.7, 0.1, 0.1, 0.1), grid(0, 0, 0, 0), torch.ones(1, 1, 2, 2))
    by_hand = -(0.49 * math.log(0.3) + 3 * 0.01 * math.log(0.9))
    assert float(none) == pytest.approx(by_hand, rel=1e-9)


def test_a_perfect_prediction_costs_nothing() -> None:
    target = grid(1, 0, 0, 1)
    loss = centre_focal((target - 0.5) * 60, target, torch.ones(1, 1, 2, 2))
    assert 0 <= float(loss) < 1e-9


def test_what_has_no_weight_costs_nothing_and_teaches_nothing() -> None:
    logits = logit(0.7, 0.4, 0.9, 0.01).requires_grad_()
    weight = grid(1, 1, 0, 0)
    loss = centre_focal(logits, grid(1, 0, 0, 1), weight)
    alone = -(0.09 * math.log(0.7) + 0.16 * math.log(0.6))  # a centre without weight is none
    assert float(loss.detach()) == pytest.approx(alone, rel=1e-9)
    loss.backward()
    assert logits.grad is not None
    assert torch.equal(logits.grad != 0, weight != 0)


def test_extreme_logits_stay_finite() -> None:
    loss = centre_focal(grid(-200, 200, -200, 200), grid(1, 0, 0, 1), torch.ones(1, 1, 2, 2))
    assert float(loss) == pytest.approx((200 + 200) / 2)
