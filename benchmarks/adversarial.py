"""How fast a step of the adversarial loop is beside its bare passes, in one run; prints JSON.

    python benchmarks/adversarial.py

The networks are those of RWP-GAN (``--tiny``: small ones, on small pictures). Before each step the
loop is halted, and the same batch goes through copies of the networks, so that a machine that is
busy with other things is so for all. Medians over the steps are given:

``passes_s``
    Seconds of the bare sum of a step's forward and backward passes: generator; critic on the target
    and on the answer, backward; the penalty, if there is one; critic on the answer again with its
    weights held, L1, backward. No optimiser, no log.
``bare_s``
    The same with an Adam step of both networks, without which nobody trains.
``loop_s``
    Those of ``smearlab.learn.train.adversarial.fit_adversarial`` from one halt to the next: with
    its samples, its log, its seeds, its figures and its watch.
``loop_over_passes``, ``loop_over_bare``
    How many steps of the loop there are in the time of one of these; with ``…_cpu``, in the
    processor time that this process took, which other programs on the machine disturb less.
``checkpoint_s``
    Writing the checkpoint at the end; it is in none of the ratios.

The first steps prepare, and are not counted. Pictures are noise, in memory.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smearlab.learn.games.paired import PairedPictures
from smearlab.learn.losses.adversarial import adversarial_loss
from smearlab.learn.losses.gradient_penalty import gradient_penalty
from smearlab.learn.losses.pixels import l1
from smearlab.learn.models.rwp_discriminator import RWPDiscriminator, RWPDiscriminatorConfig
from smearlab.learn.models.rwp_generator import RWPGenerator, RWPGeneratorConfig
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig, build_adam
from smearlab.learn.train.hardware import describe_hardware
from smearlab.learn.train.sampling import Sample

Batch = Mapping[str, Tensor]
Times = tuple[float, float]
LOSS = adversarial_loss("bce")


class Noise:
    """Noisy pictures and targets.

    Parameters
    ----------
    side : int
        Of the pictures, px.
    """

    def __init__(self, side: int) -> None:
        self.pixels = np.random.default_rng(0).integers(0, 256, (64, side, side, 3), np.uint8)

    def __len__(self) -> int:
        return 4096

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """A picture and its negative."""
        pixels = self.pixels[index % len(self.pixels)]
        return {"pixels": pixels, "target": 255 - pixels}


class Bare:
    """The step as anybody would write it, with networks of its own.

    Parameters
    ----------
    game : PairedPictures
        Its networks are copied.
    config : AdversarialConfig
    """

    def __init__(self, game: PairedPictures, config: AdversarialConfig) -> None:
        self.config = config
        self.generator, self.critic = copy.deepcopy(game.generator), copy.deepcopy(game.critic)
        self.adams = []
        for network in (self.generator, self.critic):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.adams.append(build_adam([network], 2e-4, (0.5, 0.999), config.precision))

    def step(self, batch: Batch, *, optimise: bool) -> None:
        """The passes, with or without steps of Adam."""
        x, y = batch["pixels"], batch["target"]
        generator, critic = self.generator, self.critic
        for adam in self.adams:
            adam.zero_grad(set_to_none=True)
        fake = generator(x)
        of_critic = LOSS.critic(critic(x, y), critic(x, fake.detach()))
        if self.config.penalty != "none":
            penalty = gradient_penalty(partial(critic, x), y, fake)
            of_critic = of_critic + self.config.penalty_weight * penalty
        of_critic.backward()  # type: ignore[no-untyped-call]
        if optimise:
            self.adams[1].step()
        critic.requires_grad_(False)
        of_generator = LOSS.generator(None, critic(x, fake)) + 100 * l1(fake, y)
        of_generator.backward()  # type: ignore[no-untyped-call]
        critic.requires_grad_(True)
        if optimise:
            self.adams[0].step()


class Measured(PairedPictures):
    """A game that halts before each step and measures the bare one.

    Parameters
    ----------
    options : Namespace
        Sizes of the networks.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(0)
        sizes = RWPGeneratorConfig(widths=(8, 8, 8, 8), input_px=32) if options.tiny else None
        widths = (8, 16, 16) if options.tiny else RWPDiscriminatorConfig().widths
        critic = RWPDiscriminatorConfig(widths=widths, spectral=options.spectral)
        super().__init__(RWPGenerator(sizes), RWPDiscriminator(critic))
        self.bare: Bare | None = None
        self.began: Times | None = None
        self.times: dict[str, list[Times]] = {"passes": [], "bare": [], "loop": []}

    def play(self, source: Noise, config: AdversarialConfig) -> float:
        """Measure; gives the seconds from the last step to the end."""
        self.config = config
        # The bar is drawn, too, but not between the figures.
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            fit_adversarial(self, source, config, Path(folder))
            assert self.began is not None
            return time.perf_counter() - self.began[0]

    def prepare(self, batch: Batch) -> Batch:
        """A step begins; the last one has ended."""
        now = clocks()
        if self.began is not None:
            self.times["loop"].append(since(self.began, now))
        prepared = super().prepare(batch)
        if self.bare is None:  # the networks are on their device by now
            self.bare = Bare(self, self.config)
        ways = ["passes", "bare"]
        for way in ways if len(self.times["bare"]) % 2 else ways[::-1]:
            before = clocks()
            self.bare.step(prepared, optimise=way == "bare")
            self.times[way].append(since(before, clocks()))
        self.began = clocks()
        return super().prepare(batch)

    def figures(self, skipped: int) -> dict[str, float]:
        """Medians over the steps that count."""
        steps = range(skipped, len(self.times["loop"]))
        wall = {way: statistics.median(t[n][0] for n in steps) for way, t in self.times.items()}
        found = {f"{way}_s": round(value, 4) for way, value in wall.items()}
        for other in ("passes", "bare"):
            for clock, ending in enumerate(("", "_cpu")):
                pairs = zip(self.times[other], self.times["loop"], strict=False)
                ratios = [one[clock] / loop[clock] for one, loop in pairs]
                found[f"loop_over_{other}{ending}"] = round(statistics.median(ratios[skipped:]), 3)
        return found


def clocks() -> Times:
    """What the clock on the wall says, and the processor's, when all has been computed."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


def since(before: Times, now: Times) -> Times:
    """Seconds by each clock."""
    return now[0] - before[0], now[1] - before[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--skipped", type=int, default=2, help="the first of them, not counted")
    parser.add_argument("--threads", type=int, help="of torch; as many as it takes without it")
    parser.add_argument("--penalty", action="store_true", help="with a gradient penalty")
    parser.add_argument("--spectral", action="store_true", help="with spectral normalisation")
    parser.add_argument("--tiny", action="store_true", help="small networks, for a trial")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    config = AdversarialConfig(
        epochs=10_000,
        batch_size=options.batch,
        penalty="interpolates" if options.penalty else "none",
        max_steps=options.steps,
        checkpoint_minutes=0.0,
    )
    game = Measured(options)
    seconds = game.play(Noise(32 if options.tiny else 256), config)
    found: dict[str, Any] = {"hardware": describe_hardware(config.precision)}
    found |= {key: value for key, value in vars(options).items() if key != "threads"}
    found |= game.figures(options.skipped)
    print(json.dumps(found | {"checkpoint_s": round(seconds, 3)}, indent=1))


if __name__ == "__main__":
    main()
