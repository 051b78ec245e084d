"""Pascal VOC: one XML file a picture.

VOC counts pixels from 1 and names the first and the last one of a box: the top left pixel of a
picture alone is ``xmin = xmax = 1``. Many programs write something else under the same name;
:data:`PIXELS` lists what can be read and written. The difference is a pixel.

A file holds labels, boxes and the picture's size; contours, scores and properties are lost. The
name of the picture is the name of the file.

References
----------
Everingham, M. et al. (2010). The Pascal Visual Object Classes (VOC) Challenge. International
Journal of Computer Vision 88, 303–338. doi:10.1007/s11263-009-0275-4
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from smearlab.errors import AnnotationError
from smearlab.io.annotations.annotation_files import number, read_bytes
from smearlab.io.annotations.annotation_set import AnnotationSet, SetBuilder
from smearlab.io.atomic import write_text

#: How the corners are meant → what is added to (xmin, ymin) and (xmax, ymax) to get half-open
#: edges. ``one_based``: VOC's own. ``zero_based``: first and last pixel, counted from 0.
#: ``edges``: half-open or continuous coordinates, counted from 0.
PIXELS: dict[str, tuple[int, int]] = {"one_based": (-1, 0), "zero_based": (0, 1), "edges": (0, 0)}


def write(
    folder: str | Path,
    annotations: AnnotationSet,
    *,
    file_name: str | None = None,
    pixels: str = "one_based",
) -> Path:
    """Write ``<name>.xml``.

    Parameters
    ----------
    folder : str or Path
        Where to; must exist.
    annotations : AnnotationSet
        Of one picture; its name must be fit for a file name.
    file_name : str, optional
        Of the picture, for the element ``filename``; the name by default.
    pixels : {"one_based", "zero_based", "edges"}
        See :data:`PIXELS`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    AnnotationError
        If the name is no file name.
    OSError
        If the file cannot be written.
    """
    low, high = _shifts(pixels)
    if "/" in annotations.name or "\\" in annotations.name:
        raise AnnotationError(f"{annotations.name!r} is no file name; rename the picture")
    root = ElementTree.Element("annotation")
    _child(root, "folder", "")
    _child(root, "filename", file_name or annotations.name)
    _child(_child(root, "source"), "database", "smearlab")
    size = _child(root, "size")
    _child(size, "width", annotations.width_px)
    _child(size, "height", annotations.height_px)
    _child(size, "depth", 3)
    _child(root, "segmented", 0)
    for item in annotations.items:
        x0, y0, x1, y1 = item.bbox
        is_cut = x0 == 0 or y0 == 0 or x1 == annotations.width_px or y1 == annotations.height_px
        element = _child(root, "object")
        _child(element, "name", item.label)
        _child(element, "pose", "Unspecified")
        _child(element, "truncated", int(is_cut))
        _child(element, "difficult", 0)
        box = _child(element, "bndbox")
        _child(box, "xmin", x0 - low)
        _child(box, "ymin", y0 - low)
        _child(box, "xmax", x1 - high)
        _child(box, "ymax", y1 - high)
    ElementTree.indent(root)
    path = Path(folder) / f"{annotations.name}.xml"
    write_text(path, ElementTree.tostring(root, encoding="unicode") + "\n")
    return path


def read(
    path: str | Path,
    *,
    size_px: tuple[int, int] | None = None,
    pixels: str = "one_based",
) -> AnnotationSet:
    """Read the boxes of one picture.

    Parameters
    ----------
    path : str or Path
        The XML file.
    size_px : (int, int), optional
        Width and height of the picture, where it is at hand. The file must then not contradict.
    pixels : {"one_based", "zero_based", "edges"}
        See :data:`PIXELS`.

    Returns
    -------
    AnnotationSet
        Named as the file. Coordinates may be fractions. Boxes are clipped to the picture, empty
        ones dropped; the notes say so.

    Raises
    ------
    AnnotationError
        If the file cannot be read, is no VOC, holds a document type (entity bombs hide there), or
        tells another size than ``size_px``.
    """
    low, high = _shifts(pixels)
    path = Path(path)
    root, lines = _parse(path)
    if root.tag != "annotation":
        raise AnnotationError(
            f"{path}: its root is <{root.tag}>, not <annotation>, so it is no VOC file"
        )
    builder = SetBuilder(str(path), path.stem, *_size(path, root, size_px))
    for element in root.iter("object"):
        where = f"line {lines[element]}"
        label = (element.findtext("name") or "").strip()
        if not label:
            raise AnnotationError(f"{path}: {where}: the <object> has no <name>; add it")
        box = element.find("bndbox")
        corners = [
            number(
                (box.findtext(key) if box is not None else None) or "",
                f"{path}: {where}: <{key}> of the {label!r}",
            )
            for key in ("xmin", "ymin", "xmax", "ymax")
        ]
        x0, y0, x1, y1 = corners
        builder.add(where, label, (x0 + low, y0 + low, x1 + high, y1 + high))
    return builder.build()


def _shifts(pixels: str) -> tuple[int, int]:
    if pixels not in PIXELS:
        raise AnnotationError(f"pixels must be one of {', '.join(PIXELS)}; received {pixels!r}")
    return PIXELS[pixels]


def _child(
    parent: ElementTree.Element, tag: str, text: str | int | None = None
) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, tag)
    element.text = None if text is None else str(text)
    return element


def _parse(path: Path) -> tuple[ElementTree.Element, dict[ElementTree.Element, int]]:
    """The tree, and the line on which each element begins; a document type is refused."""
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    lines: dict[ElementTree.Element, int] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        lines[builder.start(tag, attributes)] = parser.CurrentLineNumber

    def refuse(*_: object) -> None:
        raise AnnotationError(
            f"{path}: line {parser.CurrentLineNumber}: holds a document type (<!DOCTYPE …>), which "
            "VOC files do not need and attacks do; remove it"
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(read_bytes(path), True)
    except expat.ExpatError as error:
        raise AnnotationError(
            f"{path}: line {error.lineno}: no well-formed XML "
            f"({expat.ErrorString(error.code)}); the file is cut short or was edited"
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that does not exist
        raise AnnotationError(f"{path}: cannot be decoded ({error}); save it as UTF-8") from error
    return builder.close(), lines


def _size(
    path: Path, root: ElementTree.Element, size_px: tuple[int, int] | None
) -> tuple[int, int]:
    """The picture's size: the one given, which the file must not contradict, or the file's."""
    texts = [(root.findtext(f"size/{key}") or "").strip() for key in ("width", "height")]
    said = tuple(
        int(number(text, f"{path}: <size>")) if text else 0  # annotators write 0 for unknown
        for text in texts
    )
    if size_px is None:
        if min(said) < 1:
            raise AnnotationError(
                f"{path}: tells no usable size of its picture ({texts[0]}×{texts[1]}); "
                "pass size_px=(width, height)"
            )
        return said[0], said[1]
    if min(said) >= 1 and said != tuple(size_px):
        raise AnnotationError(
            f"{path}: belongs to a picture of {said[0]}×{said[1]} px, the one at hand has "
            f"{size_px[0]}×{size_px[1]}; use the picture that was annotated"
        )
    return size_px
