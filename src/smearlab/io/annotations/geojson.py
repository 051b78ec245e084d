"""GeoJSON as QuPath reads and writes it: one file a picture.

A feature is a closed polygon in px, origin top left, with ``properties`` of QuPath's own:
``objectType``, ``classification`` (name and colour), ``measurements`` (numbers) and ``metadata``
(text). Drag the file onto the picture in QuPath 0.4 or later.

Everything in an :class:`~smearlab.io.annotations.AnnotationSet` survives export and import. What
plain GeoJSON has no place for stands in extra members, which other programs pass over: the
picture's name and size, and which polygons are only boxes. A box that is larger than its contour
is kept in the feature's ``bbox``.

References
----------
RFC 7946, The GeoJSON Format. QuPath documentation, "Exporting annotations".
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from smearlab.errors import AnnotationError
from smearlab.io.annotations.annotation_files import number, read_json, write_json
from smearlab.io.annotations.annotation_set import (
    Annotation,
    AnnotationSet,
    Contour,
    Property,
    SetBuilder,
    enclosing,
    polygon_area,
)

Colour = tuple[int, int, int]

#: Colours of the classes in QuPath, red, green, blue.
TYPE_COLOURS: Mapping[str, Colour] = {
    "erythrocyte": (214, 72, 72),
    "platelet": (150, 90, 200),
    "neutrophil": (31, 119, 180),
    "eosinophil": (255, 127, 14),
    "basophil": (60, 40, 140),
    "lymphocyte": (44, 160, 44),
    "monocyte": (23, 190, 207),
    "immature granulocyte": (188, 189, 34),
    "erythroblast": (140, 86, 75),
    "unidentified": (127, 127, 127),
}
_OTHER_COLOUR: Colour = (127, 127, 127)

#: The label of what QuPath exported without a class.
UNCLASSIFIED = "unclassified"
_OURS = "smearlab"


def write(
    path: str | Path,
    annotations: AnnotationSet,
    *,
    object_type: Literal["detection", "annotation"] = "detection",
    colours: Mapping[str, Colour] = TYPE_COLOURS,
) -> Path:
    """Write a FeatureCollection; the same annotations give the same bytes.

    Parameters
    ----------
    path : str or Path
        The file, by custom ``….geojson``.
    annotations : AnnotationSet
        Of one picture.
    object_type : {"detection", "annotation"}
        What QuPath makes of them: detections are light, annotations can be edited.
    colours : mapping of str to (int, int, int)
        Label → colour, 0–255; other labels are grey.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if object_type not in ("detection", "annotation"):
        raise AnnotationError(
            f"object_type must be 'detection' or 'annotation'; received {object_type!r}"
        )
    features = [
        _feature(annotations.name, i, item, object_type, colours.get(item.label, _OTHER_COLOUR))
        for i, item in enumerate(annotations.items)
    ]
    picture = {
        "name": annotations.name,
        "width_px": annotations.width_px,
        "height_px": annotations.height_px,
    }
    path = Path(path)
    write_json(path, {"type": "FeatureCollection", _OURS: picture, "features": features})
    return path


def read(
    path: str | Path, *, name: str | None = None, size_px: tuple[int, int] | None = None
) -> AnnotationSet:
    """Read a FeatureCollection, a list of features or one feature.

    Of several polygons in one feature the largest is taken, holes are filled, and points and
    lines are dropped; the notes say so.

    Parameters
    ----------
    path : str or Path
        The file.
    name : str, optional
        Of the picture; else the one in the file, else the file's stem.
    size_px : (int, int), optional
        Width and height of the picture. Files from QuPath do not tell them.

    Returns
    -------
    AnnotationSet
        Features without a class are called ``"unclassified"``.

    Raises
    ------
    AnnotationError
        If the file cannot be read or understood, or the size is neither in it nor given.
    """
    path = Path(path)
    content = read_json(path)
    ours = content.get(_OURS) if isinstance(content, dict) else None
    picture: dict[str, Any] = ours if isinstance(ours, dict) else {}
    if size_px is None:
        if "width_px" not in picture or "height_px" not in picture:
            raise AnnotationError(
                f"{path}: does not tell the size of its picture, as QuPath's files do not; "
                "pass size_px=(width, height)"
            )
        size_px = (
            int(number(picture["width_px"], f"{path}: width_px")),
            int(number(picture["height_px"], f"{path}: height_px")),
        )
    builder = SetBuilder(str(path), name or str(picture.get("name") or path.stem), *size_px)
    for i, feature in enumerate(_features(path, content)):
        _read_feature(path, i, feature, builder)
    return builder.build()


def _feature(
    name: str, i: int, item: Annotation, object_type: str, colour: Colour
) -> dict[str, Any]:
    x0, y0, x1, y1 = item.bbox
    ring = item.contour or ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    numbers: dict[str, Property] = {}
    texts: dict[str, Property] = {}
    for key, value in item.properties.items():
        # QuPath takes numbers alone as measurements.
        (texts if isinstance(value, (str, bool)) else numbers)[key] = value
    if item.score is not None:
        numbers["score"] = item.score
    properties: dict[str, Any] = {
        "objectType": object_type,
        "classification": {"name": item.label, "color": list(colour)},
    }
    if numbers:
        properties["measurements"] = numbers
    if texts:
        properties["metadata"] = texts
    feature = {
        "type": "Feature",
        # QuPath tells objects apart by this; made from the name, so that bytes repeat.
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_OURS}:{name}:{i}")),
        "bbox": list(item.bbox),
        "geometry": {"type": "Polygon", "coordinates": [[list(p) for p in (*ring, ring[0])]]},
        "properties": properties,
    }
    if item.contour is None:
        feature[_OURS] = {"contour": False}
    return feature


def _features(path: Path, content: Any) -> list[Any]:
    """The features in any of the three wrappings that QuPath writes."""
    if isinstance(content, list):
        return content
    if isinstance(content, dict) and isinstance(content.get("features"), list):
        return list(content["features"])
    if isinstance(content, dict) and content.get("type") == "Feature":
        return [content]
    raise AnnotationError(
        f"{path}: is no GeoJSON FeatureCollection (top-level members: "
        f"{_glimpse(content)}); export the objects from QuPath as GeoJSON"
    )


def _read_feature(path: Path, i: int, feature: Any, builder: SetBuilder) -> None:
    where = f"feature {i + 1}"
    if not isinstance(feature, dict) or not isinstance(feature.get("geometry"), dict):
        raise AnnotationError(f"{path}: {where}: has no geometry; remove it or export again")
    contour = _contour(path, where, feature["geometry"], builder)
    if contour is None:
        return
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    values = _values(properties)
    score = values.pop("score", None)
    box = feature.get("bbox")
    if isinstance(box, list) and len(box) == 4:
        x0, y0, x1, y1 = (number(edge, f"{path}: {where}: bbox") for edge in box)
    else:
        x0, y0, x1, y1 = enclosing(contour)
    ours = feature.get(_OURS)
    is_box = isinstance(ours, dict) and ours.get("contour") is False
    builder.add(
        where,
        _class_name(properties.get("classification")),
        (x0, y0, x1, y1),
        contour=None if is_box else contour,
        score=score if isinstance(score, float) else None,
        properties=values,
    )


def _contour(
    path: Path, where: str, geometry: dict[str, Any], builder: SetBuilder
) -> Contour | None:
    """The outline of a geometry, None (and a note) for one without an area."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    polygons = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(str(kind))
    if not isinstance(polygons, list) or not polygons:
        builder.note(f"{where}: {kind} without an area dropped")
        return None
    try:
        rings = [[[(p[0], p[1]) for p in ring] for ring in polygon] for polygon in polygons]
    except (TypeError, LookupError) as error:
        raise AnnotationError(
            f"{path}: {where}: the coordinates of the {kind} are no lists of [x, y]; export again"
        ) from error
    outlines: list[Contour] = []
    for polygon in rings:
        outline = polygon[0] if polygon else []
        if len(outline) > 1 and outline[0] == outline[-1]:
            outline = outline[:-1]
        complaint = f"{path}: {where}"
        outlines.append(tuple((number(x, complaint), number(y, complaint)) for x, y in outline))
        if len(polygon) > 1:
            builder.note(f"{where}: {len(polygon) - 1} holes filled")
    if len(outlines) > 1:
        builder.note(f"{where}: largest of {len(outlines)} polygons taken")
    largest = max(outlines, key=lambda outline: polygon_area(outline) if outline else 0.0)
    if len(largest) < 3:
        builder.note(f"{where}: polygon of {len(largest)} points dropped")
        return None
    return largest


def _class_name(classification: Any) -> str:
    """The class in the ways that QuPath's versions have written it."""
    if isinstance(classification, dict):
        names = classification.get("names")
        if isinstance(names, list) and names:
            classification = ": ".join(map(str, names))
        else:
            classification = classification.get("name")
    return str(classification).strip() if classification else UNCLASSIFIED


def _values(properties: dict[str, Any]) -> dict[str, Property]:
    """Measurements and metadata together; also measurements as QuPath 0.3 listed them."""
    measurements = properties.get("measurements")
    if isinstance(measurements, list):
        measurements = {
            entry.get("name"): entry.get("value")
            for entry in measurements
            if isinstance(entry, dict)
        }
    found: dict[str, Property] = {}
    for group in (measurements, properties.get("metadata")):
        for key, value in group.items() if isinstance(group, dict) else ():
            # NaN is what QuPath writes for a measurement that failed.
            is_nan = isinstance(value, float) and not math.isfinite(value)
            if isinstance(key, str) and key and isinstance(value, (str, int, float)) and not is_nan:
                found[key] = value
    if isinstance(found.get("score"), int):
        found["score"] = float(found["score"])
    return found


def _glimpse(content: Any) -> str:
    return (
        ", ".join(map(str, list(content)[:5])) if isinstance(content, dict) else repr(content)[:60]
    )
