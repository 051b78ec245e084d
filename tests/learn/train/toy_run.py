"""A small problem for the supervised loop; as a program, a run that can be killed.

``python toy_run.py RUN MINUTES`` trains in the folder RUN, with a checkpoint inside an epoch after
so many minutes, and says ``sample`` for every sample it draws.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.objectives import Classification
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.sampling import Sample
from smearlab.learn.train.supervised import Objective, fit

CONFIG = TrainConfig(epochs=4, batch_size=8, lr=0.01, seed=5)
SAMPLES = 27  # three steps an epoch; three samples rest


class Stripes:
    """Pictures of upright or lying stripes; the type is which.

    Parameters
    ----------
    stop_after : int or None
        Fail at this draw, as a broken disk would.
    speak : bool
        Say ``sample`` at every draw.
    """

    def __init__(self, stop_after: int | None = None, speak: bool = False) -> None:
        self.stop_after, self.speak, self.drawn = stop_after, speak, 0

    def __len__(self) -> int:
        return SAMPLES

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        if self.drawn == self.stop_after:
            raise OSError("the disk is gone")
        self.drawn += 1
        if self.speak:
            print("sample", flush=True)
        wave = np.sin(np.arange(16) * 1.3 + rng.uniform(0, 6)) * 60 + 128
        pixels = np.broadcast_to(wave[:, None] if index % 2 else wave, (16, 16))
        noisy = pixels[..., None] + rng.normal(0, 20, (16, 16, 3))
        return {
            "pixels": noisy.clip(0, 255).astype(np.uint8),
            "target": np.array(index % 2, np.int64),
        }


def fresh_model() -> nn.Module:
    """Convolutions, batch norms and dropout: all that could make a resumed run differ."""
    torch.manual_seed(11)
    return CellTypes(CellTypesConfig(classes=2, widths=(8, 8), blocks=(1,), dropout=0.5, turns=1))


OBJECTIVE: Objective = Classification()


def train(run: Path, config: TrainConfig = CONFIG, source: Stripes | None = None) -> nn.Module:
    """Train the toy in the folder ``run``, or go on."""
    return fit(fresh_model(), source or Stripes(), OBJECTIVE, config, run, show=False)


def losses_of(run: Path) -> list[float]:
    """Loss of every step in a run's log."""
    import json

    lines = (run / "log.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    """Whether two models hold the same numbers."""

    def state(model: nn.Module) -> dict[str, Tensor]:
        return dict(model.state_dict())

    one, other = state(a), state(b)
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


if __name__ == "__main__":
    torch.set_num_threads(1)
    often = replace(CONFIG, checkpoint_minutes=float(sys.argv[2]))
    train(Path(sys.argv[1]), often, Stripes(speak=True))
