"""How fast a step of the adversarial loop is beside its bare passes, in one run; prints JSON.

    python benchmarks/adversarial.py

The networks are those of RWP-GAN (``--tiny``: small ones, on small pictures), or of a recipe with
an adversary, that makes cells, enlarges them or carries them from stain to stain, at any size:

    python benchmarks/adversarial.py --recipe c_wgan_gp --size 64 --batch 64
    python benchmarks/adversarial.py --recipe c_wgan_gp_128 --memory --steps 2 --skipped 0
    python benchmarks/adversarial.py --recipe w_cyclegan_gp --batch 8
    python benchmarks/adversarial.py --recipe few_shot_gan --batch 10
    python benchmarks/adversarial.py --recipe srgan --size 64 --batch 16 --set critic.input_px=64

Before each step the loop is halted, and the same batch goes through copies of the networks, so that
a machine that is busy with other things is so for all. Medians over the steps are given:

``passes_s``
    Seconds of the bare sum of a step's forward and backward passes: generator; critic on what is
    real and on what is generated, backward; the penalty, if there is one; critic on what is
    generated again with its weights held, the game's further losses, backward; further networks. No
    optimiser, no log. A penalty that the loop computes now and then is computed in the same steps.
``bare_s``
    The same with an Adam step of all networks, without which nobody trains.
``loop_s``
    Those of ``smearlab.learn.train.adversarial.fit_adversarial`` from one halt to the next: with
    its samples, its log, its seeds, its figures and its watch.
``loop_over_passes``, ``loop_over_bare``
    How many steps of the loop there are in the time of one of these; with ``…_cpu``, in the
    processor time that this process took, which other programs on the machine disturb less.
``checkpoint_s``
    Writing the checkpoint at the end; it is in none of the ratios.
``peak_memory_mb``, ``gpu_memory_mb``
    With ``--memory``, where nothing but the loop runs: the most that the process and the GPU's
    tensors took at once, 10⁶ bytes.

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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smearlab.errors import UsageError
from smearlab.learn.few_shot_recipe import FewShotRecipe
from smearlab.learn.games.paired import PairedPictures
from smearlab.learn.losses.adversarial import adversarial_loss
from smearlab.learn.losses.gradient_penalty import gradient_penalty
from smearlab.learn.models.rwp_discriminator import RWPDiscriminator, RWPDiscriminatorConfig
from smearlab.learn.models.rwp_generator import RWPGenerator, RWPGeneratorConfig
from smearlab.learn.peak_memory import peak_device_memory_mb, peak_memory_mb
from smearlab.learn.recipes import (
    FEW_SHOT_RECIPES,
    STAIN_RECIPES,
    SYNTHESIS_RECIPES,
    UPSCALE_RECIPES,
)
from smearlab.learn.run_few_shot import build_few_shot_game
from smearlab.learn.run_stain import build_stain_game
from smearlab.learn.run_upscaler import build_upscaler_game
from smearlab.learn.synthesis_games import build_synthesis_game
from smearlab.learn.synthesis_recipe import SynthesisRecipe
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig, build_adam
from smearlab.learn.train.game import Game
from smearlab.learn.train.hardware import describe_hardware
from smearlab.learn.train.sampling import Sample
from smearlab.learn.upscale_recipe import UpscaleRecipe
from smearlab.registry import look_up

Batch = Mapping[str, Tensor]
Times = tuple[float, float]
Pixels = NDArray[np.uint8]
#: Number of a picture, and its pixels → a sample.
Told = Callable[[int, Pixels], Sample]
#: Types of the noise.
TYPES = 8
RECIPES: Mapping[str, Any] = {
    **SYNTHESIS_RECIPES,
    **FEW_SHOT_RECIPES,
    **UPSCALE_RECIPES,
    **STAIN_RECIPES,
}


class Noise:
    """Noisy pictures.

    Parameters
    ----------
    side : int
        Of the pictures, px.
    told : callable
        What a game is told of each.
    """

    def __init__(self, side: int, told: Told) -> None:
        self.told = told
        self.pixels = np.random.default_rng(0).integers(0, 256, (64, side, side, 3), np.uint8)

    def __len__(self) -> int:
        return 4096

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """A picture, and what goes with it."""
        return self.told(index, self.pixels[index % len(self.pixels)])


def paired(index: int, pixels: Pixels) -> Sample:
    """A picture and its negative."""
    return {"pixels": pixels, "target": 255 - pixels}


def typed(index: int, pixels: Pixels) -> Sample:
    """A picture and its type."""
    return {"pixels": pixels, "target": np.int64(index % TYPES)}


def alone(index: int, pixels: Pixels) -> Sample:
    """A picture."""
    return {"pixels": pixels}


def of_two_stains(index: int, pixels: Pixels) -> Sample:
    """A picture in the place of each stain's."""
    return {"pixels_a": pixels, "pixels_b": 255 - pixels}


class Bare:
    """The step as anybody would write it, with networks of its own.

    Parameters
    ----------
    game : Game
        It is copied.
    config : AdversarialConfig
    """

    def __init__(self, game: Game, config: AdversarialConfig) -> None:
        self.game, self.config = copy.deepcopy(game), config
        self.loss = adversarial_loss(config.loss)
        self.adams = {}
        for name, network in self.game.networks.items():
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.adams[name] = build_adam([network], 2e-4, (0.5, 0.999), config.precision)

    def step(self, batch: Batch, update: int, *, optimise: bool) -> None:
        """The passes of the loop's so-and-so-many-th update, with or without steps of Adam."""
        game, critic = self.game, self.game.critic
        for adam in self.adams.values():
            adam.zero_grad(set_to_none=True)
        real, fake = game.real(batch), game.generate(batch)
        of_real, of_fake = game.judge(batch, real), game.judge(batch, fake.detach())
        of_critic = self.loss.critic(of_real.logits, of_fake.logits)
        of_critic = sum(game.critic_losses(batch, of_real, of_fake).values(), of_critic)
        every = self.config.penalty_every
        if self.config.penalty != "none" and update % every == 0:
            penalty = gradient_penalty(lambda x: game.judge(batch, x).logits, real, fake)
            of_critic = of_critic + self.config.penalty_weight * every * penalty
        of_critic.backward()  # type: ignore[no-untyped-call]
        if optimise:
            self.adams["critic"].step()
        held = [critic, *game.further.values()]
        for network in held:
            network.requires_grad_(False)
        judged = game.judge(batch, fake)
        of_generator = self.loss.generator(None, judged.logits)
        for name, value in game.generator_losses(batch, fake, judged).items():
            of_generator = of_generator + game.weights.get(name, 1.0) * value
        of_generator.backward()  # type: ignore[no-untyped-call]
        for network in held:
            network.requires_grad_(True)
        for value in game.further_losses(batch, fake.detach()).values() if game.further else ():
            value.backward()  # type: ignore[no-untyped-call]
        for name in self.adams.keys() - {"critic"} if optimise else ():
            self.adams[name].step()


class Halting:
    """Halts a game before each step, and measures the bare one.

    Parameters
    ----------
    game : Game
        Its ``prepare`` is replaced.
    config : AdversarialConfig
    alone : bool
        Measure the loop, and nothing beside it.
    """

    def __init__(self, game: Game, config: AdversarialConfig, *, alone: bool = False) -> None:
        self.game, self.config, self.alone = game, config, alone
        self.prepared = game.prepare
        game.prepare = self.prepare  # type: ignore[method-assign]
        self.bare: Bare | None = None
        self.began: Times | None = None
        self.times: dict[str, list[Times]] = {"passes": [], "bare": [], "loop": []}

    def play(self, source: Noise) -> float:
        """Measure; gives the seconds from the last step to the end."""
        # The bar is drawn, too, but not between the figures.
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            fit_adversarial(self.game, source, self.config, Path(folder))
            assert self.began is not None
            return time.perf_counter() - self.began[0]

    def prepare(self, batch: Batch) -> Batch:
        """A step begins; the last one has ended."""
        now = clocks()
        if self.began is not None:
            self.times["loop"].append(since(self.began, now))
        if not self.alone:
            self.measure(batch)
        self.began = clocks()
        return self.prepared(batch)

    def measure(self, batch: Batch) -> None:
        """The bare step, without Adam and with it; which goes first takes turns."""
        prepared = self.prepared(batch)
        if self.bare is None:  # the networks are on their device by now
            self.game.__dict__.pop("prepare")
            self.bare = Bare(self.game, self.config)
            self.game.prepare = self.prepare  # type: ignore[method-assign]
        ways, update = ["passes", "bare"], len(self.times["bare"])
        for way in ways if len(self.times["bare"]) % 2 else ways[::-1]:
            before = clocks()
            self.bare.step(prepared, update, optimise=way == "bare")
            self.times[way].append(since(before, clocks()))

    def figures(self, skipped: int) -> dict[str, float]:
        """Medians over the steps that count."""
        steps = slice(skipped, len(self.times["loop"]))  # the last one's end was not seen
        measured = {way: times[steps] for way, times in self.times.items() if times}
        wall = {way: statistics.median(one[0] for one in times) for way, times in measured.items()}
        found = {f"{way}_s": round(value, 4) for way, value in wall.items()}
        if self.alone:
            return found
        for other in ("passes", "bare"):
            for clock, ending in enumerate(("", "_cpu")):
                pairs = zip(measured[other], measured["loop"], strict=True)
                ratio = statistics.median(one[clock] / loop[clock] for one, loop in pairs)
                found[f"loop_over_{other}{ending}"] = round(ratio, 3)
        return found


def made_small(factor: int) -> Told:
    """A picture of every so-and-so-many-th pixel, and the whole one."""

    def told(index: int, pixels: Pixels) -> Sample:
        return {"pixels": pixels[::factor, ::factor].copy(), "target": pixels}

    return told


@dataclass(frozen=True)
class Played:
    """A game, how it is trained, and what it is played with."""

    game: Game
    config: AdversarialConfig
    side: int
    told: Told


def rwp_game(options: argparse.Namespace) -> Played:
    """RWP-GAN's."""
    sizes = RWPGeneratorConfig(widths=(8, 8, 8, 8), input_px=32) if options.tiny else None
    widths = (8, 16, 16) if options.tiny else RWPDiscriminatorConfig().widths
    critic = RWPDiscriminatorConfig(widths=widths, spectral=options.spectral)
    penalty: Any = "interpolates" if options.penalty else "none"
    game = PairedPictures(RWPGenerator(sizes), RWPDiscriminator(critic))
    return Played(game, AdversarialConfig(penalty=penalty), 32 if options.tiny else 256, paired)


def recipe_game(options: argparse.Namespace) -> Played:
    """That of a recipe; its critic takes one update a step."""
    name, settings = options.recipe, list(options.set or [])
    if options.size is not None:
        side = "patch_px" if name in UPSCALE_RECIPES else "size_px"
        settings.insert(0, f"view.{side}={options.size}")
    recipe = look_up("recipe", RECIPES, name).with_settings(settings)
    if not isinstance(recipe.train, AdversarialConfig):
        raise UsageError(f"{name} has no adversary: there is no game to measure")
    side = recipe.view.learned_px if isinstance(recipe, UpscaleRecipe) else recipe.view.size_px
    game: Game
    if isinstance(recipe, SynthesisRecipe):
        recipe = recipe.for_types(1 if recipe.per_type else TYPES)
        game, told = build_synthesis_game(recipe), typed
    elif isinstance(recipe, FewShotRecipe):
        game, told = build_few_shot_game(recipe), alone
    elif isinstance(recipe, UpscaleRecipe):
        game, told = build_upscaler_game(recipe), made_small(recipe.network.factor)
    else:
        game = build_stain_game(recipe)
        told = of_two_stains if recipe.learning == "unpaired" else paired
    train = replace(recipe.train, critic_steps=1, workers=0, precision="32-true")
    return Played(game, train, side, told)


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
    parser.add_argument("--recipe", help="one with an adversary, as c_wgan_gp; RWP-GAN without it")
    parser.add_argument("--size", type=int, help="side of the recipe's pictures, px")
    parser.add_argument("--set", action="append", help="another setting of the recipe")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--skipped", type=int, default=2, help="the first of them, not counted")
    parser.add_argument("--threads", type=int, help="of torch; as many as it takes without it")
    parser.add_argument("--memory", action="store_true", help="the loop alone, and its memory")
    parser.add_argument("--penalty", action="store_true", help="RWP-GAN with a gradient penalty")
    parser.add_argument("--spectral", action="store_true", help="with spectral normalisation")
    parser.add_argument("--tiny", action="store_true", help="small networks, for a trial")
    options = parser.parse_args()
    if options.steps < options.skipped + 2:  # the end of the last one is not seen
        parser.error(
            f"--steps must be at least {options.skipped + 2}: {options.skipped} are skipped"
        )
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    played = (recipe_game if options.recipe else rwp_game)(options)
    config = replace(
        played.config,
        epochs=10_000,
        batch_size=options.batch,
        max_steps=options.steps,
        checkpoint_minutes=0.0,
    )
    halting = Halting(played.game, config, alone=options.memory)
    seconds = halting.play(Noise(played.side, played.told))
    found: dict[str, Any] = {"hardware": describe_hardware(config.precision)}
    found |= {key: value for key, value in vars(options).items() if key != "threads"}
    found |= {"size": played.side} | halting.figures(options.skipped)
    if options.memory:
        found |= {"peak_memory_mb": peak_memory_mb(), "gpu_memory_mb": peak_device_memory_mb()}
    print(json.dumps(found | {"checkpoint_s": round(seconds, 3)}, indent=1))


if __name__ == "__main__":
    main()
