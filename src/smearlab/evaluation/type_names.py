"""What public archives call cells, and which of our types is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smearlab.errors import UnknownNameError
from smearlab.types import ELEMENT_OF_TYPE, Element

#: Type → the other names that it goes by: words, codes of archives, parts that a type has.
#: Case, spaces, hyphens and underscores do not matter, and a final s is understood.
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "erythrocyte": ("RBC", "red blood cell", "red cell"),
    "platelet": ("PLT", "PLA", "thrombocyte"),
    "neutrophil": (
        *("NE", "NEU", "NEUT", "neutro", "neutrophile", "neutrophilic granulocyte", "PMN"),
        *("SNE", "NGS", "seg", "segmented", "seg neutrophil", "segmented neutrophil"),
        *("neutrophil seg", "neutrophil segmented", "BNE", "NGB", "band", "band form"),
        *("band neutrophil", "neutrophil band", "band cell", "stab", "stab neutrophil"),
    ),
    "eosinophil": ("EO", "EOS", "eosi", "eosino", "eosinophile", "eosinophilic granulocyte"),
    "basophil": ("BA", "BAS", "baso", "basophile", "basophilic granulocyte"),
    "lymphocyte": (
        *("LY", "LYM", "LYMP", "lymph", "lympho", "LYT", "typical lymphocyte"),
        *("lymphocyte typical", "small lymph", "large lymph", "small lymphocyte"),
        *("large lymphocyte", "LYA", "atypical lymphocyte", "lymphocyte atypical"),
        *("reactive lymphocyte", "variant lymphocyte"),
    ),
    "monocyte": ("MO", "MON", "mono"),
    "immature granulocyte": (
        *("IG", "immature", "PMY", "PMO", "promyelocyte", "PMB", "promyelocyte bilobed"),
        *("MY", "MYB", "myelocyte", "MMY", "MMZ", "meta", "metamyelocyte"),
    ),
    "erythroblast": (
        *("ERB", "EBO", "NRBC", "normoblast", "nucleated red blood cell", "nucleated RBC"),
        *("nucleated red cell", "orthochromatic normoblast", "polychromatic normoblast"),
    ),
}
#: Names of boxes that say the element but not the type, or a form of red cell.
BOX_NAMES: Mapping[Element, tuple[str, ...]] = {
    "RBC": (
        *("normal cell", "normocyte", "discocyte", "macrocyte", "microcyte", "spherocyte"),
        *("target cell", "stomatocyte", "ovalocyte", "elliptocyte", "teardrop", "dacrocyte"),
        *("burr cell", "echinocyte", "acanthocyte", "schistocyte", "sickle cell"),
        *("hypochromia", "infected red blood cell", "ring", "trophozoite", "schizont"),
        "gametocyte",
    ),
    "WBC": ("WBC", "white blood cell", "white cell", "leukocyte", "leucocyte", "nucleated cell"),
    "PLT": (),
}


@dataclass(frozen=True)
class BoxClass:
    """What a class of a box set means.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
        What it is counted as.
    nucleated_type : str or None
        The type, where the name says that of a nucleated cell; None for "WBC", for red cells
        and for platelets.
    """

    element: Element
    nucleated_type: str | None = None


def name_key(name: str) -> str:
    """Lower case, letters and digits only, without a plural s."""
    key = "".join(letter for letter in name.casefold() if letter.isalnum())
    return key[:-1] if len(key) > 3 and key.endswith("s") else key


_TYPE_OF = {
    name_key(name): target for target, others in OTHER_NAMES.items() for name in (target, *others)
}
_ELEMENT_OF = {name_key(name): element for element, names in BOX_NAMES.items() for name in names}
#: Everything that :func:`cell_type` understands, as written in the table.
KNOWN_TYPE_NAMES = tuple(
    name for target, others in OTHER_NAMES.items() for name in (target, *others)
)


def cell_type(name: str) -> str:
    """The type that an archive's folder or label name stands for.

    Parameters
    ----------
    name : str
        As written, e.g. ``"ig"``, ``"NEUTROPHIL"``, ``"Lymph"``, ``"band_neutrophils"``.

    Returns
    -------
    str
        One of :data:`smearlab.types.CELL_TYPES`, never *unidentified*.

    Raises
    ------
    UnknownNameError
        If it is no known name; the message lists those that are.

    Examples
    --------
    >>> cell_type("ig"), cell_type("Lymph"), cell_type("band-neutrophils")
    ('immature granulocyte', 'lymphocyte', 'neutrophil')
    """
    found = _TYPE_OF.get(name_key(name))
    if found is None:
        raise UnknownNameError("cell type", name, KNOWN_TYPE_NAMES)
    return found


def box_class(name: str) -> BoxClass:
    """What a class name of a box set stands for.

    Parameters
    ----------
    name : str
        As written, e.g. ``"WBC"``, ``"Platelets"``, ``"neutrophil"``, ``"target cell"``.

    Returns
    -------
    BoxClass

    Raises
    ------
    UnknownNameError
        If it is no known name; the message lists those that are.

    Examples
    --------
    >>> box_class("Platelets").element, box_class("Neutrophil")
    ('PLT', BoxClass(element='WBC', nucleated_type='neutrophil'))
    """
    key = name_key(name)
    if key in _ELEMENT_OF:
        return BoxClass(_ELEMENT_OF[key])
    if key in _TYPE_OF:
        type_name = _TYPE_OF[key]
        element = ELEMENT_OF_TYPE[type_name]
        return BoxClass(element, type_name if element == "WBC" else None)
    elements = [known for names in BOX_NAMES.values() for known in names]
    raise UnknownNameError("box class", name, [*KNOWN_TYPE_NAMES, *elements])
