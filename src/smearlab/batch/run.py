"""Many fields into one folder: in parallel, resumable, each file whole or not there."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from smearlab.batch.field_loop import RunInterrupted, work_through
from smearlab.batch.folder import OVERLAYS, Outcome, OutputFolder, is_overlay, overlay_file, writing
from smearlab.batch.manifest import Input, Manifest, start_time
from smearlab.batch.outputs import check_exports, output_files, write_outputs
from smearlab.batch.progress import RunProgress, SilentProgress
from smearlab.batch.records import StoredField, content_of
from smearlab.batch.workers import usable_cores
from smearlab.errors import UsageError
from smearlab.io.atomic import write_bytes
from smearlab.io.bundle_cards import elements_seen
from smearlab.io.images import field_names, find_images, read_field
from smearlab.pipeline import Analysis
from smearlab.report.overlay import draw_overlay, encode_png, thumbnails
from smearlab.report.records import BundleNote, FieldRecord, FileError, ReportMeta
from smearlab.types import Field

__all__ = [
    "FieldAnalyzer",
    "RunInterrupted",
    "RunOptions",
    "RunResult",
    "analyze_files",
    "find_inputs",
    "fingerprints",
    "named_paths",
]

#: How many of the paths on the command line the report repeats.
_NAMED_PATHS = 20


class FieldAnalyzer(Protocol):
    """What a run needs of :class:`smearlab.pipeline.Analyzer`. Called from several threads."""

    def analyze(self, field: Field) -> Analysis:
        """Find and type the cells of one field."""

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        """Kind of bundle → its card, with ``name``, ``kind`` and ``sha256``."""


@dataclass(frozen=True)
class RunOptions:
    """How a run is done.

    Parameters
    ----------
    um_per_px : float or None
        Pixel pitch of all fields, µm; None takes each file's own.
    max_pixels : int
        Larger pictures are refused.
    overlays : bool
        Whether the overlay PNGs are written.
    simulated : bool
        Whether the report says that the pictures are simulated.
    exports : tuple of str
        Annotation formats to write as well. May change when a run is continued.
    jobs : int or None
        How many fields are analysed at once; None for the cores that may be used. Alters no
        result.

    Raises
    ------
    UsageError
        If ``jobs`` or ``max_pixels`` is below 1, ``um_per_px`` is not positive, or an export is
        unknown.
    """

    um_per_px: float | None = None
    max_pixels: int = 200_000_000
    overlays: bool = True
    simulated: bool = False
    exports: tuple[str, ...] = ()
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"jobs must be at least 1; received {self.jobs}")
        if self.max_pixels < 1:
            raise UsageError(f"max_pixels must be at least 1; received {self.max_pixels}")
        if self.um_per_px is not None and not 0 < self.um_per_px < float("inf"):
            raise UsageError(
                f"um_per_px must be a positive number of micrometres; received {self.um_per_px}"
            )
        check_exports(self.exports)

    def that_alter_results(self) -> dict[str, Any]:
        """What the manifest keeps, as plain values, under the names of the command line."""
        return {
            "--um-per-px": self.um_per_px,
            "--max-pixels": self.max_pixels,
            "--overlays": self.overlays,
            "--simulated": self.simulated,
        }


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Parameters
    ----------
    folder : Path
        The output folder.
    n_inputs : int
        Files that were asked for.
    n_before : int
        Fields that were done before this call.
    errors : tuple of FileError
        Files that could not be analysed, in input order.
    pooled : mapping
        Counts over all fields, as in ``counts.json``.
    untouched : bool
        Whether everything was there already and nothing was written.
    """

    folder: Path
    n_inputs: int
    n_before: int
    errors: tuple[FileError, ...]
    pooled: Mapping[str, Any]
    untouched: bool

    @property
    def report(self) -> Path:
        """The report page."""
        return self.folder / "report.html"


def analyze_files(
    paths: Sequence[str | Path],
    out: str | Path,
    analyzer: FieldAnalyzer,
    options: RunOptions | None = None,
    *,
    force: bool = False,
    progress: RunProgress | None = None,
) -> RunResult:
    """Analyse pictures and write all results into one folder.

    The same call on the same folder goes on where the last one ended, in whatever way it ended,
    and the files in the folder are in the end the same bytes.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, folders, globs.
    out : str or Path
        The output folder; made when missing.
    analyzer : FieldAnalyzer
        One for all threads.
    options : RunOptions, optional
        How.
    force : bool
        Begin anew in a folder with the results of another run, or write beside a stranger's
        files. Only files that smearlab wrote are removed.
    progress : RunProgress, optional
        Is told how far the run is.

    Returns
    -------
    RunResult
        Failed files are in its ``errors``; they do not raise.

    Raises
    ------
    UsageError
        If a path gives no picture, or another process works in the folder.
    OutputExistsError
        If the folder holds something else and ``force`` is not set.
    OutputError
        If the results cannot be written.
    RunInterrupted
        On Ctrl-C.
    """
    options = options or RunOptions()
    progress = progress or SilentProgress()
    folder = OutputFolder(Path(out))
    inputs = find_inputs(paths)
    with folder.claim(force):
        cards = analyzer.describe()
        asked = Manifest(inputs, options.that_alter_results(), fingerprints(cards), start_time())
        manifest = folder.agree(asked, force)
        run = _Run(folder, manifest, analyzer, options, progress)
        return run.finish(_report_meta(paths, cards, manifest, options))


def find_inputs(paths: Sequence[str | Path]) -> tuple[Input, ...]:
    """The files of a run, named; overlays that smearlab itself wrote are left out.

    Raises
    ------
    UsageError
        If a path gives no picture.
    """
    files = [path for path in find_images(paths) if not is_overlay(path)]
    if not files:
        raise UsageError(
            f"{', '.join(map(str, paths))}: only overlays that smearlab wrote; name the pictures "
            "they were made from"
        )
    names = field_names(files)
    return tuple(Input.of(name, path) for name, path in zip(names, files, strict=True))


class _Run:
    """One call of :func:`analyze_files`, after the folder is claimed."""

    def __init__(
        self,
        folder: OutputFolder,
        manifest: Manifest,
        analyzer: FieldAnalyzer,
        options: RunOptions,
        progress: RunProgress,
    ) -> None:
        self.folder = folder
        self.inputs = manifest.inputs
        self.analyzer = analyzer
        self.options = options
        self.progress = progress
        self.jobs = options.jobs or usable_cores()
        #: Twice as many threads as jobs take turns: while one reads or writes, another computes.
        self.computing = threading.BoundedSemaphore(self.jobs)

    def finish(self, meta: ReportMeta) -> RunResult:
        """Analyse what is missing, then write the tables, the report and the exports."""
        last = self.folder.outcome(self.options.exports)
        left = [item for item in self.inputs if not self._is_done(item, thorough=last is None)]
        n_before = len(self.inputs) - len(left)
        errors = self._analyze(left)
        failures = tuple((error.path, error.reason) for error in errors)
        unchanged = last is not None and last.failures == failures
        outcome = last if last is not None and unchanged else self._write(errors, failures, meta)
        return RunResult(
            self.folder.root,
            len(self.inputs),
            n_before,
            tuple(errors),
            outcome.pooled,
            untouched=unchanged,
        )

    def _write(
        self, errors: Sequence[FileError], failures: tuple[tuple[str, str], ...], meta: ReportMeta
    ) -> Outcome:
        self.progress.say("writing the tables and the report")
        exports = self.options.exports
        failed = {error.path for error in errors}
        done = [item for item in self.inputs if item.path not in failed]
        files = output_files([item.name for item in done], exports)
        with writing(self.folder.root):
            self.folder.announce(files)
            counts = write_outputs(self.folder, done, errors, meta, exports, 2 * self.jobs)
            outcome = Outcome(failures, counts.to_dict(), exports)
            self.folder.complete(files, outcome)
        return outcome

    def _is_done(self, item: Input, thorough: bool) -> bool:
        return self.folder.is_done(item.name, overlay=self.options.overlays, thorough=thorough)

    def _analyze(self, left: Sequence[Input]) -> list[FileError]:
        """Analyse fields in parallel; gives the failures in input order."""
        if self.options.overlays:
            with writing(self.folder.root):
                (self.folder.root / OVERLAYS).mkdir(exist_ok=True)
        return work_through(
            left, self._one, self.progress, total=len(self.inputs), threads=2 * self.jobs
        )

    def _one(self, item: Input) -> Callable[[], None]:
        """One field from file to what writes its record."""
        stored, overlay = self._results(item)

        def write() -> None:
            with writing(self.folder.root):
                if overlay is not None:
                    write_bytes(self.folder.root / overlay_file(item.name), overlay)
                self.folder.records.save(stored)  # last: from here on the field is done

        return write

    def _results(self, item: Input) -> tuple[StoredField, bytes | None]:
        """Everything that is kept of a field, still in memory."""
        content = content_of(item.path)
        field = read_field(
            item.path,
            name=item.name,
            um_per_px=self.options.um_per_px,
            max_pixels=self.options.max_pixels,
        )
        with self.computing:
            analysis = self.analyzer.analyze(field)
            pictures = thumbnails(field, analysis.cells)
            overlay = None
            if self.options.overlays:
                overlay = encode_png(draw_overlay(field, analysis.cells))
        record = FieldRecord(
            name=item.name,
            source=item.path,
            width_px=field.width_px,
            height_px=field.height_px,
            um_per_px=field.um_per_px,
            notes=(*field.notes, *analysis.notes),
            cells=analysis.cells,
            thumbnails=pictures,
            overlay=None if overlay is None else overlay_file(item.name),
        )
        return StoredField(record, content, None if overlay is None else len(overlay)), overlay


def fingerprints(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Bundles as far as they decide results: network and card, each by checksum."""
    return {
        kind: {
            "name": card["name"],
            "sha256": card["sha256"],
            "card_sha256": hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest(),
        }
        for kind, card in cards.items()
    }


def _report_meta(
    paths: Sequence[str | Path],
    cards: Mapping[str, Mapping[str, Any]],
    manifest: Manifest,
    options: RunOptions,
) -> ReportMeta:
    return ReportMeta(
        inputs=named_paths(paths),
        bundles=tuple(BundleNote.from_card(card) for card in cards.values()),
        analysed_at=datetime.fromisoformat(manifest.started),
        simulated=options.simulated,
        looked_for=elements_seen(cards["segmenter"]),
    )


def named_paths(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """The paths of a command line as a report repeats them; of very many the first."""
    named = [str(path) for path in paths]
    if len(named) > _NAMED_PATHS:  # a pattern that the shell has spelled out
        named[_NAMED_PATHS - 1 :] = [f"and {len(named) - _NAMED_PATHS + 1} more"]
    return tuple(named)
