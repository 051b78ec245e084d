"""Many files, one after another in several threads: a bad one costs itself, Ctrl-C loses little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smearlab.batch.manifest import Input
from smearlab.batch.progress import RunProgress
from smearlab.batch.workers import WorkerPool
from smearlab.errors import ImageError
from smearlab.report.records import FileError

#: How long Ctrl-C waits for the fields in hand, s.
_PATIENCE_S = 1.2


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C.

    Parameters
    ----------
    done, total : int
        Fields whose results are safe, and fields of the run.
    """

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"{done} of {total} fields are done")
        self.done = done
        self.total = total


@dataclass(frozen=True)
class _Answer:
    """What became of one file."""

    item: Input
    error: FileError | None = None


def work_through(
    left: Sequence[Input],
    results: Callable[[Input], Callable[[], None]],
    progress: RunProgress,
    *,
    total: int,
    threads: int,
) -> list[FileError]:
    """Work on every file, and give the failures in the order of the files.

    Parameters
    ----------
    left : sequence of Input
        Files that are not done yet.
    results : callable
        Makes everything of one file in memory and gives the function that writes it. Whatever the
        first raises costs this file only; what the second raises ends the run.
    progress : RunProgress
        Is told how far it is.
    total : int
        Files of the run, those done before included.
    threads : int
        Files in hand at once.

    Returns
    -------
    list of FileError

    Raises
    ------
    RunInterrupted
        On Ctrl-C.
    """

    def one(item: Input) -> _Answer:
        try:
            write = results(item)
        except Exception as error:  # strangers' files through a dozen codecs and some networks
            return _Answer(item, FileError(item.path, _reason(item, error)))
        write()
        return _Answer(item)

    n_before = total - len(left)
    n_done = n_before
    failures: dict[str, FileError] = {}
    progress.start(total, n_before)
    pool = WorkerPool(one, min(threads, max(1, len(left))))
    try:
        for answer in pool.run(left, tick_s=1.0):
            if answer is None:
                progress.tick()
                continue
            if answer.error is not None:
                failures[answer.item.path] = answer.error
                progress.say(f"failed: {answer.error.path}: {answer.error.reason}")
            n_done += answer.error is None
            progress.advance(failed=answer.error is not None)
    except KeyboardInterrupt as stop:
        pool.stop(_PATIENCE_S)
        raise RunInterrupted(n_done, total) from stop
    except BaseException:
        pool.stop()
        raise
    return [failures[item.path] for item in left if item.path in failures]


def _reason(item: Input, error: Exception) -> str:
    """Why a file failed; an error that is not ours is named with its kind."""
    text = " ".join(str(error).split())
    if isinstance(error, ImageError):
        return text.removeprefix(f"{item.path}: ")
    if isinstance(error, MemoryError):
        return "MemoryError: the memory does not suffice to analyse it; run fewer --jobs"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
