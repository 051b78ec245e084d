"""Names that archives use, and names that nobody knows."""

from __future__ import annotations

import re

import pytest

from smearlab.errors import UnknownNameError
from smearlab.evaluation.type_names import BOX_NAMES, OTHER_NAMES, box_class, cell_type
from smearlab.types import CELL_TYPES, ELEMENT_OF_TYPE, UNIDENTIFIED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ig", "immature granulocyte"),
        ("IG", "immature granulocyte"),
        ("MY", "immature granulocyte"),
        ("MMY", "immature granulocyte"),
        ("PMY", "immature granulocyte"),
        ("Promyelocyte", "immature granulocyte"),
        ("NEUTROPHIL", "neutrophil"),
        ("seg_neutrophils", "neutrophil"),
        ("Band Neutrophils", "neutrophil"),
        ("BNE", "neutrophil"),
        ("SNE", "neutrophil"),
        ("Lymph", "lymphocyte"),
        ("Basophils", "basophil"),
        ("EOS", "eosinophil"),
        ("monocyte", "monocyte"),
        ("NRBC", "erythroblast"),
        ("normoblasts", "erythroblast"),
        ("PLT", "platelet"),
        ("thrombocyte", "platelet"),
        ("RBCs", "erythrocyte"),
        ("red-blood-cells", "erythrocyte"),
    ],
)
def test_archives_are_understood(name: str, expected: str) -> None:
    assert cell_type(name) == expected


def test_every_type_has_names_and_understands_its_own() -> None:
    assert set(OTHER_NAMES) == set(CELL_TYPES) - {UNIDENTIFIED}
    assert all(cell_type(name) == name for name in OTHER_NAMES)


def test_no_name_means_two_things() -> None:
    pairs = [(n.casefold(), t) for t, names in OTHER_NAMES.items() for n in (t, *names)]
    assert len({name for name, _ in pairs}) == len(pairs)
    for target, names in OTHER_NAMES.items():
        assert all(cell_type(name) == target for name in names)
    for element, names in BOX_NAMES.items():
        assert all(box_class(name).element == element for name in names)


@pytest.mark.parametrize("name", ["blast", "unidentified", "", "artefact", "smudge cell"])
def test_unknown_names_are_errors_that_list_the_known(name: str) -> None:
    for call in (cell_type, box_class):
        with pytest.raises(UnknownNameError) as caught:
            call(name)
        assert re.search(rf"{name!r}(\.|; did you mean '[^']+'\?) Known: ", str(caught.value))
        assert "neutrophil" in str(caught.value)
        assert "erythroblast" in str(caught.value)


def test_a_slip_gets_a_hint() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'neutrophil'"):
        cell_type("neutrofil")


@pytest.mark.parametrize(
    ("name", "element", "nucleated_type"),
    [
        ("WBC", "WBC", None),
        ("leukocytes", "WBC", None),
        ("RBC", "RBC", None),
        ("target cell", "RBC", None),
        ("erythrocyte", "RBC", None),
        ("Platelets", "PLT", None),
        ("platelet", "PLT", None),
        ("Neutrophil", "WBC", "neutrophil"),
        ("erythroblast", "WBC", "erythroblast"),
    ],
)
def test_box_classes(name: str, element: str, nucleated_type: str | None) -> None:
    meaning = box_class(name)
    assert (meaning.element, meaning.nucleated_type) == (element, nucleated_type)
    if nucleated_type:
        assert ELEMENT_OF_TYPE[nucleated_type] == element
