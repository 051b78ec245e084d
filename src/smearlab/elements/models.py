"""Which bundles stand behind the name of a model that tells elements apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smearlab.errors import BundleError, UnknownNameError, UsageError
from smearlab.io.bundles import elements_seen, find_bundle, own_models, read_card
from smearlab.registry import SHIPPED_BUNDLES, look_up
from smearlab.types import ELEMENTS, Element


@dataclass(frozen=True)
class ElementModel:
    """A model and its bundles.

    Parameters
    ----------
    name : str
        As it was asked for.
    bundles : mapping of str to Path
        Element → folder of the bundle that segments it; one bundle may serve several.
    """

    name: str
    bundles: Mapping[Element, Path]

    @property
    def elements(self) -> tuple[Element, ...]:
        """Those that it can segment, in the order of :data:`~smearlab.types.ELEMENTS`."""
        return tuple(element for element in ELEMENTS if element in self.bundles)

    def check(self, elements: Sequence[Element]) -> None:
        """Refuse elements that no bundle of the model segments.

        Raises
        ------
        UsageError
            Names them, those that the model has, and what to do.
        """
        lacking = [element for element in elements if element not in self.bundles]
        if lacking:
            raise UsageError(
                f"model {self.name} has no network for {' and '.join(lacking)}; it has "
                f"{', '.join(self.elements)}. Ask for these, or train a network for "
                f"{' and '.join(lacking)} and export it as "
                f"{' and '.join(f'FOLDER/{element.lower()}' for element in lacking)} beside the "
                "others"
            )


def find_model(name: str) -> ElementModel:
    """Find a model by name or folder.

    Parameters
    ----------
    name : str
        The name of a shipped segmenter; the folder of a bundle; a folder with bundles in the
        folders ``rbc``, ``wbc`` and ``plt``, or some of them; or the name of one of these in
        ``$SMEARLAB_MODELS``.

    Raises
    ------
    BundleError
        If no such folder is there, it holds no bundle, a bundle is of another kind, or does not
        segment the element that its folder is named after.
    UnknownNameError
        If the name is none that is known.
    """
    try:
        place = find_bundle("segmenter", name)
    except UnknownNameError:
        raise UnknownNameError("model", name, _known()) from None
    if (place / "card.json").exists():
        seen = elements_seen(read_card(place, "segmenter"))
        return ElementModel(name, dict.fromkeys(seen, place))
    folders = {element: place / element.lower() for element in ELEMENTS}
    bundles = {e: folder for e, folder in folders.items() if (folder / "card.json").exists()}
    if not bundles:
        raise BundleError(
            f"{place} is no model: it holds neither a bundle (model.onnx and card.json) nor one "
            "in the folder rbc, wbc or plt; export a trained network there"
        )
    for element, folder in bundles.items():
        seen = elements_seen(read_card(folder, "segmenter"))
        if element not in seen:
            raise BundleError(
                f"{folder} segments {', '.join(seen)}, not {element}, after which its folder is "
                "named; export it to the folder of its element"
            )
    return ElementModel(name, bundles)


def read_elements(words: Sequence[str], model: ElementModel) -> tuple[Element, ...]:
    """The elements that a command line asks for.

    Parameters
    ----------
    words : sequence of str
        ``rbc``, ``wbc``, ``plt`` or ``all``, in capitals or not; none for those that the model
        has.
    model : ElementModel

    Returns
    -------
    tuple of str
        In the order of :data:`~smearlab.types.ELEMENTS`.

    Raises
    ------
    UnknownNameError
        If a word is none of these.
    UsageError
        If the model lacks an element that was asked for.
    """
    if not words:
        return model.elements
    meant = {"all": ELEMENTS, **{element.lower(): (element,) for element in ELEMENTS}}
    asked = {e for word in words for e in look_up("element", meant, word.lower())}
    elements = tuple(element for element in ELEMENTS if element in asked)
    model.check(elements)
    return elements


def _known() -> list[str]:
    own = own_models()
    cards = [] if own is None else [*own.glob("*/card.json"), *own.glob("*/*/card.json")]
    names = {card.relative_to(own).parts[0] for card in cards if own is not None}
    return sorted({*SHIPPED_BUNDLES["segmenter"], *names})
