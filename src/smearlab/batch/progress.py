"""How far a run is: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn


class RunProgress(Protocol):
    """What a run tells while it works. All calls come from one thread."""

    def start(self, total: int, done: int) -> None:
        """``done`` of ``total`` fields were there already."""

    def advance(self, failed: bool) -> None:
        """One more field is done, or has failed."""

    def tick(self) -> None:
        """Time has passed."""

    def say(self, message: str) -> None:
        """Something worth a line."""


class Pace:
    """Fields per second and time left, from the fields done since the start.

    Parameters
    ----------
    total : int
        Fields of the run.
    done : int
        Fields that were done before.
    now_s : float
        Monotonic clock, s.
    """

    def __init__(self, total: int, done: int, now_s: float) -> None:
        self.total = total
        self.done = done
        self.failed = 0
        self._before = done
        self._start_s = now_s

    def rate(self, now_s: float) -> float:
        """Fields per second, 0 as long as none is done."""
        elapsed = now_s - self._start_s
        return (self.done - self._before) / elapsed if elapsed > 0 else 0.0

    def left_s(self, now_s: float) -> float | None:
        """Seconds left at this rate, None as long as there is no rate."""
        rate = self.rate(now_s)
        return (self.total - self.done) / rate if rate else None

    def words(self, now_s: float) -> str:
        """For example ``120 of 400 fields, 9.8 fields/s, 0:00:29 left, 1 failed``."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {self.total} fields, {self.tail(now_s)}{failed}"

    def tail(self, now_s: float) -> str:
        """Rate and time left."""
        return f"{self.rate(now_s):.1f} fields/s, {_clock(self.left_s(now_s))} left"


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-:--:--"
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}"


class LogProgress:
    """Plain lines, for logs and for pipes.

    Parameters
    ----------
    stream : text file
        Where the lines go.
    every_s : float
        Seconds between two lines.
    """

    def __init__(self, stream: TextIO | None = None, every_s: float = 10.0) -> None:
        self._stream = stream or sys.stderr
        self._every_s = every_s
        self._pace: Pace | None = None
        self._last_s = 0.0

    def start(self, total: int, done: int) -> None:
        """Say how many fields there are."""
        self._last_s = time.monotonic()
        self._pace = Pace(total, done, self._last_s)
        there = f", {done} done before" if done else ""
        self.say(f"{total} field{'s' if total != 1 else ''}{there}")

    def advance(self, failed: bool) -> None:
        """Count one, and say so when it is time."""
        if self._pace is not None:
            self._pace.done += 1
            self._pace.failed += failed
        self.tick()

    def tick(self) -> None:
        """Say how far it is when ``every_s`` have passed since the last line."""
        now = time.monotonic()
        if self._pace is not None and now - self._last_s >= self._every_s:
            self._last_s = now
            self.say(self._pace.words(now))

    def say(self, message: str) -> None:
        """Write one line."""
        print(message, file=self._stream, flush=True)


class BarProgress:
    """A bar with fields done, fields/s and time left; for terminals. A context manager."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            console=console,
            refresh_per_second=4,
            transient=True,
        )
        self._task: TaskID | None = None
        self._pace: Pace | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def start(self, total: int, done: int) -> None:
        """Draw the bar."""
        self._pace = Pace(total, done, time.monotonic())
        self._task = self._bar.add_task("fields", total=total, completed=done, pace="")

    def advance(self, failed: bool) -> None:
        """Draw one more."""
        if self._pace is not None:
            self._pace.done += 1
            self._pace.failed += failed
        self.tick()

    def tick(self) -> None:
        """Draw the pace anew."""
        if self._task is None or self._pace is None:
            return
        failed = f", [red]{self._pace.failed} failed[/]" if self._pace.failed else ""
        pace = self._pace.tail(time.monotonic()) + failed
        self._bar.update(self._task, completed=self._pace.done, pace=pace)

    def say(self, message: str) -> None:
        """Write a line above the bar."""
        self._bar.console.print(message, markup=False, highlight=False)


class SilentProgress:
    """Says nothing."""

    def start(self, total: int, done: int) -> None:
        """Nothing."""

    def advance(self, failed: bool) -> None:
        """Nothing."""

    def tick(self) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""
