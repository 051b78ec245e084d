"""Cards of bundles: what ``card.json`` must say, checked before a network is loaded.

The contracts of the kinds are in :mod:`smearlab.io.bundles`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.errors import BundleError
from smearlab.types import CELL_TYPES, ELEMENTS, UNIDENTIFIED, Element

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "segmenter": ("classes", "stride", "context_px", "map_step", "decoder", "cell_diameter_px"),
    "classifier": ("classes", "input_px", "context", "threshold"),
    "generator": ("classes", "latent_size", "size_px"),
    "upscaler": ("factor", "context_px"),
    "stain": ("multiple_px", "context_px", "tile_px", "from", "to", "network"),
}
#: What the card of a segmenter needs besides, by its decoder.
_REQUIRED_BY_DECODER: Mapping[str, tuple[str, ...]] = {
    "centres": ("grid_step", "suppress"),
    "watershed": (),
}
#: Of a segmenter that takes fields of any size and measures their cells itself.
_REQUIRED_FOR_SCALE = ("first_look_px", "cell_diameter_range_px")
#: What a type of a generator may be called.
_FOLDER_NAME = re.compile(r"[^\W_](?:[\w +.-]*[\w+-])?")
#: What only a watershed segmenter may have on its card.
_OF_WATERSHED = ("blend", "noise", "segmented")


def read_card(folder: Path, kind: str) -> dict[str, Any]:
    """Read and check ``card.json``.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    kind : str
        ``"segmenter"``, ``"classifier"``, ``"generator"``, ``"upscaler"`` or ``"stain"``.

    Raises
    ------
    BundleError
        If it is missing, is not JSON, is of another kind, lacks a key, or names what the bench
        does not know.
    """
    path = folder / "card.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        inside = sorted(inner.parent.name for inner in folder.glob("*/card.json"))
        remedy = f"; it holds the bundles {', '.join(inside)}: name one of them" if inside else ""
        raise BundleError(
            f"{folder} is no bundle: {path.name} cannot be read ({error.strerror}); a bundle is a "
            f"folder with model.onnx and card.json{remedy}"
        ) from error
    except ValueError as error:
        raise BundleError(f"{path} is not valid JSON ({error}); restore the bundle") from error
    if not isinstance(card, dict) or card.get("kind") != kind:
        found = card.get("kind") if isinstance(card, dict) else type(card).__name__
        article = "an" if kind[0] in "aeiou" else "a"
        raise BundleError(
            f"{folder} is a bundle of kind {found!r}; {article} {kind} is needed here"
        )
    required = ["name", "sha256", *_REQUIRED[kind]]
    if kind == "segmenter":
        required += _REQUIRED_BY_DECODER.get(card.get("decoder", ""), ())
        if card.get("decoder") != "watershed" and "size_px" not in card:
            required += _REQUIRED_FOR_SCALE
    missing = [key for key in required if key not in card]
    if missing:
        raise BundleError(f"{path} lacks {', '.join(missing)}; export the bundle again")
    _check_words(path, card)
    return card


def _check_words(path: Path, card: Mapping[str, Any]) -> None:
    """The card's decoder, classes and steps are such as the bench understands."""
    if card["kind"] == "classifier":
        strange = [name for name in card["classes"] if name not in CELL_TYPES[:-1]]
        if strange or len(set(card["classes"])) != len(card["classes"]):
            raise BundleError(
                f"{path} lists the classes {card['classes']}; each must be one of "
                f"{', '.join(CELL_TYPES[:-1])}, once ({UNIDENTIFIED} comes from the threshold)"
            )
        return
    if card["kind"] == "generator":
        _check_generator(path, card)
        return
    if card["kind"] == "upscaler":
        _check_least(path, card, factor=2, context_px=0)
        return
    if card["kind"] == "stain":
        _check_least(path, card, multiple_px=1, context_px=0, tile_px=1)
        for key in ("from", "to"):
            if not isinstance(card[key], str) or not card[key]:
                raise BundleError(f"{path}: {key} is {card[key]!r}; it must name a stain")
        _check_ground(path, card.get("ground"))
        return
    if card["decoder"] not in _REQUIRED_BY_DECODER:
        raise BundleError(
            f"decoder {card['decoder']!r} of {path} is unknown; known: "
            f"{', '.join(_REQUIRED_BY_DECODER)}"
        )
    wanted = ["background", *ELEMENTS] if card["decoder"] == "centres" else ["background"]
    if list(card["classes"])[: len(wanted)] != wanted or len(card["classes"]) < 2:
        raise BundleError(
            f"{path} lists the classes {card['classes']}; they must begin with "
            f"{', '.join(wanted)}, in this order"
        )
    for name in ("stride", "map_step", "grid_step"):
        step = card.get(name, 1)
        if not isinstance(step, int) or step < 1 or card["stride"] % step:
            raise BundleError(
                f"{path}: {name} is {step!r}; it must be a whole number from 1 on that divides "
                f"the stride, {card['stride']!r}"
            )
    _check_element(path, card)
    others = [key for key in _OF_WATERSHED if key in card]
    if others and card["decoder"] != "watershed":
        raise BundleError(
            f"{path}: {', '.join(others)} on the card of decoder {card['decoder']!r}; only that of "
            "watershed may have it"
        )
    if not isinstance(card.get("segmented", False), bool):
        raise BundleError(f"{path}: segmented is {card['segmented']!r}; it must be true or false")
    if "blend" in card:
        _check_blend(path, card)
    if "noise" in card:
        _check_noise(path, card)


def _check_least(path: Path, card: Mapping[str, Any], **least: int) -> None:
    """Whole numbers, each at least so large."""
    for key, lowest in least.items():
        if _whole(card, key) < lowest:
            raise BundleError(
                f"{path}: {key} is {card[key]!r}; it must be a whole number from {lowest}"
            )


def _check_ground(path: Path, ground: Any) -> None:
    """The colour that pictures' ground is given, where it is given one."""
    if ground is None:
        return
    numbers = ground if isinstance(ground, list) else []
    plain = [type(one) in (int, float) and 0 <= one <= 255 for one in numbers]
    if len(plain) != 3 or not all(plain):
        raise BundleError(
            f"{path}: ground is {ground!r}; it must be a colour, three numbers of 0 to 255"
        )


def _check_generator(path: Path, card: Mapping[str, Any]) -> None:
    """Types are folders of what is generated: plain names, each once."""
    classes = card["classes"]
    plain = isinstance(classes, list) and all(
        isinstance(name, str) and _FOLDER_NAME.fullmatch(name) for name in classes
    )
    if not plain or not classes or len({name.lower() for name in classes}) != len(classes):
        raise BundleError(
            f"{path} lists the classes {classes!r}; they must be different names, at least one, "
            "of letters, digits, spaces, '_', '-', '+' and '.', beginning with a letter or digit"
        )
    for key in ("latent_size", "size_px"):
        if _whole(card, key) < 1:
            raise BundleError(f"{path}: {key} is {card[key]!r}; it must be a whole number from 1")


def _check_element(path: Path, card: Mapping[str, Any]) -> None:
    if "element" not in card:
        return
    element = card["element"]
    if element not in ELEMENTS or element not in card["classes"]:
        raise BundleError(
            f"{path}: element is {element!r}; it must be one of {', '.join(ELEMENTS)}, and be "
            f"among the classes {card['classes']}"
        )


def _check_blend(path: Path, card: Mapping[str, Any]) -> None:
    """Tiles of one fixed size, whose places fall on whole steps of the maps."""
    blend, step = card["blend"], card["map_step"]
    tile, overlap = (_whole(blend, key) for key in ("tile_px", "overlap_px"))
    if not 0 < overlap < tile or tile % card["stride"] or tile % step or overlap % step:
        raise BundleError(
            f"{path}: blend is {blend!r}; it must hold tile_px, a multiple of the stride "
            f"({card['stride']}), and overlap_px, above 0 and below tile_px; both whole multiples "
            f"of map_step ({step})"
        )


def _check_noise(path: Path, card: Mapping[str, Any]) -> None:
    """Factors of dropout, as many as a tile of fixed size has."""
    noise = card["noise"]
    keep = noise.get("keep") if isinstance(noise, dict) else None
    if _whole(noise, "size") < 1 or not isinstance(keep, int | float) or not 0 < keep <= 1:
        raise BundleError(
            f"{path}: noise is {noise!r}; it must hold size, a whole number from 1 on, and keep, "
            "a probability above 0"
        )
    if "blend" not in card:
        raise BundleError(
            f"{path} has noise but no blend: factors are of one size, so the tiles must be, too; "
            "export the bundle with blend"
        )


def _whole(entry: object, key: str) -> int:
    """A whole number of an entry; -1 where there is none."""
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, int) else -1


def elements_seen(card: Mapping[str, Any]) -> tuple[Element, ...]:
    """The elements that a segmenter, or what follows it, can tell.

    Parameters
    ----------
    card : mapping
        Of a segmenter.

    Returns
    -------
    tuple of str
        In the order of :data:`~smearlab.types.ELEMENTS`: those among its classes. All of them
        where a class is no element ("cell"): the classifier then says what each cell is.

    Examples
    --------
    >>> elements_seen({"classes": ["background", "WBC"]})
    ('WBC',)
    >>> elements_seen({"classes": ["background", "cell"]})
    ('RBC', 'WBC', 'PLT')
    """
    classes = list(card.get("classes", ()))[1:]
    if not classes or any(name not in ELEMENTS for name in classes):
        return ELEMENTS
    return tuple(element for element in ELEMENTS if element in classes)
