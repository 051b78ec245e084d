"""Small games for the adversarial loop; as a program, a run that can be killed.

``python toy_game.py RUN MINUTES`` plays in the folder RUN, with a checkpoint inside an epoch after
so many minutes, and says ``sample`` for every sample it draws. ``python toy_game.py RUN JSON``
plays the plain game with these settings, as ``torchrun`` starts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.learn.games.paired import PairedPictures
from smearlab.learn.nn.spectral import spectrally_normalised
from smearlab.learn.train.adversarial import Validate, fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.game import Batch, Game, Judgement
from smearlab.learn.train.sampling import Sample

SAMPLES = 13
#: All that could make a resumed run differ: chance in the penalty, averages, two critic updates.
CONFIG = AdversarialConfig(
    epochs=4,
    batch_size=2,
    critic_steps=2,
    penalty="interpolates",
    penalty_weight=1.0,
    penalty_every=3,
    lr_generator=0.01,
    lr_critic=0.01,
    schedule="linear",
    decay_from=0.5,
    ema=0.9,
    seed=5,
    watch_steps=3,
)


class Negatives:
    """Noisy pictures of 8×8, and their negatives as targets.

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
        bright = 40 + 15 * index
        pixels = rng.integers(bright - 30, bright + 30, (8, 8, 3)).clip(0, 255).astype(np.uint8)
        return {"pixels": pixels, "target": 255 - pixels}


class Pair(nn.Module):
    """Judges a picture and an answer together."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, picture: Tensor, judged: Tensor) -> Tensor:
        found: Tensor = self.layers(torch.cat([picture, judged], 1))
        return found


def fresh_game() -> PairedPictures:
    """Batch norm, dropout and spectral norm."""
    torch.manual_seed(11)
    generator = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Conv2d(8, 3, 1), nn.Sigmoid(),
    )  # fmt: skip
    layers = nn.Sequential(
        nn.Conv2d(6, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3)
    )
    return PairedPictures(generator, Pair(spectrally_normalised(layers)), l1_weight=10.0)


def plain_game() -> PairedPictures:
    """Nothing in it depends on the other samples of a batch, or on chance."""
    torch.manual_seed(7)
    generator = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 3, 1), nn.Sigmoid()
    )
    layers = nn.Sequential(nn.Conv2d(6, 8, 4, 2, 1), nn.Tanh(), nn.Conv2d(8, 1, 3))
    return PairedPictures(generator, Pair(layers), l1_weight=10.0)


def play(
    run: Path,
    config: AdversarialConfig = CONFIG,
    source: Negatives | None = None,
    validate: Validate | None = None,
) -> nn.Module:
    """Play the toy in the folder ``run``, or go on."""
    return fit_adversarial(
        fresh_game(), source or Negatives(), config, run, validate=validate, show=False
    )


def play_plain(run: Path, **settings: Any) -> nn.Module:
    """Play the plain game."""
    usual = AdversarialConfig(epochs=2, batch_size=4, lr_generator=0.01, lr_critic=0.01, seed=5)
    config = replace(usual, **settings)
    return fit_adversarial(plain_game(), Negatives(), config, run, show=False)


def play_in_processes(run: Path, processes: int, **settings: Any) -> str:
    """Play the plain game on this machine in several processes; what they said."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1",
        f"--nproc-per-node={processes}", __file__, str(run), json.dumps(settings),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment |= {"GLOO_SOCKET_IFNAME": "lo", "PYTHONWARNINGS": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    said = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(said)
    return said


def lines_of(run: Path, name: str = "log.jsonl") -> list[dict[str, Any]]:
    """Lines of a run's log."""
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


class Points:
    """Points of the plane as samples.

    Parameters
    ----------
    points : ndarray, shape (n, d)
    """

    def __init__(self, points: np.ndarray[Any, Any]) -> None:
        self.points = points.astype(np.float32)

    def __len__(self) -> int:
        return len(self.points)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        return {"point": self.points[index], "label": np.array(index % 2)}


ZEROS = Points(np.zeros((100, 1)))
#: Of the Dirac-GAN.
DIRAC = AdversarialConfig(epochs=1000, batch_size=4, lr_generator=0.02, lr_critic=0.03)


class PointGame(Game):
    """Points made of noise, judged as they are."""

    def prepare(self, batch: Batch) -> Batch:
        return {**batch, "z": torch.randn(len(batch["point"]), 2)}

    def real(self, batch: Batch) -> Tensor:
        return batch["point"]

    def generate(self, batch: Batch) -> Tensor:
        made: Tensor = self.generator(batch["z"])
        return made

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        return Judgement(self.critic(pictures))


class Dirac(nn.Module):
    """A generator that makes one point, whatever the noise."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([at]))

    def forward(self, z: Tensor) -> Tensor:
        return self.theta.expand(len(z), 1)


def dirac_game(theta: float = 1.0, psi: float = 0.5) -> PointGame:
    """The Dirac-GAN of Mescheder et al. (2018): real points are 0, the critic is ψ·x."""
    critic = nn.Linear(1, 1, bias=False)
    nn.init.constant_(critic.weight, psi)
    return PointGame(Dirac(theta), critic)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[2].startswith("{"):
        play_plain(Path(sys.argv[1]), **json.loads(sys.argv[2]))
    else:
        often = replace(CONFIG, checkpoint_minutes=float(sys.argv[2]))
        play(Path(sys.argv[1]), often, Negatives(speak=True))
