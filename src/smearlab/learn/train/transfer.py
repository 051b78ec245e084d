"""Transfer learning: weights from a local file, a frozen body, a learning rate for each stage.

A network has a ``head``, the part that is new with every task, and a body, which may begin with
weights learned elsewhere. Files are safetensors, or state dicts that torch reads without running
any code of theirs. Nothing is fetched.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from smearlab.errors import UsageError

#: What wrappers put before the names of a state dict, and where a network of ours holds a
#: library's network.
_WRAPPERS = ("", "module.", "model.", "network.")
_INSIDE = ("", "network.", "network.network.")
#: Keys under which training programs keep the state dict inside a larger one.
_NESTED = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True)
class LoadedWeights:
    """What came out of a weight file.

    Parameters
    ----------
    path : Path
        The file.
    loaded : tuple of str
        Names, in the network, of what was loaded.
    kept : tuple of str
        Names in the network's body that the file lacks or has in another shape: they stay as they
        were.
    unused : tuple of str
        Names in the file that nothing was loaded from.
    share : float
        Share of the body's parameters that were loaded, in (0, 1].
    """

    path: Path
    loaded: tuple[str, ...]
    kept: tuple[str, ...]
    unused: tuple[str, ...]
    share: float

    def describe(self) -> str:
        """One sentence for people."""
        text = f"{self.path}: {len(self.loaded)} tensors, {self.share:.1%} of the body's parameters"
        for words, names in (("left as they were", self.kept), ("not used", self.unused)):
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                text += f"; {words}: {', '.join(names[:3])}{more}"
        return text


def load_backbone(model: nn.Module, path: Path, *, head: bool = False) -> LoadedWeights:
    """Load what fits by name and shape from a weight file.

    A file of the same network under other names fits, too: one whose tensors have the network's
    shapes, all of them, in its order.

    Parameters
    ----------
    model : Module
        A classifier with a ``head``; changed in place.
    path : Path
        safetensors, or a state dict saved by torch. Names may begin with ``module.`` or the like.
    head : bool
        Load the head, too, which then has to fit as a whole.

    Returns
    -------
    LoadedWeights

    Raises
    ------
    UsageError
        If the file is missing or no weight file, holds code or numbers that are not finite, fits
        nowhere, or if its head is wanted and has another size.
    """
    stored = read_weights(path)
    state = model.state_dict()
    of_head = _head_names(model)
    body = {name: state[name] for name in state if name not in of_head}
    stored = _renamed(stored, state, of_head)
    fitting = {
        name: stored[name]
        for name in body
        if name in stored and stored[name].shape == body[name].shape
    }
    parameters = {name for name, _ in model.named_parameters()} - of_head
    if not parameters & fitting.keys():
        raise UsageError(
            f"{path} is of another network: nothing of it fits {type(model).__name__}. It has "
            f"{_shapes(stored)}; the network has {_shapes(body)}"
        )
    if head:
        fitting |= _head_weights(path, stored, {name: state[name] for name in of_head})
    _check_finite(path, fitting)
    model.load_state_dict(fitting, strict=False)
    total = sum(body[name].numel() for name in parameters)
    return LoadedWeights(
        path=path,
        loaded=tuple(fitting),
        kept=tuple(name for name in body if name not in fitting),
        unused=tuple(name for name in stored if name not in fitting),
        share=sum(body[name].numel() for name in parameters & fitting.keys()) / total,
    )


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weight file, on the CPU.

    Parameters
    ----------
    path : Path
        safetensors, or a state dict saved by torch, itself or under one of the usual keys.

    Returns
    -------
    dict of str to Tensor

    Raises
    ------
    UsageError
        If the file is missing, cannot be read, holds code, or no named tensors.
    """
    if not path.is_file():
        raise no_weight_file(path)
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise UsageError(f"{path} cannot be read as safetensors: {error}") from None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise UsageError(
            f"{path} holds more than weights, or is no weight file: reading it could run code, "
            "which is refused. Save the state dict alone, best as safetensors"
        ) from None
    except Exception as error:  # torch meets damage where it happens to, by whatever that raises
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{path} cannot be read as a state dict: {reason}") from None
    return _tensors(path, content)


def no_weight_file(path: Path) -> UsageError:
    """What is said of a weight file that is not there."""
    return UsageError(f"there is no weight file {path}; nothing is fetched, give a local file")


def freeze_all_but_head(model: nn.Module) -> nn.Module:
    """Let only the head learn.

    Batch norms of the body also stop following the batches: they normalise by what they were
    loaded with, in training as in evaluation.

    Parameters
    ----------
    model : Module
        A classifier with a ``head``; changed in place.

    Returns
    -------
    Module
        The same.

    Raises
    ------
    UsageError
        If the network has no head.
    """
    inside = set(head_of(model).modules())
    model.requires_grad_(False)
    head_of(model).requires_grad_(True)
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module not in inside:
            module.register_forward_pre_hook(_stay_in_evaluation)
    return model


def stage_parameters(model: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters in groups from the stem to the head, for a learning rate for each.

    Parameters
    ----------
    model : Module
        A classifier with a ``head``. It names the beginnings of its stages in ``stage_starts``, or
        every child of its ``features`` is a stage.

    Returns
    -------
    list of list of Parameter
        Every parameter once, none of the lists empty; the last one is the head's.

    Raises
    ------
    UsageError
        If the network has no head, or no ``features`` either to tell stages by.
    """
    of_head = _head_names(model)
    starts = _stage_starts(model)
    stages: list[list[nn.Parameter]] = [[]]
    head: list[nn.Parameter] = []
    begun: set[str] = set()
    for name, parameter in model.named_parameters():
        if name in of_head:
            head.append(parameter)
            continue
        start = next((one for one in starts if name.startswith(f"{one}.")), None)
        if start is not None and start not in begun:
            begun.add(start)
            stages.append([])
        stages[-1].append(parameter)
    return [*(stage for stage in stages if stage), head]


def head_of(model: nn.Module) -> nn.Module:
    """The part that is new with every task.

    Parameters
    ----------
    model : Module

    Raises
    ------
    UsageError
        If the network has none.
    """
    head = getattr(model, "head", None)
    if not isinstance(head, nn.Module):
        raise UsageError(
            f"{type(model).__name__} has no head to tell from its body: give it one, or train all "
            "of it"
        )
    return head


def _head_names(model: nn.Module) -> set[str]:
    """Names of the head's tensors inside the network."""
    inside = set(head_of(model).modules())
    return {
        f"{path}.{own}"
        for path, module in model.named_modules()
        if module in inside
        for own in (*module._parameters, *module._buffers)
    }


def _stage_starts(model: nn.Module) -> tuple[str, ...]:
    starts = getattr(model, "stage_starts", None)
    if isinstance(starts, tuple):
        return starts
    features = getattr(model, "features", None)
    if not isinstance(features, nn.Module):
        raise UsageError(
            f"{type(model).__name__} tells no stages: it has neither stage_starts nor features"
        )
    return tuple(f"features.{name}" for name, _ in features.named_children())


def _stay_in_evaluation(module: nn.Module, _: Any) -> None:
    module.training = False  # set again before every pass: model.train() undoes it


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    """The named tensors of what torch read."""
    for key in _NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    named = content.items() if isinstance(content, Mapping) else ()
    tensors = {str(name): value for name, value in named if isinstance(value, Tensor)}
    if not tensors:
        raise UsageError(f"{path} holds no named tensors: save a state dict")
    return tensors


def _renamed(
    stored: dict[str, Tensor], state: Mapping[str, Tensor], of_head: set[str]
) -> dict[str, Tensor]:
    """The file's names as the network has them, by whichever prefixes most of it fits.

    Where no name fits, the order of the tensors tells them, if every shape but the head's agrees.
    """

    def under(wrapper: str, inside: str) -> dict[str, Tensor]:
        return {inside + name.removeprefix(wrapper): value for name, value in stored.items()}

    def fit(names: Mapping[str, Tensor]) -> int:
        return sum(n in state and state[n].shape == value.shape for n, value in names.items())

    named = max((under(w, i) for w in _WRAPPERS for i in _INSIDE), key=fit)
    if fit(named) or len(stored) != len(state) or not _alike(stored, state, of_head):
        return named
    return dict(zip(state, stored.values(), strict=True))


def _alike(stored: Mapping[str, Tensor], state: Mapping[str, Tensor], of_head: set[str]) -> bool:
    """Whether a file has the body's tensors one after the other, by shape and last name."""
    return all(
        theirs.rpartition(".")[2] == name.rpartition(".")[2]
        and (name in of_head or stored[theirs].shape == state[name].shape)
        for theirs, name in zip(stored, state, strict=True)
    )


def _head_weights(
    path: Path, stored: Mapping[str, Tensor], head: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    for name, value in head.items():
        there = list(stored[name].shape) if name in stored else "missing"
        if there != list(value.shape):
            raise UsageError(
                f"the head in {path} does not fit: {name} is {there} there and has shape "
                f"{list(value.shape)} here (its first number is the number of classes). Load the "
                "body alone, or build the network with the file's number of classes"
            )
    return {name: stored[name] for name in head}


def _check_finite(path: Path, weights: Mapping[str, Tensor]) -> None:
    for name, value in weights.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise UsageError(
                f"{name} in {path} is not a finite number everywhere: use other weights"
            )


def _shapes(tensors: Mapping[str, Tensor]) -> str:
    """The first few names and shapes."""
    shown = [f"{name} {list(value.shape)}" for name, value in list(tensors.items())[:3]]
    return ", ".join(shown) + (", …" if len(tensors) > 3 else "")
