"""What a finished run writes: tables, report, annotations; all from the records on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smearlab.batch.folder import ANNOTATIONS, TABLES, OutputFolder
from smearlab.batch.manifest import Input
from smearlab.batch.records import RecordStream
from smearlab.batch.workers import WorkerPool
from smearlab.errors import UnknownNameError
from smearlab.io.annotations import AnnotationSet, coco, from_cells, geojson, voc, yolo
from smearlab.report.html import write_report
from smearlab.report.records import FieldRecord, FileError, ReportMeta
from smearlab.report.tables import write_cells_csv, write_counts_json, write_errors_csv
from smearlab.types import CELL_TYPES, Counts

#: How one field is written in the formats that have a file a field: format → function of the
#: folder ``DIR/annotations``, the annotations and the file name of the picture.
_FIELD_WRITERS: Mapping[str, Callable[[Path, AnnotationSet, str], Path]] = {
    "geojson": lambda folder, cells, _: geojson.write(
        folder / "geojson" / f"{cells.name}.geojson", cells
    ),
    "voc": lambda folder, cells, picture: voc.write(folder / "voc", cells, file_name=picture),
    "yolo": lambda folder, cells, _: yolo.write(
        folder / "yolo", replace(cells, name=_yolo_name(cells.name)), CELL_TYPES
    ),
}
#: Annotation formats that can be asked for.
EXPORTS = (*_FIELD_WRITERS, "coco")


def check_exports(names: Sequence[str]) -> None:
    """Refuse a format that there is not.

    Raises
    ------
    UnknownNameError
        Names it, and those that there are.
    """
    for name in names:
        if name not in EXPORTS:
            raise UnknownNameError("export format", name, EXPORTS)


def output_files(names: Sequence[str], exports: Sequence[str]) -> list[str]:
    """Everything a run writes at its end, relative to the output folder.

    Parameters
    ----------
    names : sequence of str
        Its finished fields.
    exports : sequence of str
        Annotation formats.

    Returns
    -------
    list of str
    """
    files = list(TABLES)
    if "coco" in exports:
        files.append(f"{ANNOTATIONS}/coco.json")
    if "yolo" in exports:
        files.append(f"{ANNOTATIONS}/yolo/classes.txt")
        files += [f"{ANNOTATIONS}/yolo/{_yolo_name(name)}.txt" for name in names]
    for form, suffix in (("geojson", ".geojson"), ("voc", ".xml")):
        if form in exports:
            files += [f"{ANNOTATIONS}/{form}/{name}{suffix}" for name in names]
    return files


def write_outputs(
    folder: OutputFolder,
    done: Sequence[Input],
    errors: Sequence[FileError],
    meta: ReportMeta,
    exports: Sequence[str] = (),
    threads: int = 1,
) -> Counts:
    """Write the tables, the report and the annotations of all finished fields.

    Parameters
    ----------
    folder : OutputFolder
        Holds a sound record of every finished field.
    done : sequence of Input
        The finished fields in the order of all tables.
    errors : sequence of FileError
        The files that failed.
    meta : ReportMeta
        Where it all comes from.
    exports : sequence of str
        Annotation formats.
    threads : int
        How many annotation files are written at once.

    Returns
    -------
    Counts
        Over all fields.

    Raises
    ------
    OSError
        If a file cannot be written; every file is whole then, old or new.
    DamagedRecordError
        If a record vanished meanwhile.
    """
    names = [item.name for item in done]
    cells = RecordStream(folder.records, names, thumbnails=False)
    write_cells_csv(folder.root / "cells.csv", cells)
    counts = write_counts_json(folder.root / "counts.json", cells, errors, meta)
    pictures = RecordStream(folder.records, names)
    write_report(folder.root / "report.html", pictures, errors, meta)
    write_errors_csv(folder.root / "errors.csv", errors)
    if exports:
        file_names = {item.name: _readable(Path(item.path).name) for item in done}
        _write_annotations(folder.root / ANNOTATIONS, cells, file_names, exports, threads)
    return counts


@dataclass(frozen=True)
class _Sets:
    """The annotations of all records, read anew every time they are gone through."""

    records: RecordStream

    def __iter__(self) -> Iterator[AnnotationSet]:
        return (from_cells(record, record.cells) for record in self.records)


def _write_annotations(
    folder: Path,
    records: RecordStream,
    file_names: Mapping[str, str],
    exports: Sequence[str],
    threads: int,
) -> None:
    per_field = [form for form in _FIELD_WRITERS if form in exports]
    for form in per_field:
        (folder / form).mkdir(parents=True, exist_ok=True)
    if "yolo" in exports:
        yolo.write_classes(folder / "yolo", CELL_TYPES)
    if "coco" in exports:
        folder.mkdir(exist_ok=True)
        coco.write(
            folder / "coco.json", _Sets(records), categories=CELL_TYPES, file_names=file_names
        )

    def write_one(record: FieldRecord) -> str:
        cells = from_cells(record, record.cells)
        for form in per_field:
            _FIELD_WRITERS[form](folder, cells, file_names[record.name])
        return record.name

    if per_field:
        pool = WorkerPool(write_one, threads)
        try:
            for _ in pool.run(records):
                pass
        finally:
            pool.stop()


def _readable(file_name: str) -> str:
    """A file name as text, also where it holds bytes that are no UTF-8."""
    return file_name.encode("utf-8", errors="backslashreplace").decode()


def _yolo_name(name: str) -> str:
    """Beside the labels lies ``classes.txt``, so no field can be called that.

    No field's name ends with a point, so this one is free.
    """
    return f"{name}." if name.casefold() == "classes" else name
