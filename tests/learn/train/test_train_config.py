"""How to train: checked where it is built; the learning rate's shape; what is decayed."""

from __future__ import annotations

from dataclasses import replace
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


@given(
    st.integers(1, 400),
    st.floats(0, 1),
    st.sampled_from(["cosine", "constant", "step", "plateau"]),
)
def test_the_rate_is_never_zero_and_never_too_high(total: int, warm: float, schedule: str) -> None:
    config = TrainConfig(lr=0.5, warmup_share=warm, schedule=schedule)  # type: ignore[arg-type]
    rates = [learning_rate(step, total, config) for step in range(total)]
    assert min(rates) > 0
    assert max(rates) <= 0.5


def test_a_constant_rate_is_constant_after_the_warm_up() -> None:
    config = TrainConfig(lr=0.5, warmup_share=0.1, schedule="constant")
    assert {learning_rate(step, 100, config) for step in range(9, 100)} == {0.5}
    assert learning_rate(0, 100, config) == pytest.approx(0.05)


def test_a_rate_in_steps_falls_every_so_many_epochs() -> None:
    config = TrainConfig(
        lr=0.5, epochs=5, warmup_share=0.0, schedule="step", step_epochs=2, step_factor=0.1
    )
    rates = [learning_rate(step, 35, config) for step in range(35)]
    assert rates == pytest.approx(14 * [0.5] + 14 * [0.05] + 7 * [0.005])


def test_what_a_plateau_leaves_is_a_factor() -> None:
    config = TrainConfig(lr=0.5, warmup_share=0.1, schedule="plateau")
    assert learning_rate(50, 100, config) == 0.5
    assert learning_rate(50, 100, config, 0.04) == pytest.approx(0.02)
    assert learning_rate(0, 100, config, 0.04) == pytest.approx(0.002)


def test_momentum_is_as_asked() -> None:
    """Two steps on w² from 1 at rate 0.1: g = 2, then 2w; heavy ball against Nesterov."""

    def second(momentum: float, nesterov: bool) -> float:
        model = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.ones_(model.weight)
        config = TrainConfig(
            optimizer="sgd", lr=0.1, weight_decay=0.0, momentum=momentum, nesterov=nesterov
        )
        optimizer = build_optimizer(model, config)
        for _ in range(2):
            optimizer.zero_grad()
            model.weight.square().sum().backward()
            optimizer.step()
        return float(model.weight.detach())

    assert second(0.0, True) == pytest.approx(1 - 0.2 - 0.16)
    assert second(0.9, False) == pytest.approx(0.8 - 0.1 * (0.9 * 2 + 1.6))
    first = 1 - 0.1 * (2 + 0.9 * 2)
    buffer = 0.9 * 2 + 2 * first
    assert second(0.9, True) == pytest.approx(first - 0.1 * (2 * first + 0.9 * buffer))


def test_each_stage_learns_slower_than_the_next() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 4), torch.nn.Linear(4, 5))
    stages = [list(part.parameters()) for part in model]
    optimizer = build_optimizer(model, TrainConfig(backbone_lr_scale=0.5), stages)
    scale = {id(p): group["lr_scale"] for group in optimizer.param_groups for p in group["params"]}
    assert [scale[id(stage[0])] for stage in stages] == [0.25, 0.5, 1.0]
    assert len(scale) == 6


def test_frozen_parameters_are_left_out() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 4))
    model[0].requires_grad_(False)
    trained = [p for g in build_optimizer(model, TrainConfig()).param_groups for p in g["params"]]
    assert {id(p) for p in trained} == {id(p) for p in model[1].parameters()}
    model.requires_grad_(False)
    with pytest.raises(UsageError, match="no trainable parameter left"):
        build_optimizer(model, TrainConfig())


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_a_step_in_one_pass_is_the_step_of_many(name: str) -> None:
    """The fused optimiser, on weights that lie channels last, against torch's plain one."""
    plain = TrainConfig(optimizer=name, lr=0.01, precision="16-mixed")  # type: ignore[arg-type]
    ends = []
    for config in (plain, replace(plain, precision="32-true")):
        model = fresh_model().eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = build_optimizer(model, config)
        assert optimizer.defaults["fused"] is (config is not plain)
        images = torch.Generator().manual_seed(1)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.rand(2, 3, 16, 16, generator=images)).square().sum().backward()
            optimizer.step()
        ends.append(dict(model.named_parameters()))
    for key, value in ends[0].items():
        torch.testing.assert_close(ends[1][key], value, msg=key)


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
        ({"lr": float("nan")}, "lr must be a finite number; received nan"),
        ({"clip_norm": float("inf")}, "clip_norm must be a finite number; received inf"),
        ({"ema": 1.0}, r"ema must lie within \[0, 1\); received 1.0"),
        ({"warmup_share": 1.2}, "warmup_share must lie within"),
        ({"workers": -1}, "workers must be at least 0; received -1"),
        ({"accumulate": 0}, "accumulate must be at least 1; received 0"),
        ({"plateau_patience": 0}, "plateau_patience must be at least 1; received 0"),
        ({"plateau_factor": 1.0}, r"plateau_factor must lie within \(0, 1\); received 1.0"),
        ({"step_factor": 0.0}, r"step_factor must lie within \(0, 1\); received 0.0"),
        ({"momentum": 1.0}, r"momentum must lie within \[0, 1\); received 1.0"),
        ({"backbone_lr_scale": 0.0}, "backbone_lr_scale must be above 0; received 0.0"),
        ({"stop_patience": -1}, "stop_patience must be at least 0; received -1"),
        ({"checkpoint_minutes": -1.0}, "checkpoint_minutes must be at least 0; received -1.0"),
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
