"""COCO: one JSON file for a set of pictures.

Everything in an :class:`~smearlab.io.annotations.AnnotationSet` survives export and import:
``score`` stands where detection results have it, properties in ``attributes``, as CVAT writes
them. A contour that is a run-length mask in a foreign file is not read; its box is.

References
----------
Lin, T.-Y. et al. (2014). Microsoft COCO: Common Objects in Context. ECCV. arXiv:1405.0312
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import IO, Any

from smearlab.errors import AnnotationError
from smearlab.io.annotations.annotation_files import number, read_json
from smearlab.io.annotations.annotation_set import (
    Annotation,
    AnnotationSet,
    Contour,
    SetBuilder,
    enclosing,
    polygon_area,
)
from smearlab.io.atomic import open_atomic


def write(
    path: str | Path,
    sets: Iterable[AnnotationSet],
    *,
    categories: Sequence[str] | None = None,
    file_names: Mapping[str, str] | None = None,
) -> Path:
    """Write the annotations of several pictures; the same annotations give the same bytes.

    Parameters
    ----------
    path : str or Path
        The file.
    sets : iterable of AnnotationSet
        One a picture, each with a name of its own. It is gone through more than once, so that
        large sets can be read as they are written; an iterator is held in memory.
    categories : sequence of str, optional
        All class names, numbered from 1 in this order; by default those that occur, sorted.
    file_names : mapping of str to str, optional
        Name of a set → ``file_name`` of its picture, where they differ.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    AnnotationError
        If two sets share a name or a label is not among the categories.
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    if isinstance(sets, Iterator):
        sets = list(sets)
    if categories is None:
        categories = sorted({item.label for one in sets for item in one.items})
    category_ids = {name: i for i, name in enumerate(categories, start=1)}
    _check(path, sets, category_ids)
    head = {"info": {"description": "Cells found by smearlab. Research use only."}, "licenses": []}
    tail = [
        {"id": i, "name": name, "supercategory": "blood cell"} for name, i in category_ids.items()
    ]
    with open_atomic(path) as stream:
        stream.write(_json(head).removesuffix("}").encode())
        _write_list(stream, "images", _images(sets, file_names or {}))
        _write_list(stream, "annotations", _entries(sets, category_ids))
        _write_list(stream, "categories", tail)
        stream.write(b"\n}\n")
    return path


def _check(path: Path, sets: Iterable[AnnotationSet], category_ids: Mapping[str, int]) -> None:
    """Refuse what COCO cannot hold before anything is written."""
    names: set[str] = set()
    for one in sets:
        if one.name in names:
            raise AnnotationError(
                f"{path}: two pictures are called {one.name!r}; give each its own name"
            )
        names.add(one.name)
        for item in one.items:
            if item.label not in category_ids:
                raise AnnotationError(
                    f"{path}: {item.label!r} is not among the categories {list(category_ids)}; "
                    "add it"
                )


def _images(
    sets: Iterable[AnnotationSet], file_names: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for image_id, one in enumerate(sets, start=1):
        image: dict[str, Any] = {"id": image_id, "file_name": one.name}
        if one.name in file_names:
            image |= {"file_name": file_names[one.name], "name": one.name}
        yield image | {"width": one.width_px, "height": one.height_px}


def _entries(
    sets: Iterable[AnnotationSet], category_ids: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    ids = count(1)
    for image_id, one in enumerate(sets, start=1):
        for item in one.items:
            yield {"id": next(ids), "image_id": image_id} | _entry(item, category_ids[item.label])


def _write_list(stream: IO[bytes], key: str, entries: Iterable[dict[str, Any]]) -> None:
    """One entry a line, as they come: the set is never in memory as a whole."""
    stream.write(f',\n "{key}": ['.encode())
    for n, entry in enumerate(entries):
        stream.write(("," if n else "").encode() + f"\n  {_json(entry)}".encode())
    stream.write(b"\n ]")


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def read(path: str | Path) -> list[AnnotationSet]:
    """Read the annotations of all pictures in a COCO file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    list of AnnotationSet
        In the order of ``images``, pictures without annotations included. The name is the
        ``file_name``. Crowd regions are dropped and said in the notes.

    Raises
    ------
    AnnotationError
        If the file cannot be read or understood, or an annotation names a picture or a category
        that the file does not hold.
    """
    path = Path(path)
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise AnnotationError(f"{path}: has no list 'images', so it is no COCO file")
    names = {
        entry_id: str(entry.get("name", "")).strip()
        for entry_id, entry in _by_id(path, content, "categories").items()
    }
    builders = {
        image_id: _builder(path, image)
        for image_id, image in _by_id(path, content, "images").items()
    }
    for i, entry in enumerate(_list(path, content, "annotations")):
        where = f"annotations[{i}]"
        if not isinstance(entry, dict):
            raise AnnotationError(f"{path}: {where}: is no object; export the file again")
        for key, known in (("image_id", builders), ("category_id", names)):
            if not isinstance(entry.get(key), (int, str)) or entry[key] not in known:
                raise AnnotationError(
                    f"{path}: {where}: {key} {entry.get(key)!r} is not in the file; "
                    "export it again, whole"
                )
        _read_entry(f"{path}: {where}", where, entry, names, builders[entry["image_id"]])
    return [builder.build() for builder in builders.values()]


def _entry(item: Annotation, category_id: int) -> dict[str, Any]:
    x0, y0, x1, y1 = item.bbox
    entry: dict[str, Any] = {
        "category_id": category_id,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": polygon_area(item.contour) if item.contour else float((x1 - x0) * (y1 - y0)),
        "segmentation": [[v for point in item.contour for v in point]] if item.contour else [],
        "iscrowd": 0,
    }
    if item.score is not None:
        entry["score"] = item.score
    if item.properties:
        entry["attributes"] = dict(item.properties)
    return entry


def _list(path: Path, content: dict[str, Any], key: str) -> list[Any]:
    value = content.get(key, [])
    if not isinstance(value, list):
        raise AnnotationError(f"{path}: {key!r} is no list; export the file again")
    return value


def _by_id(path: Path, content: dict[str, Any], key: str) -> dict[int | str, dict[str, Any]]:
    """The entries of a list by their ids, in order."""
    found: dict[int | str, dict[str, Any]] = {}
    for i, entry in enumerate(_list(path, content, key)):
        entry_id = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(entry_id, (int, str)) or entry_id in found:
            raise AnnotationError(
                f"{path}: {key}[{i}]: id {entry_id!r} is missing or used twice; export it again"
            )
        found[entry_id] = entry
    return found


def _builder(path: Path, image: dict[str, Any]) -> SetBuilder:
    name = str(image.get("name") or image.get("file_name") or image["id"])
    width = int(number(image.get("width"), f"{path}: width of image {name!r}"))
    height = int(number(image.get("height"), f"{path}: height of image {name!r}"))
    return SetBuilder(str(path), name, width, height)


def _read_entry(
    complaint: str,
    where: str,
    entry: dict[str, Any],
    names: dict[int | str, str],
    builder: SetBuilder,
) -> None:
    if entry.get("iscrowd"):
        builder.note(f"{where}: crowd region dropped")
        return
    contour = _contour(complaint, where, entry.get("segmentation"), builder)
    box = entry.get("bbox")
    if isinstance(box, list) and len(box) == 4:
        x, y, width, height = (number(v, f"{complaint}: bbox") for v in box)
        edges = (x, y, x + width, y + height)
    elif contour is not None:
        edges = enclosing(contour)
    else:
        raise AnnotationError(
            f"{complaint}: has neither a bbox [x, y, w, h] nor a polygon; add one"
        )
    score = entry.get("score")
    attributes = entry.get("attributes")
    builder.add(
        where,
        names[entry["category_id"]],
        edges,
        contour=contour,
        score=None if score is None else number(score, f"{complaint}: score"),
        properties={
            key: value
            for key, value in (attributes if isinstance(attributes, dict) else {}).items()
            if key
            and key != "score"
            and isinstance(value, (str, int, float))
            and not (isinstance(value, float) and not math.isfinite(value))
        },
    )


def _contour(complaint: str, where: str, value: Any, builder: SetBuilder) -> Contour | None:
    """The largest polygon of a segmentation."""
    if isinstance(value, dict):
        builder.note(f"{where}: run-length mask not read, its box is")
        return None
    polygons: list[Contour] = []
    for flat in value if isinstance(value, list) else ():
        if not isinstance(flat, list) or len(flat) % 2:
            raise AnnotationError(
                f"{complaint}: a segmentation must be a list of [x0, y0, x1, y1, …]; export again"
            )
        numbers = [number(v, f"{complaint}: segmentation") for v in flat]
        if len(numbers) >= 6:
            polygons.append(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    if len(polygons) > 1:
        builder.note(f"{where}: largest of {len(polygons)} polygons taken")
    return max(polygons, key=polygon_area) if polygons else None
