"""Checkpoints without pickle: tensors as safetensors, everything else as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from smearlab.errors import RunError, UsageError
from smearlab.io.atomic import write_bytes
from smearlab.learn.train.stopping import Standing

_TENSORS = "checkpoint.safetensors"
_FACTS = "checkpoint.json"
#: The averaged weights of the newest checkpoint, as :func:`load_weights` reads them.
WEIGHTS = "model.safetensors"
#: Those with the lowest validation loss; only of runs that validate.
BEST_WEIGHTS = "best.safetensors"


@dataclass(frozen=True)
class Progress:
    """How far a training has come.

    Parameters
    ----------
    step, epoch : int
        Finished steps and whole epochs.
    seconds : float
        That took, over all processes that went on with the run one after the other.
    standing : Standing
        What the validation losses said.
    scaler : mapping
        State of the gradient scaler of float16.
    """

    step: int = 0
    epoch: int = 0
    seconds: float = 0.0
    standing: Standing = field(default_factory=Standing)
    scaler: Mapping[str, Any] = field(default_factory=dict)


def result_weights(run: Path) -> Path:
    """The file with the weights that a training ends with: the best ones, or else the last.

    Parameters
    ----------
    run : Path
        Folder of the run.
    """
    best = run / BEST_WEIGHTS
    return best if best.exists() else run / WEIGHTS


def what_is_kept(run: Path) -> str:
    """What a training that had to stop leaves, as a sentence of its message.

    Parameters
    ----------
    run : Path
        Folder of the run.
    """
    if (run / _TENSORS).exists():
        return f"The last checkpoint in {run} is kept"
    return f"{run} has no checkpoint yet"


def save_weights(run: Path, averaged: AveragedModel) -> None:
    """Write the averaged weights as ``model.safetensors``.

    Parameters
    ----------
    run : Path
        Folder of the run.
    averaged : AveragedModel
        Their source.
    """
    write_bytes(run / WEIGHTS, save(_copies(averaged.module.state_dict())))


def save_checkpoint(
    run: Path,
    model: nn.Module,
    averaged: AveragedModel,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    best: Mapping[str, Tensor] | None = None,
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
    progress : Progress
        How far they have come.
    best : mapping of str to Tensor, optional
        The best weights, if they are not in the folder yet.
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
    told = asdict(progress)
    facts = {**told, "groups": state["param_groups"], "plain": plain}
    if best is not None:
        write_bytes(run / BEST_WEIGHTS, save(_copies(best)))
    save_weights(run, averaged)
    write_bytes(run / _FACTS, json.dumps(told).encode())
    write_bytes(run / _TENSORS, save(_copies(tensors), metadata={"facts": json.dumps(facts)}))


def load_checkpoint(
    run: Path, model: nn.Module, averaged: AveragedModel, optimizer: torch.optim.Optimizer
) -> Progress:
    """Put a run's state back.

    Parameters
    ----------
    run : Path
        Folder of the run.
    model, averaged, optimizer : Module, AveragedModel, Optimizer
        Made as when the run began, and already on their device; changed in place.

    Returns
    -------
    Progress
        Nothing done for a fresh run. ``step`` is 0, too, in checkpoints of a version that wrote
        them at the end of epochs only: ``epoch`` tells.

    Raises
    ------
    UsageError
        If the checkpoint is of another network; nothing has been changed then.
    RunError
        If it cannot be read.
    """
    path = run / _TENSORS
    if not path.exists():
        return Progress()
    tensors, facts = _read(path), _read_facts(path)

    def part(prefix: str) -> dict[str, Tensor]:
        return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

    weights = part("model/")
    _check_fit(path, weights, model)
    model.load_state_dict(weights)
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
    return Progress(
        facts.get("step", 0),
        facts["epoch"],
        facts["seconds"],
        Standing(**facts.get("standing", {})),
        facts.get("scaler", {}),
    )


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

    Raises
    ------
    UsageError
        If the weights are of another network; the message names the first that does not fit.
    RunError
        If the file cannot be read.
    """
    weights = _read(path)
    _check_fit(path, weights, model)
    model.load_state_dict(weights)
    return model.eval()


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} cannot be read ({error}): train the run anew") from error


def _read_facts(path: Path) -> Any:
    with safe_open(path, framework="pt") as stream:
        return json.loads((stream.metadata() or {})["facts"])


def _check_fit(path: Path, weights: Mapping[str, Tensor], model: nn.Module) -> None:
    """Refuse weights of another network."""
    here = model.state_dict()
    for name in [*weights, *here]:
        kept = list(weights[name].shape) if name in weights else "not there"
        wanted = list(here[name].shape) if name in here else "not there"
        if kept != wanted:
            raise UsageError(
                f"{path} is of another network: {name} is {kept} in it and {wanted} here; build "
                "the network that it was trained with, or choose another folder"
            )


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What safetensors takes: contiguous tensors that share no memory."""
    return {key: value.detach().clone().contiguous() for key, value in tensors.items()}


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """The same numbers in the parameter's memory layout: the last bit of a sum hangs on it."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
