"""What it saves to keep memory that a training step frees; prints JSON.

    python benchmarks/freed_memory.py

Each of ``--rounds`` rounds trains every network for ``--steps`` steps, once in a process that keeps
freed memory, as ``smearlab train`` does on a CPU, and once in one that hands it back; medians over
the rounds are given:

``kept_s``, ``handed_back_s``
    Seconds of a step; the first ones prepare, and are not counted.
``kept_over_handed_back``
    How many steps there are with it in the time of one without.
``…_faults``
    Pages that the system had to give for a step.
``…_peak_mb``
    The most memory that the process held, 10⁶ bytes.

Pictures are noise, in memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.train import hardware
from training import CLASSES, PLAIN, Noise, Watch, loop

WAYS = ("kept", "handed_back")


def main() -> None:
    """Measure and print, or, called by itself, train in one way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["lwcnn", "w_net", "cell_types"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=15, help="of each process")
    parser.add_argument("--skipped", type=int, default=3, help="the first of them, not counted")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch")
    parser.add_argument("--way", choices=WAYS, help="train the first network in this way alone")
    options = parser.parse_args()
    if options.way:
        print(json.dumps(trained(options.networks[0], options)))
        return
    found = {"hardware": hardware.describe_hardware("auto"), "batch": options.batch}
    found["hardware"]["threads"] = options.threads
    for name in options.networks:
        rounds = [{way: apart(name, way, options) for way in WAYS} for _ in range(options.rounds)]
        found[name] = summed_up(rounds)
    print(json.dumps(found, indent=1))


def apart(name: str, way: str, options: argparse.Namespace) -> dict[str, float]:
    """Train in a process of its own."""
    numbers = ("batch", "steps", "skipped", "threads")
    words = [word for key in numbers for word in (f"--{key}", str(getattr(options, key)))]
    command = [sys.executable, __file__, "--networks", name, "--way", way, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def trained(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Seconds and page faults of a step, and the most memory."""
    torch.set_num_threads(options.threads)
    if options.way == "handed_back":
        vars(hardware)["keep_freed_memory"] = lambda: False
    entry, watch = CLASSIFIERS[name], Watched()
    config = replace(
        PLAIN, batch_size=options.batch, workers=0, max_steps=options.steps, checkpoint_minutes=0.0
    )
    loop(entry.build(CLASSES), Noise(entry.input_px), watch, config)
    pictures_per_s, _ = watch.rates(options.batch, options.skipped)
    first, last = watch.faults[options.skipped], watch.faults[-1]
    return {
        "s": options.batch / pictures_per_s,
        "faults": (last - first) / (len(watch.faults) - options.skipped - 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


class Watched(Watch):
    """Counts page faults, too."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[int] = []

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Losses of the batch."""
        self.faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
        return super().__call__(model, batch)


def summed_up(rounds: list[dict[str, dict[str, float]]]) -> dict[str, float]:
    """Medians."""
    found = {
        f"{way}_{key}": round(statistics.median(one[way][key] for one in rounds), digits)
        for way in WAYS
        for key, digits in (("s", 4), ("faults", 0), ("peak_mb", 0))
    }
    ratio = statistics.median(one["handed_back"]["s"] / one["kept"]["s"] for one in rounds)
    return {"kept_over_handed_back": round(ratio, 3), **found}


if __name__ == "__main__":
    main()
