"""Trainings of several processes, as programs that ``torchrun`` starts.

``toy_processes.py RUN JSON`` trains a network without batch norm and dropout in the folder RUN,
with the settings of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from toy_run import CONFIG, OBJECTIVE, Stripes

from smearlab.learn.train.supervised import fit


def plain_model() -> nn.Module:
    """Nothing in it depends on the other samples of a batch, or on chance."""
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 36, 2),
    )


def train_plain(run: Path, **settings: Any) -> nn.Module:
    """Train the plain network; a validation loss that a plateau follows."""
    config = replace(CONFIG, **settings)
    losses = iter([1.0, 0.5, 0.7, 0.8, 0.9, 0.9])
    validate = (lambda model: {"loss": next(losses)}) if config.needs_validation else None
    return fit(plain_model(), Stripes(), OBJECTIVE, config, run, validate=validate, show=False)


def train_in_processes(run: Path, processes: int, **settings: Any) -> str:
    """Train on this machine in several processes that end by themselves; what they said."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1",
        f"--nproc-per-node={processes}", __file__, str(run), json.dumps(settings),
    ]  # fmt: skip
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": here, "OMP_NUM_THREADS": "1"}
    environment |= {"GLOO_SOCKET_IFNAME": "lo", "PYTHONWARNINGS": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    said = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(said)
    return said


if __name__ == "__main__":
    torch.set_num_threads(1)
    train_plain(Path(sys.argv[1]), **json.loads(sys.argv[2]))
