"""How fast the training loop is beside a bare one, in one run; prints JSON.

    python benchmarks/training.py

Each of ``--rounds`` rounds measures, for every network, one after the other so that a machine that
is busy with other things is so for all of them; medians over the rounds are given:

``bare_per_s``
    Pictures a second of the loop that anybody would write: take a batch of the same loader,
    forward, cross-entropy, backward, step of the same optimiser; no log, no bar, nothing kept.
``loop_per_s``, ``loop_over_bare``
    Those of ``smearlab.learn.train.supervised.fit`` with its log and its seeds, and the ratio.
``tuned_per_s``, ``tuned_over_bare``
    With averaged weights and a clipped gradient norm as well, which the bare loop has not.
``bf16_per_s``, ``bf16_over_fp32``
    The loop in bf16, and how much faster that is than in 32 bits.
``…_cpu``
    The same ratios of the processor time that this process took, which other programs on the
    machine disturb less; with ``--threads 1`` no thread waits for another.
``checkpoint_s``
    Writing the last checkpoint. The loop lets checkpoints of large networks take a twentieth of
    the time; that share is not in the ratios.

The first steps of every measurement prepare, and are not counted. Pictures are noise, in memory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.objectives import Classification
from smearlab.learn.train.config import TrainConfig, build_optimizer
from smearlab.learn.train.freed_memory import keep_freed_memory
from smearlab.learn.train.hardware import describe_hardware
from smearlab.learn.train.sampling import Sample, batches
from smearlab.learn.train.supervised import fit

CLASSES = 8
OBJECTIVE = Classification()
#: What the bare loop does, and no more.
PLAIN = TrainConfig(
    epochs=10_000, optimizer="adam", weight_decay=0.0, schedule="constant", ema=0.0, clip_norm=0.0
)


class Noise:
    """As many noisy pictures as a middling archive has.

    Parameters
    ----------
    side : int
        Of the pictures, px.
    """

    def __init__(self, side: int) -> None:
        self.pixels = np.random.default_rng(0).integers(0, 256, (256, side, side, 3), np.uint8)

    def __len__(self) -> int:
        return 4096

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """A picture, mirrored or not."""
        pixels = self.pixels[index % len(self.pixels)]
        view = pixels[:, ::-1] if rng.random() < 0.5 else pixels
        return {"pixels": view.copy(), "target": np.array(index % CLASSES, np.int64)}


class Watch:
    """The objective, and when it was called: by the clock, and in processor time."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, float]] = []

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Losses of the batch."""
        self.calls.append((time.perf_counter(), time.process_time()))
        return OBJECTIVE(model, batch)

    def rates(self, batch_size: int, skipped: int) -> tuple[float, float]:
        """Pictures a second, from the beginning of one step to that of the last, by each clock."""
        (wall, cpu), (wall_end, cpu_end) = self.calls[skipped], self.calls[-1]
        pictures = batch_size * (len(self.calls) - skipped - 1)
        return pictures / (wall_end - wall), pictures / (cpu_end - cpu)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["lwcnn", "w_net", "cell_types"])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20, help="steps of each measurement")
    parser.add_argument("--skipped", type=int, default=3, help="the first of them, not counted")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of torch; as many as it takes without it")
    parser.add_argument("--ways", nargs="+", default=["bare", "loop", "tuned", "bf16"])
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if not torch.cuda.is_available():
        keep_freed_memory()  # for the bare loop, too
    found: dict[str, Any] = {"hardware": describe_hardware("auto"), "batch": options.batch}
    for name in options.networks:
        found[name] = measure(name, options)
    print(json.dumps(found, indent=1))


def measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    """The figures of one network."""
    entry = CLASSIFIERS[name]
    source = Noise(entry.input_px)
    plain = replace(
        PLAIN,
        batch_size=options.batch,
        workers=options.workers,
        max_steps=options.steps,
        checkpoint_minutes=0.0,
    )
    configs = {
        "loop": plain,
        "tuned": replace(plain, ema=0.998, clip_norm=5.0),
        "bf16": replace(plain, precision="bf16-mixed"),
    }
    seconds: list[float] = []  # of the last checkpoints

    def run(way: str) -> tuple[float, float]:
        watch, model = Watch(), entry.build(CLASSES)
        if way == "bare":
            bare(model, source, watch, plain)
        else:
            seconds.append(loop(model, source, watch, configs[way]))
        return watch.rates(options.batch, options.skipped)

    rounds = [{way: run(way) for way in options.ways} for _ in range(options.rounds)]
    found = {f"{w}_per_s": round(statistics.median(r[w][0] for r in rounds), 1) for w in rounds[0]}
    for one, other, called in (
        ("loop", "bare", "loop_over_bare"),
        ("tuned", "bare", "tuned_over_bare"),
        ("bf16", "loop", "bf16_over_fp32"),
    ):
        if {one, other} <= set(options.ways):
            for clock, ending in enumerate(("", "_cpu")):
                ratio = statistics.median(r[one][clock] / r[other][clock] for r in rounds)
                found[called + ending] = round(ratio, 3)
    if seconds:
        found["checkpoint_s"] = round(statistics.median(seconds), 3)
    return found


def bare(model: nn.Module, source: Noise, watch: Watch, config: TrainConfig) -> None:
    """The loop that anybody would write."""
    assert config.max_steps is not None
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cast(Any, model.to(device)).to(memory_format=torch.channels_last)
    optimizer = build_optimizer(model, config)
    for batch in batches(source, config, 0, config.max_steps):
        optimizer.zero_grad(set_to_none=True)
        losses = watch(model, {key: value.to(device) for key, value in batch.items()})
        losses["loss"].backward()
        optimizer.step()


def loop(model: nn.Module, source: Noise, watch: Watch, config: TrainConfig) -> float:
    """Ours; gives the seconds from its last step to its end."""
    # The bar is drawn, too, but not between the figures.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        fit(model, source, watch, config, Path(folder))
        return time.perf_counter() - watch.calls[-1][0]


if __name__ == "__main__":
    main()
