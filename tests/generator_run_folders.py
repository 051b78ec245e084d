"""Runs of generators as training leaves them, without the training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from smearlab.learn.generator_record import GeneratorSummary
from smearlab.learn.models.dcgan import DCGANGeneratorConfig
from smearlab.learn.models.generators import build_generator, kept_config
from smearlab.learn.train.checkpoints import WEIGHTS

TYPES = ("basophil", "eosinophil", "monocyte")


def small_dcgan(classes: int = 3) -> DCGANGeneratorConfig:
    """16 px, a thousand weights or so."""
    return DCGANGeneratorConfig(classes, 16, 6, (8, 6, 4), 0.0, "running")


def write_generator_run(
    folder: Path, types: Sequence[str] = TYPES, config: Any = None, spoil: float | None = None
) -> Path:
    """A finished run with random weights; ``spoil`` stands in the place of one."""
    config = small_dcgan(len(types)) if config is None else config
    torch.manual_seed(3)
    network = build_generator(config)
    for name, tensor in network.state_dict().items():  # fresh weights paint everything grey
        if tensor.ndim > 1:
            tensor.mul_(10)
        elif name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
    if spoil is not None:
        next(network.parameters()).data.view(-1)[0] = spoil
    folder.mkdir(parents=True)
    save_file(network.state_dict(), folder / WEIGHTS)
    asked = {"generator": kept_config(config)}
    (folder / "config.json").write_text(json.dumps({"asked": asked, "hardware": {}}))
    n = sum(parameter.numel() for parameter in network.parameters())
    GeneratorSummary(
        recipe="dcgan",
        game="dcgan",
        protocol="honest",
        classes=tuple(types),
        size_px=config.size_px,
        latent_size=config.latent_size,
        networks={"generator": {"trainable": n, "other": 0}},
        pictures=dict.fromkeys(types, 4),
        digest="0" * 16,
        epochs=1,
        steps=2,
        train_seconds=1.0,
        step_seconds=0.5,
        peak_memory_mb=None,
        peak_device_memory_mb=None,
        hardware="cpu",
        precision="32-true",
        batch_size=2,
        seed=1,
        figures={},
        datasets=("pbc",),
    ).save(folder)
    return folder
