"""Checkpoints: all of the state comes back, in its memory layout; weights load strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from toy_run import fresh_model

from smearlab.errors import UsageError
from smearlab.learn.train.checkpoints import (
    WEIGHTS,
    Progress,
    State,
    load_checkpoint,
    load_weights,
    one_network,
    parameter_count,
    save_checkpoint,
    save_weights,
)
from smearlab.learn.train.config import OptimizerName, TrainConfig, build_optimizer
from smearlab.learn.train.stopping import Standing


def made(name: OptimizerName) -> tuple[nn.Module, AveragedModel, torch.optim.Optimizer]:
    model = fresh_model()
    averaged = AveragedModel(model, use_buffers=True)
    cast(Any, model).to(memory_format=torch.channels_last)
    return model, averaged, build_optimizer(model, TrainConfig(optimizer=name, lr=0.1))


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_all_of_the_state_comes_back(name: OptimizerName, tmp_path: Path) -> None:
    model, averaged, optimizer = made(name)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.rand(2, 3, 16, 16)).square().sum().backward()
        optimizer.step()
        averaged.update_parameters(model)
    optimizer.param_groups[0]["lr"] = 0.0123
    progress = Progress(33, 7, 12.5, Standing(0.25, 6, 1, 0.2, 0.25, 1), {"scale": 1024.0})
    save_checkpoint(tmp_path, one_network(model, averaged, optimizer), progress)

    model2, averaged2, optimizer2 = made(name)
    assert load_checkpoint(tmp_path, one_network(model2, averaged2, optimizer2)) == progress
    for old, new in ((model, model2), (averaged, averaged2)):
        for key, value in old.state_dict().items():
            assert torch.equal(new.state_dict()[key], value), key
    assert int(averaged2.n_averaged) == 3
    assert optimizer2.param_groups[0]["lr"] == 0.0123
    ours, theirs = optimizer.state_dict()["state"], optimizer2.state_dict()["state"]
    assert ours.keys() == theirs.keys() and len(ours) == len(list(model.parameters()))
    for index, slots in ours.items():
        assert slots.keys() == theirs[index].keys()
        for slot, value in slots.items():
            assert torch.equal(value, theirs[index][slot])
            assert value.stride() == theirs[index][slot].stride(), (index, slot)


def several() -> State:
    """Two networks, each with its optimiser."""
    torch.manual_seed(0)
    networks = {"generator": nn.Linear(2, 3), "critic": nn.Linear(3, 1)}
    adam = {f"adam_{n}": torch.optim.Adam(m.parameters(), 0.1) for n, m in networks.items()}
    return State(networks, AveragedModel(networks["generator"]), adam)


def test_several_networks_and_optimisers_come_back(tmp_path: Path) -> None:
    state = several()
    for _ in range(2):
        loss = state.networks["critic"](state.networks["generator"](torch.rand(4, 2))).sum()
        loss.backward()
        for optimizer in state.optimizers.values():
            optimizer.step()
        state.averaged.update_parameters(state.networks["generator"])
    save_checkpoint(tmp_path, state, Progress(step=2))
    again = several()
    assert load_checkpoint(tmp_path, again) == Progress(step=2)
    for name, module in state.modules.items():
        for key, value in module.state_dict().items():
            assert torch.equal(again.modules[name].state_dict()[key], value), (name, key)
    for name, optimizer in state.optimizers.items():
        for index, slots in optimizer.state_dict()["state"].items():
            for slot, value in slots.items():
                found = again.optimizers[name].state_dict()["state"][index][slot]
                assert torch.equal(found, value), (name, index, slot)


def test_other_networks_are_refused_by_name_and_nothing_is_changed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, several(), Progress(step=2))
    state = several()
    networks = {**state.networks, "critic": nn.Linear(3, 2)}
    before = {key: value.clone() for key, value in networks["generator"].state_dict().items()}
    with torch.no_grad():
        networks["generator"].weight.add_(1)
    with pytest.raises(UsageError, match=r"critic/bias is \[1\] in it and \[2\] here"):
        load_checkpoint(tmp_path, State(networks, state.averaged, state.optimizers))
    assert torch.equal(networks["generator"].weight, before["weight"] + 1)
    more = {**state.networks, "classifier": nn.Linear(1, 1)}
    with pytest.raises(UsageError, match=r"classifier/weight is not there in it and \[1, 1\] here"):
        load_checkpoint(tmp_path, State(more, state.averaged, state.optimizers))


def test_without_a_checkpoint_nothing_is_done(tmp_path: Path) -> None:
    model, averaged, optimizer = made("adamw")
    assert load_checkpoint(tmp_path, one_network(model, averaged, optimizer)) == Progress()


def test_weights_load_strictly_and_for_evaluation(tmp_path: Path) -> None:
    _, averaged, _ = made("adamw")
    save_weights(tmp_path, averaged)
    assert not load_weights(tmp_path / WEIGHTS, fresh_model().train()).training
    with pytest.raises(UsageError, match=r"another network: \S+ is \[.*\] in it and not"):
        load_weights(tmp_path / WEIGHTS, nn.Sequential(nn.Linear(2, 2)))


def test_only_trainable_parameters_count() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(5, 2, bias=False))
    assert parameter_count(model) == (3 * 4 * 9 + 4) + 2 * 4 + 10
    model[0].requires_grad_(False)
    assert parameter_count(model) == 18
