"""Many fields into one folder of segmented pictures: in parallel, resumable, each file whole."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from smearlab.batch.element_files import (
    ELEMENT_TABLES,
    PICTURES,
    TOGETHER,
    ElementStore,
    StoredElements,
)
from smearlab.batch.field_loop import work_through
from smearlab.batch.folder import RECORDS, STATE, OutputFolder, writing
from smearlab.batch.manifest import Input, Manifest, start_time
from smearlab.batch.progress import RunProgress, SilentProgress
from smearlab.batch.records import content_of
from smearlab.batch.run import RunOptions, find_inputs, fingerprints, named_paths
from smearlab.batch.workers import usable_cores
from smearlab.elements.pictures import ElementPicture, ElementPictures
from smearlab.elements.segmenter import ElementSegmenter
from smearlab.instances.statistics import make_ready, measure_cells
from smearlab.io.atomic import write_bytes
from smearlab.io.images import read_field
from smearlab.report.element_pictures import draw_elements, draw_spread
from smearlab.report.element_records import ElementLine, FieldElements
from smearlab.report.element_tables import cell_rows, write_element_cells, write_summary
from smearlab.report.elements_page import write_elements_page
from smearlab.report.overlay import encode_png
from smearlab.report.records import BundleNote, FileError, ReportMeta
from smearlab.report.tables import write_errors_csv
from smearlab.types import Element, Field


@dataclass(frozen=True)
class ElementRunResult:
    """What a run came to.

    Parameters
    ----------
    folder : Path
        The output folder.
    n_inputs, n_before : int
        Files that were asked for, and fields that were done before this call.
    errors : tuple of FileError
        Files that could not be segmented, in input order.
    totals : mapping of str to int
        Element → cells over all fields.
    """

    folder: Path
    n_inputs: int
    n_before: int
    errors: tuple[FileError, ...]
    totals: Mapping[Element, int]

    @property
    def page(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"


def segment_files(
    paths: Sequence[str | Path],
    out: str | Path,
    segmenter: ElementSegmenter,
    options: RunOptions | None = None,
    *,
    force: bool = False,
    progress: RunProgress | None = None,
) -> ElementRunResult:
    """Segment the elements of pictures and write all results into one folder.

    The same call on the same folder goes on where the last one ended, in whatever way it ended.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, folders, globs.
    out : str or Path
        The output folder; made when missing.
    segmenter : ElementSegmenter
        One for all threads; its elements are segmented.
    options : RunOptions, optional
        How; its overlays and exports have no meaning here.
    force : bool
        Begin anew in a folder with the results of another run, or write beside a stranger's
        files. Only files that smearlab wrote are removed.
    progress : RunProgress, optional
        Is told how far the run is.

    Returns
    -------
    ElementRunResult
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
    options, progress = options or RunOptions(), progress or SilentProgress()
    root = Path(out)
    store = ElementStore(root / STATE / RECORDS)
    folder = OutputFolder(root, store)
    inputs = find_inputs(paths)
    make_ready()  # before several threads want it
    with folder.claim(force):
        cards = segmenter.describe()
        asked = Manifest(
            inputs, _that_alter_results(segmenter, options), fingerprints(cards), start_time()
        )
        manifest = folder.agree(asked, force)
        with writing(root):
            (root / PICTURES).mkdir(exist_ok=True)
        left = [item for item in inputs if not store.is_done(item.name, root)]
        work = _Work(root, store, segmenter, options)
        jobs = options.jobs or usable_cores()
        errors = work_through(left, work.one, progress, total=len(inputs), threads=jobs)
        meta = ReportMeta(
            title="Segmented elements",
            inputs=named_paths(paths),
            bundles=tuple(BundleNote.from_card(card) for card in cards.values()),
            analysed_at=datetime.fromisoformat(manifest.started),
            simulated=options.simulated,
            notes=_noise_notes(segmenter),
        )
        totals = _write_tables(folder, store, inputs, errors, segmenter.elements, meta)
    return ElementRunResult(root, len(inputs), len(inputs) - len(left), tuple(errors), totals)


def _that_alter_results(segmenter: ElementSegmenter, options: RunOptions) -> dict[str, Any]:
    """What the manifest keeps, under the names of the command line."""
    return {
        "command": "segment",
        "--element": list(segmenter.elements),
        "--samples": segmenter.samples,
        "--noise": segmenter.noise,
        "--seed": segmenter.seed,
        "--um-per-px": options.um_per_px,
        "--max-pixels": options.max_pixels,
        "--simulated": options.simulated,
    }


def _noise_notes(segmenter: ElementSegmenter) -> tuple[str, ...]:
    if not segmenter.noise:
        return ()
    draws = f"{segmenter.samples} draw{'s' if segmenter.samples > 1 else ''} of noise"
    return (f"Probabilities are the mean over {draws} (seed {segmenter.seed}).",)


def _write_tables(
    folder: OutputFolder,
    store: ElementStore,
    inputs: Sequence[Input],
    errors: Sequence[FileError],
    elements: Sequence[Element],
    meta: ReportMeta,
) -> dict[Element, int]:
    """Tables and page of all finished fields; cells per element."""
    failed = {error.path for error in errors}
    done = [item.name for item in inputs if item.path not in failed]
    fields = [_without_rows(one) for one in _finished(store, done)]
    with writing(folder.root):
        folder.announce(ELEMENT_TABLES)
        write_element_cells(folder.root / "cells.csv", _finished(store, done))
        write_summary(folder.root / "summary.csv", fields)
        write_errors_csv(folder.root / "errors.csv", errors)
        write_elements_page(folder.root / "index.html", fields, elements, errors, meta)
    lines = [line for field in fields for line in field.elements]
    return {e: sum(line.n for line in lines if line.element == e) for e in elements}


def _finished(store: ElementStore, names: Sequence[str]) -> Iterator[FieldElements]:
    """Finished fields, read from disk one at a time: rows of many fields are many."""
    for name in names:
        stored = store.load(name)
        if stored is not None:
            yield stored.field


def _without_rows(field: FieldElements) -> FieldElements:
    return FieldElements(**{**vars(field), "rows": ()})


@dataclass(frozen=True)
class _Work:
    """What is done with one file."""

    root: Path
    store: ElementStore
    segmenter: ElementSegmenter
    options: RunOptions

    def one(self, item: Input) -> Callable[[], None]:
        """From file to what writes its pictures and its record."""
        content = content_of(item.path)
        field = read_field(
            item.path,
            name=item.name,
            um_per_px=self.options.um_per_px,
            max_pixels=self.options.max_pixels,
        )
        found = self.segmenter.segment(field)
        pictures = dict(self._pictures(field, found))
        sizes = {file: len(data) for file, data in pictures.items()}
        stored = StoredElements(_summarised(field, item, found), content, sizes)

        def write() -> None:
            with writing(self.root):
                for file, data in pictures.items():
                    write_bytes(self.root / file, data)
                self.store.save(stored)  # last: from here on the field is done

        return write

    def _pictures(self, field: Field, found: ElementPictures) -> Iterator[tuple[str, bytes]]:
        for element, picture in found.items():
            for ending, data in self._of_element(picture):
                yield _file(field.name, f"{element.lower()}.{ending}"), data
        together = draw_elements(
            field,
            {element: picture.mask for element, picture in found.items()},
            {element: picture.cells for element, picture in found.items()},
        )
        yield _file(field.name, TOGETHER), encode_png(together)

    def _of_element(self, picture: ElementPicture) -> Iterator[tuple[str, bytes]]:
        """Endings of :data:`~smearlab.batch.element_files.ENDINGS` and the files' bytes."""
        yield "png", _flat_png(picture.segmented[..., ::-1])
        yield "mask.png", _flat_png(np.where(picture.mask, np.uint8(255), np.uint8(0)))
        yield "labels.png", _flat_png(picture.labels.clip(0, 65535).astype(np.uint16))
        if picture.generated is not None:
            yield "generated.png", _flat_png(picture.generated[..., ::-1])
        if picture.spread is not None:
            drawn = draw_spread(picture.spread, self.segmenter.samples, picture.cells)
            yield "spread.png", encode_png(drawn)
            yield "spread.tif", _tiff(np.stack([picture.probability, picture.spread]))


def _file(name: str, ending: str) -> str:
    return f"{PICTURES}/{name}.{ending}"


def _flat_png(values: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """PNG of a picture that is mostly even, grey or in the order blue, green, red."""
    done, data = cv2.imencode(".png", values)
    if not done:
        raise ValueError(f"a picture of shape {values.shape} cannot be encoded as PNG")
    return data.tobytes()


def _tiff(planes: NDArray[np.float32]) -> bytes:
    """Mean and standard deviation of the probability, one page each."""
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        planes,
        photometric="minisblack",
        compression="zlib",
        metadata={"axes": "CYX", "Labels": ["mean", "standard deviation"]},
    )
    return buffer.getvalue()


def _summarised(field: Field, item: Input, found: ElementPictures) -> FieldElements:
    lines: list[ElementLine] = []
    rows: list[tuple[str, ...]] = []
    for element, picture in found.items():
        measured = measure_cells(field.pixels, picture.labels, picture.cells)
        rows += cell_rows(field, element, picture.cells, measured)
        whole = [cell.area_px for cell in picture.cells if not cell.touches_border]
        lines.append(
            ElementLine(
                element=element,
                n=len(picture.cells),
                n_border=sum(cell.touches_border for cell in picture.cells),
                area_px=float(np.count_nonzero(picture.mask)),
                median_area_px=float(np.median(whole)) if whole else None,
                picture=_file(field.name, f"{element.lower()}.png"),
            )
        )
    return FieldElements(
        name=field.name,
        source=item.path,
        width_px=field.width_px,
        height_px=field.height_px,
        um_per_px=field.um_per_px,
        notes=(*field.notes, *found.notes),
        together=_file(field.name, TOGETHER),
        elements=tuple(lines),
        rows=tuple(rows),
    )
