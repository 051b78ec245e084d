"""YOLO: one text file a picture and ``classes.txt``, whose lines name the classes 0, 1, ….

A line is ``class cx cy w h``, in shares of the picture's width and height; or, for polygons,
``class x0 y0 x1 y1 x2 y2 …``. A last number more is a score, as detectors write it.

A file holds no picture size, no properties and, beside a polygon, no box: that of a polygon is the
one which encloses it. Boxes are exact; polygons are, to 0.0001 px. The name of the picture is the
name of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smearlab.errors import AnnotationError
from smearlab.io.annotations.annotation_files import number, read_lines
from smearlab.io.annotations.annotation_set import Annotation, AnnotationSet, SetBuilder, enclosing
from smearlab.io.atomic import write_text

CLASSES_FILE = "classes.txt"
#: Decimals of a share: exact to well under 0.0001 px in pictures of a million px a side.
_DIGITS = 12
_CONTOUR_DIGITS = 4
#: Shares beyond this are pixels by mistake.
_MAX_SHARE = 2.0


def write(
    folder: str | Path,
    annotations: AnnotationSet,
    classes: Sequence[str],
    *,
    polygons: bool = False,
    scores: bool = False,
) -> Path:
    """Write ``<name>.txt``; :func:`write_classes` writes what its numbers mean.

    Parameters
    ----------
    folder : str or Path
        Where to; must exist.
    annotations : AnnotationSet
        Of one picture; its name must be fit for a file name.
    classes : sequence of str
        Names of the classes 0, 1, ….
    polygons : bool
        Write contours (of what has none, the box as a polygon) instead of boxes.
    scores : bool
        Write the score (1 where there is none) at the end of each line.

    Returns
    -------
    Path
        The file; empty for a picture without cells.

    Raises
    ------
    AnnotationError
        If a label is not among the classes, or the name is no file name or ``classes``.
    OSError
        If the file cannot be written.
    """
    name = annotations.name
    if "/" in name or "\\" in name or f"{name}.txt".lower() == CLASSES_FILE:
        raise AnnotationError(f"{name!r} cannot be the name of a YOLO file; rename the picture")
    ids = {label: i for i, label in enumerate(classes)}
    lines = []
    for item in annotations.items:
        if item.label not in ids:
            raise AnnotationError(
                f"{name}: {item.label!r} is not among the classes {list(classes)}; add it"
            )
        shares = _polygon(annotations, item) if polygons else _box(annotations, item)
        fields = [str(ids[item.label]), *map(_decimal, shares)]
        if scores:
            fields.append(repr(1.0 if item.score is None else item.score))
        lines.append(" ".join(fields) + "\n")
    path = Path(folder) / f"{name}.txt"
    write_text(path, "".join(lines))
    return path


def write_classes(folder: str | Path, classes: Sequence[str]) -> Path:
    """Write ``classes.txt``: a name a line, numbered from 0.

    Raises
    ------
    AnnotationError
        If a name is empty, has blanks around it or breaks the line, or occurs twice.
    OSError
        If the file cannot be written.
    """
    for name in classes:
        Annotation(name, (0, 0, 1, 1))  # checks the label
    if len(set(classes)) < len(classes):
        raise AnnotationError(f"a class name occurs twice in {list(classes)}")
    path = Path(folder) / CLASSES_FILE
    write_text(path, "".join(f"{name}\n" for name in classes))
    return path


def read_classes(path: str | Path) -> tuple[str, ...]:
    """Read the names of the classes 0, 1, …; empty lines at the end are passed over.

    Raises
    ------
    AnnotationError
        If the file cannot be read, is empty, or has an empty line between names or a name twice.
    """
    path = Path(path)
    names = [line.strip() for line in read_lines(path)]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise AnnotationError(f"{path}: names no class; write one name a line")
    for i, name in enumerate(names):
        if not name or name in names[:i]:
            raise AnnotationError(
                f"{path}: line {i + 1}: {name!r} is empty or occurs twice; one name a line"
            )
    return tuple(names)


def read(path: str | Path, classes: Sequence[str], *, size_px: tuple[int, int]) -> AnnotationSet:
    """Read the boxes or polygons of one picture.

    Parameters
    ----------
    path : str or Path
        The text file; an empty one is a picture without cells.
    classes : sequence of str
        Names of the classes 0, 1, ….
    size_px : (int, int)
        Width and height of the picture.

    Returns
    -------
    AnnotationSet
        Named as the file. Boxes are clipped to the picture, empty ones dropped; the notes say so.

    Raises
    ------
    AnnotationError
        If the file cannot be read, a class number is unknown, or a line has another form.
    """
    path = Path(path)
    builder = SetBuilder(str(path), path.stem, *size_px)
    for i, line in enumerate(read_lines(path)):
        if line.strip():
            _read_line(path, f"line {i + 1}", line.split(), classes, size_px, builder)
    return builder.build()


def _read_line(
    path: Path,
    where: str,
    fields: list[str],
    classes: Sequence[str],
    size_px: tuple[int, int],
    builder: SetBuilder,
) -> None:
    complaint = f"{path}: {where}"
    if len(fields) < 5:
        raise AnnotationError(
            f"{complaint}: has {len(fields)} numbers; 'class cx cy w h' has 5, a polygon 7 or more"
        )
    values = [number(field, complaint) for field in fields]
    class_id, shares = values[0], values[1:]
    if class_id != int(class_id) or not 0 <= class_id < len(classes):
        raise AnnotationError(
            f"{complaint}: class {fields[0]} is unknown, there are 0 to {len(classes) - 1} "
            f"({', '.join(classes)}); give the classes file that belongs to these boxes"
        )
    # Class and pairs are odd in number; one more is a score.
    score = shares.pop() if len(fields) % 2 == 0 else None
    if max(map(abs, shares)) > _MAX_SHARE:
        raise AnnotationError(
            f"{complaint}: {max(shares, key=abs):g} is no share of the picture's side; YOLO boxes "
            "are divided by width and height, these look like pixels"
        )
    width, height = size_px
    label = classes[int(class_id)]
    if len(shares) == 4:
        cx, cy, w, h = shares
        edges = (
            (cx - w / 2) * width,
            (cy - h / 2) * height,
            (cx + w / 2) * width,
            (cy + h / 2) * height,
        )
        builder.add(where, label, edges, score=score)
        return
    contour = tuple(
        (round(x * width, _CONTOUR_DIGITS), round(y * height, _CONTOUR_DIGITS))
        for x, y in zip(shares[::2], shares[1::2], strict=True)
    )
    builder.add(where, label, enclosing(contour), contour=contour, score=score)


def _box(annotations: AnnotationSet, item: Annotation) -> list[float]:
    x0, y0, x1, y1 = item.bbox
    width, height = annotations.width_px, annotations.height_px
    return [
        (x0 + x1) / 2 / width,
        (y0 + y1) / 2 / height,
        (x1 - x0) / width,
        (y1 - y0) / height,
    ]


def _polygon(annotations: AnnotationSet, item: Annotation) -> list[float]:
    x0, y0, x1, y1 = item.bbox
    contour = item.contour or ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    width, height = annotations.width_px, annotations.height_px
    return [share for x, y in contour for share in (x / width, y / height)]


def _decimal(share: float) -> str:
    return f"{share:.{_DIGITS}f}".rstrip("0").rstrip(".") or "0"
