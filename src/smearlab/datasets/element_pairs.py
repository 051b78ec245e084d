"""Pairs of a picture and where one element lies in it, from masks, from boxes, and simulated.

The parts keep places of a smear together over the union of all sets: pictures of one source, its
copies in other sets, and pictures that overlap (:mod:`smearlab.datasets.field_relatives`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from smearlab.datasets.box_fields import (
    FieldFile,
    Part,
    fields_by_source,
    load_field,
    read_boxes,
    read_manifest,
    red_cell_diameter,
)
from smearlab.datasets.box_outlines import element_in_boxes
from smearlab.datasets.extended_all_idb import list_extended_pairs, target_of_picture
from smearlab.datasets.field_relatives import FIRST_FIELD_RELATIVE
from smearlab.datasets.pair_checks import (
    refuse_empty_targets,
    refuse_missing_masks,
    refuse_other_sizes,
    refuse_red_cells,
)
from smearlab.datasets.pair_files import (
    PAIR_PARTS,
    TRUTHS,
    ElementPair,
    PairFile,
    PairPart,
    Truth,
    element_named,
)
from smearlab.datasets.pair_parts import PairProtocol, part_by_group, part_by_picture
from smearlab.datasets.simulated_pairs import simulate_pair, simulated_pairs
from smearlab.errors import AnnotationError, DataError, UsageError
from smearlab.instances.watershed import split_touching
from smearlab.io.images import read_field
from smearlab.registry import look_up
from smearlab.types import Element

__all__ = [
    "PAIR_PARTS",
    "TRUTHS",
    "TYPICAL_DIAMETER_PX",
    "ElementPair",
    "PairFile",
    "held_out_pairs",
    "list_pairs",
    "load_pair",
    "refuse_empty_targets",
    "simulated_pairs",
]

#: Median red-cell diameter of the fields of an archive, px: for a field of it without a whole red
#: cell. Measured on the training parts of TXL-PBC and BCCD.
TYPICAL_DIAMETER_PX: Mapping[str, float] = {
    "BCCD": 104.0,
    "BCDD": 63.0,
    "PBC": 80.0,
    "Raabin-WBC": 139.0,
}
_PAIR_PART: Mapping[Part, PairPart] = {"train": "train", "tune": "val", "val": "test"}
_PROTOCOLS: Mapping[str, Callable[[Sequence[PairFile], int], list[PairFile]]] = {
    "honest": part_by_group,
    "paper": part_by_picture,
}
_MASKS, _NUCLEUS_MASK = "bccd_wbc_masks", (0, 128, 255)
_WORKING_PX = 1000  # longer side on which red cells of a large mask are split to be measured


def list_pairs(
    data: Path,
    element: str,
    protocol: PairProtocol = "honest",
    *,
    truths: Sequence[Truth] = ("mask", "boxes"),
    seed: int = 0,
) -> list[PairFile]:
    """Every pair of an element under a folder, with its part.

    Parameters
    ----------
    data : Path
        The folder of the public sets (with ``manifest.csv``), or that of the extended ALL-IDB1.
    element : str
        RBC, WBC or PLT, in capitals or not.
    protocol : {"honest", "paper"}
        ``honest``: a place of a smear has one part. What any set calls validation is tested, 6 %
        of the other places choose, the rest trains; for ALL-IDB1, 20 % of the fields are drawn
        for the test. ``paper``: the same pictures, 80 % of which train and 20 % are tested.
    truths : sequence of {"mask", "boxes"}
        Which targets are taken. A white cell with a mask is never taken from its box.
    seed : int
        Of what is drawn.

    Raises
    ------
    UnknownNameError
        If the element or the protocol is unknown.
    DataError
        If no pair is left, all targets to train on are empty, pictures and targets of ALL-IDB1
        do not pair up, or a mask is missing that the folder lists.
    AnnotationError
        If a target has another size than its picture.
    UsageError
        If ``truths`` names another kind, or the folder is none.

    Notes
    -----
    Three kinds of pictures are left out of both protocols: copies in a second set; pictures that
    are not tested but show a place that is; and fields of BCCD in TXL-PBC that BCCD's own training
    and validation parts here lack: they are of its published test part.
    """
    wanted = element_named(element)
    drawn = look_up("protocol", _PROTOCOLS, protocol)
    for truth in truths:
        if truth not in ("mask", "boxes"):
            raise UsageError(f"truths may be mask and boxes; received {truth!r}")
    if (data / "manifest.csv").is_file() or not data.is_dir():
        pairs = [pair for pair in _boxed_pairs(data, wanted) if pair.truth in truths]
        if protocol == "paper":
            pairs = drawn(pairs, seed)
    else:
        pairs = drawn(list_extended_pairs(data, wanted), seed) if "mask" in truths else []
    if not pairs:
        raise DataError(
            f"{data} holds no pair of {wanted} with a target from {' or '.join(truths)}; red cells "
            "and platelets of the public sets have boxes only"
        )
    refuse_other_sizes(pairs)
    refuse_empty_targets([pair for pair in pairs if pair.part == "train"] or pairs, load_pair)
    return pairs


def held_out_pairs(data: Path, element: str = "RBC") -> list[PairFile]:
    """Fields of BBBC041Seg with the masks of all their cells: only ever tested on.

    Its terms are non-commercial, so nothing learns from it.

    Parameters
    ----------
    data : Path
        The folder of the public sets.
    element : str
        RBC: the masks tell no other.

    Raises
    ------
    UsageError
        If there is no manifest.
    DataError
        If the set is not there, or another element is asked for.
    """
    if element_named(element) != "RBC":
        raise DataError(
            f"bbbc041seg has targets of RBC, but {element} was asked for; ask for RBC, or for "
            "other data"
        )
    root = data / "fields" / "bbbc041seg"
    rows = [
        row
        for row in read_manifest(data)
        if row["dataset"] == "bbbc041seg" and "/images/" in row["path"]
    ]
    pairs = []
    for row in rows:
        image = data / row["path"]
        target = root / "masks" / f"{image.stem}.png"
        if not target.is_file():
            raise DataError(f"{image} has no target; {target} is missing: copy it again")
        pairs.append(
            PairFile(
                name=f"bbbc041seg/{image.stem}",
                element="RBC",
                source="bbbc041seg",
                origin=row["source"],
                group=f"{row['source']}/{Path(row['original']).stem}",
                part="test",
                image=image,
                target=target,
            )
        )
    if not pairs:
        raise DataError(f"{data} holds no field of bbbc041seg; add it, or evaluate on other data")
    return pairs


def _boxed_pairs(data: Path, element: Element) -> list[PairFile]:
    """Pairs of TXL-PBC and BCCD, once each, parted by place."""
    files = _once(_without_bccd_test(data, fields_by_source(data)))
    group = {file.group: FIRST_FIELD_RELATIVE.get(file.group, file.group) for file in files}
    tested = {group[file.group] for file in files if file.part == "val"}
    parts: dict[str, PairPart] = {}
    for file in sorted(files, key=lambda file: file.group):
        parts.setdefault(group[file.group], _PAIR_PART[file.part])
    kept = [file for file in files if file.part == "val" or group[file.group] not in tested]
    pairs = [
        _boxed_pair(
            file,
            element,
            group[file.group],
            "test" if file.part == "val" else parts[group[file.group]],
        )
        for file in kept
    ]
    if element == "WBC":
        rows = (row for row in read_manifest(data) if row["dataset"] == _MASKS)
        refuse_missing_masks(pairs, (data / row["path"] for row in rows))
    return pairs


def _without_bccd_test(data: Path, files: list[FieldFile]) -> list[FieldFile]:
    """Leave out what only TXL-PBC has of BCCD, if BCCD is there to compare."""
    own = {Path(row["original"]).stem for row in read_manifest(data) if row["dataset"] == "bccd"}
    known = {f"BCCD/{stem}" for stem in own}
    return [file for file in files if not own or file.origin != "BCCD" or file.group in known]


def _once(files: Sequence[FieldFile]) -> list[FieldFile]:
    """One file a field of BCCD: that of TXL-PBC, whose boxes are better."""
    twice = {file.group for file in files if file.dataset == "txl_pbc" and file.origin == "BCCD"}
    return [file for file in files if file.dataset != "bccd" or file.group not in twice]


def _boxed_pair(file: FieldFile, element: Element, group: str, part: PairPart) -> PairFile:
    masked = element == "WBC" and file.masks is not None
    return PairFile(
        name=f"{file.dataset}/{file.image.stem}",
        element=element,
        source="bccd_masks" if masked else "boxes",
        origin=file.origin,
        group=group,
        part=part,
        image=file.image,
        target=file.masks if masked else None,
        boxed=file,
    )


def load_pair(file: PairFile) -> ElementPair:
    """Read, or simulate, one pair.

    Parameters
    ----------
    file : PairFile

    Raises
    ------
    ImageError
        If the picture or its target cannot be read.
    AnnotationError
        If the target has another size than the picture, holds a class that was not asked for or
        shows red cells where another element was, or the boxes cannot be read.
    """
    return _LOADERS[file.source](file)


def _from_boxes(file: PairFile) -> ElementPair:
    assert file.boxed is not None
    field = load_field(file.boxed)
    own = np.array([element == file.element for element in field.elements], np.bool_)
    target, unknown = element_in_boxes(
        field.pixels, field.boxes, field.elements, file.element, field.element_map
    )
    return replace(
        _pair(file, field.pixels, target),
        diameter_px=_known_diameter(field.cell_diameter_px, file.origin),
        unknown=unknown,
        boxes=field.boxes[own],
    )


def _from_bccd_mask(file: PairFile) -> ElementPair:
    assert file.boxed is not None and file.target is not None
    pixels = _read(file.image)
    mask = _read(file.target)[..., 0]
    other = sorted(set(np.unique(mask).tolist()) - set(_NUCLEUS_MASK))
    if other:
        raise AnnotationError(
            f"the target {file.target} holds the value {other[0]}, a class that was not asked "
            "for; masks of white cells hold 0, 128 (cytoplasm) and 255 (nucleus)"
        )
    pair = _pair(file, pixels, mask > 0)
    height, width = mask.shape
    boxes, elements = read_boxes(file.boxed, width, height)
    return replace(
        pair,
        diameter_px=_known_diameter(red_cell_diameter(boxes, elements, width, height), file.origin),
        objects=_pieces(pair.target),
        boxes=boxes[np.array([element == "WBC" for element in elements], np.bool_)],
    )


def _from_extended(file: PairFile) -> ElementPair:
    assert file.target is not None
    pixels = _read(file.image)
    target = target_of_picture(_read(file.target), str(file.target))
    pair = _pair(file, pixels, target)
    if file.red_target is None:
        return pair
    red = target_of_picture(_read(file.red_target), str(file.red_target))
    refuse_red_cells(target, red, file)
    return replace(pair, diameter_px=_diameter_of_mask(red))


def _from_bbbc(file: PairFile) -> ElementPair:
    assert file.target is not None
    grey = _read(file.target).max(axis=2)
    pair = _pair(file, _read(file.image), 2 * grey.astype(np.int32) > max(int(grey.max()), 1))
    objects = _pieces(pair.target)
    return replace(pair, objects=objects, diameter_px=_whole_diameter(objects))


def _pair(file: PairFile, pixels: NDArray[np.uint8], target: NDArray[np.bool_]) -> ElementPair:
    return ElementPair(
        name=file.name,
        element=file.element,
        group=file.group,
        part=file.part,
        truth=file.truth,
        pixels=pixels,
        target=target,
        diameter_px=float("nan"),
    )


def _read(path: Path | None) -> NDArray[np.uint8]:
    assert path is not None
    return read_field(path).pixels


def _known_diameter(measured_px: float, origin: str) -> float:
    """What the field tells, else what is usual in its archive, else NaN."""
    if np.isnan(measured_px):
        return TYPICAL_DIAMETER_PX.get(origin, float("nan"))
    return measured_px


def _pieces(target: NDArray[np.bool_]) -> NDArray[np.int32]:
    """4-connected pieces: masks part touching cells by a pixel, whose corners would leak."""
    return np.asarray(ndimage.label(target)[0], np.int32)


def _diameter_of_mask(red: NDArray[np.bool_]) -> float:
    """Red-cell diameter in a mask in which cells touch."""
    by: float = min(1.0, _WORKING_PX / max(red.shape))
    small = cv2.resize(red.astype(np.uint8) * 255, None, fx=by, fy=by, interpolation=cv2.INTER_AREA)
    return _whole_diameter(split_touching(small >= 128).array) / by


def _whole_diameter(objects: NDArray[np.int32]) -> float:
    """Median diameter of discs as large as the objects that no edge cuts; NaN without any."""
    areas = np.bincount(objects.ravel())
    areas[0] = 0
    for edge in (objects[:2], objects[-2:], objects[:, :2], objects[:, -2:]):
        areas[np.unique(edge)] = 0
    whole = areas[areas > 0]
    return float(np.sqrt(4 * np.median(whole) / np.pi)) if whole.size else float("nan")


_LOADERS: Mapping[str, Callable[[PairFile], ElementPair]] = {
    "bccd_masks": _from_bccd_mask,
    "boxes": _from_boxes,
    "all_idb1": _from_extended,
    "bbbc041seg": _from_bbbc,
    "simulated": simulate_pair,
}
