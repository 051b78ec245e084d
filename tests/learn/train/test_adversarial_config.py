"""How adversarial training is asked for: ranges, names, and the course of the rates."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.train.adversarial_config import AdversarialConfig, build_adam, rate_factor

CONFIG = AdversarialConfig()


def test_it_begins_with_the_papers_settings() -> None:
    """Khan et al. 2024: Adam, 2e-4, (0.5, 0.999), batch 1, cross-entropy."""
    assert (CONFIG.lr_generator, CONFIG.lr_critic) == (2e-4, 2e-4)
    assert CONFIG.betas_generator == CONFIG.betas_critic == (0.5, 0.999)
    assert (CONFIG.batch_size, CONFIG.loss, CONFIG.steps) == (1, "bce", "alternating")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1; received 0"),
        ({"critic_steps": 0}, "critic_steps must be at least 1; received 0"),
        ({"penalty_every": 0}, "penalty_every must be at least 1"),
        ({"penalty_weight": -1.0}, "penalty_weight must be at least 0; received -1.0"),
        ({"watch_steps": 1}, "watch_steps must be at least 2"),
        ({"lr_critic": 0.0}, "lr_critic must be above 0; received 0.0"),
        ({"lr_generator": math.nan}, "lr_generator must be a finite number; received nan"),
        ({"ema": 1.0}, r"ema must lie within \[0, 1\); received 1.0"),
        ({"decay_from": 1.0}, r"decay_from must lie within \[0, 1\)"),
        ({"betas_critic": (0.5, 1.0)}, "betas_critic must be two numbers"),
        ({"betas_generator": (0.5,)}, "betas_generator must be two numbers"),
        ({"max_steps": 0}, "max_steps must be at least 1 or None"),
        ({"loss_limit": 0.0}, "loss_limit must be above 0"),
        ({"steps": "simultaneous", "precision": "16-mixed"}, "cannot be taken in 16-mixed"),
    ],
)
def test_what_cannot_be_is_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(CONFIG, **setting)


@pytest.mark.parametrize("name", ["loss", "steps", "penalty", "schedule", "precision"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"unknown (adversarial )?{name} 'cosin"):
        replace(CONFIG, **{name: "cosin"})


def test_a_step_takes_as_many_batches_as_the_critic_has_updates() -> None:
    config = replace(CONFIG, batch_size=4, critic_steps=5)
    assert (config.step_samples, config.accumulate) == (20, 5)


@pytest.mark.parametrize(
    ("schedule", "halfway"), [("constant", 1.0), ("cosine", 0.5), ("linear", 0.5)]
)
def test_the_course_of_the_rates(schedule: Any, halfway: float) -> None:
    config = replace(CONFIG, schedule=schedule, decay_from=0.5)
    factors = [rate_factor(step, 200, config) for step in range(200)]
    assert factors[:101] == [1.0] * 101
    assert factors[150] == pytest.approx(halfway)
    assert all(0 < after <= before for before, after in pairwise(factors))
    if schedule == "linear":
        assert factors[125] == pytest.approx(0.75)
    if schedule == "cosine":
        assert factors[125] == pytest.approx((1 + math.sqrt(0.5)) / 2)


def test_adam_takes_what_learns() -> None:
    networks = [nn.Linear(2, 3), nn.Linear(3, 1).requires_grad_(False)]
    adam = build_adam(networks, 0.1, (0.0, 0.9), "32-true")
    (group,) = adam.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.1, (0.0, 0.9), 0)
    assert sum(p.numel() for p in group["params"]) == 9
    with pytest.raises(UsageError, match="no trainable parameter: call it fixed"):
        build_adam(networks[1:], 0.1, (0.0, 0.9), "32-true")
