"""Checkpoints without pickle: tensors as safetensors, everything else as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

_TENSORS = "checkpoint.safetensors"
_FACTS = "checkpoint.json"


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def save_checkpoint(
    run: Path,
    model: nn.Module,
    averaged: AveragedModel,
    optimizer: torch.optim.Optimizer,
    epoch: int,
    seconds: float,
) -> None:
    """Write all that a resumed run needs to equal an uninterrupted one.

    The facts travel inside the tensor file, so that one rename replaces both together.
    """
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for key, value in model.state_dict().items():
        tensors[f"model/{key}"] = value
    for key, value in averaged.state_dict().items():
        tensors[f"averaged/{key}"] = value
    for index, slots in state["state"].items():
        for name, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{name}"] = value
            else:
                plain.setdefault(str(index), {})[name] = value
    facts = {"epoch": epoch, "groups": state["param_groups"], "plain": plain, "seconds": seconds}
    copies = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    _replace(run / _TENSORS, save(copies, metadata={"facts": json.dumps(facts)}))
    _replace(run / _FACTS, json.dumps({"epoch": epoch, "seconds": seconds}).encode())
    weights = {
        key.removeprefix("module."): value.detach().clone().contiguous()
        for key, value in averaged.state_dict().items()
        if key.startswith("module.")
    }
    _replace(run / "model.safetensors", save(weights))


def load_checkpoint(
    run: Path, model: nn.Module, averaged: AveragedModel, optimizer: torch.optim.Optimizer
) -> int:
    """Put a run's state back; returns the number of finished epochs, 0 for a fresh run."""
    path = run / _TENSORS
    if not path.exists():
        return 0
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stream:
        facts = json.loads(stream.metadata()["facts"])
    tensors = load_file(path)

    def part(prefix: str) -> dict[str, Tensor]:
        return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

    model.load_state_dict(part("model/"))
    averaged.load_state_dict(part("averaged/"))
    state: dict[int, dict[str, Any]] = {}
    for key, value in part("optimizer/").items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    for index, slots in facts["plain"].items():
        state.setdefault(int(index), {}).update(slots)
    optimizer.load_state_dict({"state": state, "param_groups": facts["groups"]})
    return int(facts["epoch"])


def load_weights(path: Path, model: nn.Module) -> nn.Module:
    """Load ``model.safetensors`` of a run, or any state dict in that format, strictly."""
    model.load_state_dict(load_file(path))
    return model.eval()


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
