"""Checkpoints without pickle: tensors as safetensors, everything else as JSON.

In ``checkpoint.safetensors`` the name of a tensor begins with that of its network or optimiser.
"""

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
_AVERAGED, _OPTIMIZER = "averaged", "optimizer"
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
    return f"{run} has no checkpoint yet: delete it before it is begun with other settings"


@dataclass(frozen=True)
class State:
    """What a training changes.

    Parameters
    ----------
    networks : mapping of str to Module
        By name, in a checkpoint the first part of the name of each tensor.
    averaged : AveragedModel
        Its weights are the result.
    optimizers : mapping of str to Optimizer
        By name; none has that of a network.

    See Also
    --------
    one_network : the state of a training of one network.
    """

    networks: Mapping[str, nn.Module]
    averaged: AveragedModel
    optimizers: Mapping[str, torch.optim.Optimizer]

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The networks and the average."""
        return {**self.networks, _AVERAGED: self.averaged}


def one_network(
    model: nn.Module, averaged: AveragedModel, optimizer: torch.optim.Optimizer
) -> State:
    """The state of a training of one network, as its checkpoints name it."""
    return State({"model": model}, averaged, {_OPTIMIZER: optimizer})


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
    run: Path, state: State, progress: Progress, best: Mapping[str, Tensor] | None = None
) -> None:
    """Write all that a resumed run needs to equal an uninterrupted one.

    The facts travel inside the tensor file, so that one rename replaces both together; it comes
    last, so that a kill at any moment leaves nothing newer missing.

    Parameters
    ----------
    run : Path
        Folder of the run.
    state : State
        What to keep.
    progress : Progress
        How far they have come.
    best : mapping of str to Tensor, optional
        The best weights, if they are not in the folder yet.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in state.modules.items():
        tensors |= {f"{name}/{key}": value for key, value in module.state_dict().items()}
    optimizers: dict[str, Any] = {}
    for name, optimizer in state.optimizers.items():
        slots, optimizers[name] = _taken_apart(optimizer)
        tensors |= {f"{name}/{key}": value for key, value in slots.items()}
    told = asdict(progress)
    facts = {**told, "optimizers": optimizers}
    if best is not None:
        write_bytes(run / BEST_WEIGHTS, save(_copies(best)))
    save_weights(run, state.averaged)
    write_bytes(run / _FACTS, json.dumps(told).encode())
    write_bytes(run / _TENSORS, save(_copies(tensors), metadata={"facts": json.dumps(facts)}))


def load_checkpoint(run: Path, state: State) -> Progress:
    """Put a run's state back.

    Parameters
    ----------
    run : Path
        Folder of the run.
    state : State
        Made as when the run began, and already on their device; changed in place.

    Returns
    -------
    Progress
        Nothing done for a fresh run. ``step`` is 0, too, in checkpoints of a version that wrote
        them at the end of epochs only: ``epoch`` tells.

    Raises
    ------
    UsageError
        If the checkpoint is of other networks; nothing has been changed then.
    RunError
        If it cannot be read.
    """
    path = run / _TENSORS
    if not path.exists():
        return Progress()
    tensors, facts = _read(path), _read_facts(path)
    parts: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, rest = key.partition("/")
        parts.setdefault(name, {})[rest] = value
    for name, module in state.modules.items():
        _check_fit(path, parts.get(name, {}), module, name)
    for name, module in state.modules.items():
        module.load_state_dict(parts[name])
    # Versions that trained one network at a time wrote one optimiser's facts among the others.
    kept = facts.get("optimizers") or {_OPTIMIZER: facts}
    for name, optimizer in state.optimizers.items():
        _put_together(optimizer, parts.get(name, {}), kept[name])
    return Progress(
        facts.get("step", 0),
        facts["epoch"],
        facts["seconds"],
        Standing(**facts.get("standing", {})),
        facts.get("scaler", {}),
    )


def seconds_spent(run: Path) -> float:
    """How long the training of a run took up to its newest checkpoint.

    Raises
    ------
    RunError
        If it cannot be read.
    """
    path = run / _FACTS
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{path} cannot be read ({error!r}): train the run anew") from error


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


def load_networks(run: Path, networks: Mapping[str, nn.Module]) -> None:
    """Load networks of a run's checkpoint, for a training that begins where that one ended.

    Parameters
    ----------
    run : Path
        Folder of the run.
    networks : mapping of str to Module
        By their names in the run; changed in place. Buffers that the checkpoint does not have
        stay as they are.

    Raises
    ------
    UsageError
        If the weights are of other networks; nothing has been changed then.
    RunError
        If there is no checkpoint, or it cannot be read.
    """
    path = run / _TENSORS
    if not path.exists():
        raise RunError(f"{run} has no checkpoint to begin with: train it first")
    tensors = _read(path)
    parts: dict[str, dict[str, Tensor]] = {}
    for name, module in networks.items():
        parts[name] = {
            key.removeprefix(f"{name}/"): value
            for key, value in tensors.items()
            if key.startswith(f"{name}/")
        }
        extra = {key: value for key, value in module.named_buffers() if key in module.state_dict()}
        parts[name] = {**extra, **parts[name]}
        _check_fit(path, parts[name], module, name)
    for name, module in networks.items():
        module.load_state_dict(parts[name])


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def first_non_finite(model: nn.Module) -> str | None:
    """Name of the first weight that is not a finite number everywhere, None if all are."""
    for name, value in model.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            return name
    return None


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} cannot be read ({error}): train the run anew") from error


def _read_facts(path: Path) -> Any:
    with safe_open(path, framework="pt") as stream:
        return json.loads((stream.metadata() or {})["facts"])


def _taken_apart(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimiser's tensors, and what JSON can hold of it."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for index, slots in state["state"].items():
        for name, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"{index}/{name}"] = value
            else:
                plain.setdefault(str(index), {})[name] = value
    return tensors, {"groups": state["param_groups"], "plain": plain}


def _put_together(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]
) -> None:
    """The reverse of :func:`_taken_apart`."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        index, name = key.split("/")
        slots = state.setdefault(int(index), {})
        slots[name] = _laid_out_as(parameters[int(index)], value)
    for index, plain in facts["plain"].items():
        state.setdefault(int(index), {}).update(plain)
    optimizer.load_state_dict({"state": state, "param_groups": facts["groups"]})


def _check_fit(path: Path, weights: Mapping[str, Tensor], model: nn.Module, part: str = "") -> None:
    """Refuse weights of another network, or of another one than that called ``part``."""
    here, prefix = model.state_dict(), f"{part}/" if part else ""
    for name in [*weights, *here]:
        kept = list(weights[name].shape) if name in weights else "not there"
        wanted = list(here[name].shape) if name in here else "not there"
        if kept != wanted:
            raise UsageError(
                f"{path} is of another network: {prefix}{name} is {kept} in it and {wanted} here; "
                "build the network that it was trained with, or choose another folder"
            )


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What safetensors takes: contiguous tensors that share no memory."""
    return {key: value.detach().clone().contiguous() for key, value in tensors.items()}


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """The same numbers in the parameter's memory layout: the last bit of a sum hangs on it."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
