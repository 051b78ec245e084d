"""How to train: checked where it is built; the learning rate's shape; what is decayed."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toy_run import fresh_model

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.train.config import TrainConfig, build_optimizer, learning_rate


def test_the_rate_rises_linearly_then_falls_as_a_cosine_to_a_hundredth() -> None:
    config = TrainConfig(lr=0.5, warmup_share=0.1)
    rates = [learning_rate(step, 200, config) for step in range(200)]
    assert rates[:20] == pytest.approx([0.5 * (n + 1) / 20 for n in range(20)])
    assert max(rates) == pytest.approx(0.5)
    assert all(a > b for a, b in pairwise(rates[20:]))
    assert rates[110] == pytest.approx(0.5 * (0.01 + 0.99 / 2))  # halfway down
    assert rates[-1] == pytest.approx(0.005, rel=0.01)


@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from(["cosine", "constant"]))
def test_the_rate_is_never_zero_and_never_too_high(total: int, warm: float, schedule: str) -> None:
    config = TrainConfig(lr=0.5, warmup_share=warm, schedule=schedule)  # type: ignore[arg-type]
    rates = [learning_rate(step, total, config) for step in range(total)]
    assert min(rates) > 0
    assert max(rates) <= 0.5


def test_a_constant_rate_is_constant_after_the_warm_up() -> None:
    config = TrainConfig(lr=0.5, warmup_share=0.1, schedule="constant")
    assert {learning_rate(step, 100, config) for step in range(9, 100)} == {0.5}
    assert learning_rate(0, 100, config) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)],
)
def test_only_matrices_and_kernels_are_decayed(
    name: str, kind: type[torch.optim.Optimizer]
) -> None:
    model = fresh_model()
    config = TrainConfig(optimizer=name, weight_decay=0.3)  # type: ignore[arg-type]
    optimizer = build_optimizer(model, config)
    assert type(optimizer) is kind
    decay = {
        id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]
    }
    assert len(decay) == len(list(model.parameters()))
    for parameter_name, parameter in model.named_parameters():
        expected = 0.3 if parameter.ndim > 1 else 0.0
        assert decay[id(parameter)] == expected, parameter_name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "epochs and batch_size must be at least 1 and lr above 0; received 0"),
        ({"lr": 0.0}, "lr above 0; received 10, 16, 0.0"),
        ({"ema": 1.0}, r"ema must lie within \[0, 1\); received 1.0"),
        ({"warmup_share": 1.2}, "warmup_share must lie within"),
        ({"workers": -1}, "workers must be at least 0; received -1"),
        ({"max_steps": 0}, "max_steps must be at least 1 or None; received 0"),
    ],
)
def test_values_out_of_range_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainConfig(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": "adamww"}, "unknown optimizer 'adamww'; did you mean 'adamw'"),
        ({"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"precision": "16"}, "unknown precision '16'"),
    ],
)
def test_unknown_names_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        TrainConfig(**given)  # type: ignore[arg-type]
