"""Checkpoints without pickle: tensors as safetensors, everything else as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from smearlab.io.atomic import write_bytes

_TENSORS = "checkpoint.safetensors"
_FACTS = "checkpoint.json"
#: The averaged weights, as :func:`load_weights` reads them.
WEIGHTS = "model.safetensors"


def save_weights(run: Path, averaged: AveragedModel) -> None:
    """Write the averaged weights as ``model.safetensors``.

    Parameters
    ----------
    run : Path
        Folder of the run.
    averaged : AveragedModel
        Their source.
    """
    prefix = "module."
    weights = {
        key.removeprefix(prefix): value
        for key, value in averaged.state_dict().items()
        if key.startswith(prefix)
    }
    write_bytes(run / WEIGHTS, save(_copies(weights)))


def save_checkpoint(
    run: Path,
    model: nn.Module,
    averaged: AveragedModel,
    optimizer: torch.optim.Optimizer,
    epoch: int,
    seconds: float,
) -> None:
    """Write all that a resumed run needs to equal an uninterrupted one.

    The facts travel inside the tensor file, so that one rename replaces both together; it comes
    last, so that a kill at any moment leaves nothing newer missing.

    Parameters
    ----------
    run : Path
        Folder of the run.
    model, averaged, optimizer : Module, AveragedModel, Optimizer
        What to keep.
    epoch : int
        Number of finished epochs.
    seconds : float
        Since this process began to train.
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
    save_weights(run, averaged)
    write_bytes(run / _FACTS, json.dumps({"epoch": epoch, "seconds": seconds}).encode())
    write_bytes(run / _TENSORS, save(_copies(tensors), metadata={"facts": json.dumps(facts)}))


def load_checkpoint(
    run: Path, model: nn.Module, averaged: AveragedModel, optimizer: torch.optim.Optimizer
) -> int:
    """Put a run's state back.

    Parameters
    ----------
    run : Path
        Folder of the run.
    model, averaged, optimizer : Module, AveragedModel, Optimizer
        Made as when the run began, and already on their device; changed in place.

    Returns
    -------
    int
        Number of finished epochs, 0 for a fresh run.
    """
    path = run / _TENSORS
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as stream:
        facts = json.loads(stream.metadata()["facts"])
    tensors = load_file(path)

    def part(prefix: str) -> dict[str, Tensor]:
        return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

    model.load_state_dict(part("model/"))
    averaged.load_state_dict(part("averaged/"))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in part("optimizer/").items():
        index, name = key.split("/")
        slots = state.setdefault(int(index), {})
        slots[name] = _laid_out_as(parameters[int(index)], value)
    for index, plain in facts["plain"].items():
        state.setdefault(int(index), {}).update(plain)
    optimizer.load_state_dict({"state": state, "param_groups": facts["groups"]})
    return int(facts["epoch"])


def load_weights(path: Path, model: nn.Module) -> nn.Module:
    """Load ``model.safetensors`` of a run, or any state dict in that format, strictly.

    Parameters
    ----------
    path : Path
        A safetensors file.
    model : Module
        Changed in place.

    Returns
    -------
    Module
        The same, in evaluation mode.
    """
    model.load_state_dict(load_file(path))
    return model.eval()


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _copies(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """What safetensors takes: contiguous tensors that share no memory."""
    return {key: value.detach().clone().contiguous() for key, value in tensors.items()}


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """The same numbers in the parameter's memory layout: the last bit of a sum hangs on it."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
