"""Whether a run of any kind may go on, is done, and what its files tell of its training."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from smearlab.evaluation.runs import SUMMARY
from smearlab.learn.run_summary import Progress
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.adversarial_watch import GameWarning
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.loss_table import write_loss_table
from smearlab.learn.train.run_folder import STEP_LOG, open_run

_CONFIG, _CHECKPOINT = "config.json", "checkpoint.json"


def refuse_changed(
    run: Path, train: TrainConfig | AdversarialConfig, describe: Mapping[str, Any]
) -> None:
    """Refuse to go on with a run that was begun with other settings or pictures.

    Parameters
    ----------
    run : Path
        May be missing, or hold nothing yet.
    train : TrainConfig or AdversarialConfig
    describe : mapping
        As :func:`smearlab.learn.train.supervised.fit` gets them.

    Raises
    ------
    UsageError
        Names every setting with both values. Nothing is changed then.
    """
    if (run / _CONFIG).exists():
        open_run(run, {"train": asdict(train), **describe}, {}, asdict(type(train)()))


def is_done(
    run: Path,
    train: TrainConfig | AdversarialConfig,
    describe: Mapping[str, Any],
    say: Callable[[str], None],
) -> bool:
    """Whether a run has ended, which is said.

    Parameters
    ----------
    run, train, describe
        As :func:`refuse_changed` takes them; it is called first.
    say : callable
        Told in a line that it is done.
    """
    refuse_changed(run, train, describe)
    if not (run / SUMMARY).is_file():
        return False
    say(f"{run} is done")
    return True


def progress_of(run: Path, step_samples: int) -> Progress:
    """Read it from a folder.

    Parameters
    ----------
    run : Path
        Folder of a run that has ended.
    step_samples : int
        Pictures of one step.
    """
    told = json.loads((run / _CHECKPOINT).read_text(encoding="utf-8"))
    kept = json.loads((run / _CONFIG).read_text(encoding="utf-8"))
    machines = [kept["hardware"], *kept.get("went_on_with", [])]
    last = json.loads((run / STEP_LOG).read_text(encoding="utf-8").splitlines()[-1])
    seconds, steps, epochs = float(told["seconds"]) or None, int(told["step"]), last["epoch"] + 1
    return Progress(
        epochs=int(epochs),
        best_epoch=int(told["standing"]["best_epoch"]) or int(epochs),
        steps=steps,
        train_seconds=seconds,
        images_per_s=steps * step_samples / seconds if seconds else None,
        hardware=_one_after_the_other(map(hardware_line, machines)),
        precision=_one_after_the_other(str(one["precision"]) for one in machines),
    )


def hardware_line(machine: Mapping[str, Any]) -> str:
    """A machine of ``config.json`` in words; runs of old do not name their device.

    Examples
    --------
    >>> hardware_line({"device": "a processor", "machine": "x86_64", "threads": 2})
    'a processor (x86_64), 2 threads'
    >>> hardware_line({"machine": "x86_64", "threads": 2})
    '(x86_64), 2 threads'
    """
    device = f"{machine['device']} " if "device" in machine else ""
    return f"{device}({machine['machine']}), {machine['threads']} threads"


def _one_after_the_other(words: Iterable[str]) -> str:
    """What a run had to do with, each once, in the order in which it went on with them."""
    return ", then ".join(dict.fromkeys(words))


def warnings_of(run: Path) -> tuple[str, ...]:
    """What was noticed in the losses of a game; its table of losses is written, too."""
    return tuple(
        f"{kind} in {one['steps']} steps, {one['first_step']} to {one['last_step']}: {one['means']}"
        for kind, one in write_loss_table(run)["warnings"].items()
    )


@contextmanager
def warnings_later() -> Iterator[None]:
    """Play without :class:`GameWarning`: they are said in the end, and kept in the summary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GameWarning)
        yield


class _Summary(Protocol):
    @property
    def warnings(self) -> tuple[str, ...]: ...

    def save(self, run: Path) -> None: ...


def conclude(run: Path, summary: _Summary, say: Callable[[str], None]) -> None:
    """Say what was noticed, and write the summary: the run is done."""
    for warning in summary.warnings:
        say(f"warning: {warning}")
    summary.save(run)


def digest_of(path: Path | None) -> str | None:
    """First 16 digits of the SHA-256 of a weight file; None without one."""
    if path is None:
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
