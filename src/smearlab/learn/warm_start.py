"""Starting from a bundle: its weights go back into a trainable network.

A bundle's batch norms are folded into their convolutions. Here they are set apart again: every
norm gets the statistics that its inputs really have, and the scale and shift that undo them, so
that the network answers as the bundle does and can be trained further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.io.bundles import find_bundle, read_card
from smearlab.learn.nn.blocks import ResidualBlock

_PREFIX = "model."  # a bundle's graph holds the network under this name


def bundle_weights(kind: str, bundle: str) -> dict[str, Tensor]:
    """The weights inside a bundle, by the names of the network they came from.

    Parameters
    ----------
    kind : {"segmenter", "classifier"}
    bundle : str
        Short name of a bundle that ships, or its folder.

    Returns
    -------
    dict of str to Tensor
        float32; convolutions with the batch norms folded in.
    """
    folder = find_bundle(kind, bundle)
    read_card(folder, kind)
    graph = onnx.load(folder / "model.onnx").graph
    return {
        tensor.name.removeprefix(_PREFIX).removesuffix("_half"): torch.from_numpy(
            numpy_helper.to_array(tensor).astype(np.float32)
        )
        for tensor in graph.initializer
        if tensor.name.startswith(_PREFIX)
    }


def start_from_bundle(
    model: nn.Module, kind: str, bundle: str, batches: Iterable[Tensor]
) -> nn.Module:
    """Give a fresh network the weights of a bundle; it answers as the bundle does.

    Parameters
    ----------
    model : Module
        Changed in place. Every batch norm follows its convolution inside a ``Sequential``. It may
        have more residual blocks than the bundle: they begin as the identity.
    kind, bundle : str
        See :func:`bundle_weights`.
    batches : iterable of Tensor, each float, shape (B, 3, H, W), in [0, 1]
        Training images, on which the batch norms' statistics are measured.

    Returns
    -------
    Module
        The same, in training mode.

    Raises
    ------
    UsageError
        If the bundle's weights do not fit the network.
    """
    norms = _norms(model)
    weights, shifts = {}, {}
    for name, value in bundle_weights(kind, bundle).items():
        conv, _, part = name.rpartition(".")
        if conv in norms and part == "bias":
            shifts[norms[conv]] = value
        else:
            weights[name] = value
    take_over(model, weights, f"the bundle {bundle}", unfolded=norms.values())
    for norm, shift in shifts.items():
        _identity(norm, shift)
    _measure(model, shifts, batches)
    return model.train()


def take_over(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    owner: str,
    unfolded: Iterable[nn.Module] = (),
) -> None:
    """Load weights into a network that may have more residual blocks than they came from.

    Fresh residual blocks are the identity, so the network's answers stay the same.

    Parameters
    ----------
    model : Module
        Changed in place.
    weights : mapping of str to Tensor
        A state dict.
    owner : str
        Whose weights these are, for messages.
    unfolded : iterable of Module
        Modules whose weights may be missing.

    Raises
    ------
    UsageError
        If a weight has no place in the network, or one is missing.
    """
    state = model.state_dict()
    for name, value in weights.items():
        if name not in state or state[name].shape != value.shape:
            here = list(state[name].shape) if name in state else "not there"
            raise UsageError(
                f"{owner} is of another network: {name} has shape {list(value.shape)} in it and "
                f"is {here} here"
            )
    free = set(unfolded)
    for path, block in model.named_modules():
        new = isinstance(block, ResidualBlock)
        if new and not any(name.startswith(f"{path}.") for name in weights):
            free.update(block.modules())
    for path, module in model.named_modules():
        names = [f"{path}.{own}".lstrip(".") for own in (*module._parameters, *module._buffers)]
        missing = [name for name in names if name in state and name not in weights]
        if missing and module not in free:
            raise UsageError(f"{owner} lacks {missing[0]}: is it of this network?")
    model.load_state_dict({**state, **weights})


def _norms(model: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """The batch norm after each convolution, by the convolution's name."""
    found = {}
    for path, parent in model.named_modules():
        if isinstance(parent, nn.Sequential):
            for n, (conv, norm) in enumerate(zip(parent, list(parent)[1:], strict=False)):
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    found[f"{path}.{n}" if path else str(n)] = norm
    return found


def _identity(norm: nn.BatchNorm2d, shift: Tensor) -> None:
    """Make a norm add ``shift`` and nothing else."""
    with torch.no_grad():
        norm.running_mean.zero_()  # type: ignore[union-attr]
        norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
        norm.weight.fill_(1)
        norm.bias.copy_(shift)


def _measure(
    model: nn.Module, shifts: Mapping[nn.BatchNorm2d, Tensor], batches: Iterable[Tensor]
) -> None:
    """Set the norms to the statistics of their inputs without changing what they do."""
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {norm: [] for norm in shifts}

    def keep(norm: nn.Module, args: tuple[Any, ...]) -> None:
        x = args[0].double()
        moments = torch.stack([x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))])
        sums[norm].append(moments)  # type: ignore[index]

    hooks = [norm.register_forward_pre_hook(keep) for norm in shifts]
    model.eval()
    with torch.inference_mode():
        for batch in batches:
            model(batch)
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        for norm, shift in shifts.items():
            mean, square = torch.stack(sums[norm]).mean(0).float()
            variance = (square - mean**2).clamp(min=1e-6)
            norm.running_mean.copy_(mean)  # type: ignore[union-attr]
            norm.running_var.copy_(variance)  # type: ignore[union-attr]
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.copy_(shift + mean)
