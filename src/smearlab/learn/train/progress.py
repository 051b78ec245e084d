"""What is seen of a training while it goes on: logs, event file, progress bar; and its pace."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from smearlab.learn.train.config import LoopSettings
from smearlab.learn.train.event_file import EventFile
from smearlab.learn.train.run_folder import STEP_LOG, VALIDATION_LOG, open_log

#: Folder of the event files in a run's folder.
EVENTS = "tensorboard"
_FLUSH_SECONDS = 2.0
_DRAW_SECONDS = 0.5
#: Checkpoints at the end of epochs may take this share of the time…
_CHECKPOINT_SHARE = 0.05
#: …unless the network is so small that they take none.
_SMALL = 1_000_000


class Recorder:
    """Writes a line a step and a line a validation, and draws the bar; a context manager.

    Lines can be read at most some seconds after they were written.

    Parameters
    ----------
    run : Path
        Folder of the run.
    config : TrainConfig or AdversarialConfig
    first, last : int
        Steps from where the training goes on to where it ends.
    show : bool
        Whether to draw the bar.
    names : tuple of str
        The logs that are written; none in a process that leaves it to another one.
    shown : tuple of str
        Losses that the bar tells.
    """

    def __init__(
        self,
        run: Path,
        config: LoopSettings,
        first: int,
        last: int,
        *,
        show: bool = False,
        names: tuple[str, ...] = (STEP_LOG, VALIDATION_LOG),
        shown: tuple[str, ...] = ("loss",),
    ) -> None:
        self._run, self._config, self._first, self._names = run, config, first, names
        self._shown = shown
        self._bar = _Bar(first, last, config.step_samples, show)
        self._logs: dict[str, IO[str]] = {}
        self._events: EventFile | None = None
        self._stack = ExitStack()
        self._flushed = time.monotonic()

    def __enter__(self) -> Recorder:
        for name in self._names:
            log = self._stack.enter_context(open_log(self._run, self._first, name))
            self._logs[name] = log
        if self._config.tensorboard and self._names:
            self._events = EventFile(self._run / EVENTS, self._first + 1)
            self._stack.callback(self._events.close)
        self._stack.enter_context(self._bar)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def step(self, line: Mapping[str, Any], losses: Mapping[str, float]) -> None:
        """A step is done: where it stands with its learning rates, ``lr…``, and its losses."""
        rates = {name: value for name, value in line.items() if name.startswith("lr")}
        self._write(STEP_LOG, {**line, **losses}, {**rates, **_tagged("train", losses)})
        self._bar.advance({name: losses[name] for name in self._shown})

    def validation(self, line: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        """A validation is done: where it stands, and its figures."""
        self._write(VALIDATION_LOG, {**line, **figures}, _tagged("validation", figures))
        self._bar.go_on()

    def flush(self, *, to_disk: bool = False) -> None:
        """Let readers see all lines.

        Parameters
        ----------
        to_disk : bool
            Also see to it that they outlive the machine: a checkpoint is never ahead of them.
        """
        for log in self._logs.values():
            log.flush()
            if to_disk:
                os.fsync(log.fileno())
        if self._events:
            self._events.flush()
        self._flushed = time.monotonic()

    def _write(self, name: str, line: Mapping[str, Any], tags: Mapping[str, float]) -> None:
        if name not in self._logs:
            return
        self._logs[name].write(json.dumps(line) + "\n")
        if self._events:
            self._events.add(line["step"], tags)
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()


class CheckpointPace:
    """When a checkpoint is due.

    One is written at the end of every epoch. Of a large network whose epochs are short that would
    take longer than training: then some epochs have none, as a run that is taken up earlier ends
    the same. Inside an epoch one is written after ``checkpoint_minutes``.

    Parameters
    ----------
    config : TrainConfig or AdversarialConfig
    parameters : int
        Of the network.
    """

    def __init__(self, config: LoopSettings, parameters: int) -> None:
        self._seconds, self._small = 60 * config.checkpoint_minutes, parameters <= _SMALL
        self._last, self._cost = time.monotonic(), 0.0

    def is_due(self, epoch_ended: bool) -> bool:
        """Whether to write one after this step."""
        waited = time.monotonic() - self._last
        if self._seconds and waited >= self._seconds:
            return True
        return epoch_ended and (self._small or waited * _CHECKPOINT_SHARE >= self._cost)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around the writing of one."""
        began = time.monotonic()
        yield
        self._last = time.monotonic()
        self._cost = self._last - began


def _tagged(group: str, values: Mapping[str, float]) -> dict[str, float]:
    return {f"{group}/{name}": value for name, value in values.items()}


class _Bar:
    """Progress bar with speed and losses.

    It is drawn between steps, not by a thread of its own: on a busy machine training would wait
    for that thread again and again.
    """

    def __init__(self, first: int, last: int, step_samples: int, show: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            disable=not show,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("training", total=last, completed=first, state="")
        self._samples, self._last = step_samples, time.monotonic()
        self._drawn = self._last
        self._seconds: float | None = None

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def go_on(self) -> None:
        """What came between two steps does not count."""
        self._last = time.monotonic()

    def advance(self, losses: Mapping[str, float]) -> None:
        """One step is done."""
        now = time.monotonic()
        took, self._last = max(1e-9, now - self._last), now
        self._seconds = took if self._seconds is None else 0.9 * self._seconds + 0.1 * took
        speed = self._samples / self._seconds
        told = " ".join(f"{name} {loss:.3f}" for name, loss in losses.items())
        self._progress.update(self._task, advance=1, state=f"{speed:.0f} img/s {told}")
        if now - self._drawn > _DRAW_SECONDS:
            self._progress.refresh()
            self._drawn = now
