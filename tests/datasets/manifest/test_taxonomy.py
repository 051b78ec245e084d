"""Taxonomies: every archive's labels have a meaning, and what is left out is said."""

from __future__ import annotations

import re
from typing import Any

import pytest

from manifest_rows import manifest_of
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.manifest.taxonomy import (
    KINDS,
    NARROW_KINDS,
    OWN_LABELS,
    TAXONOMIES,
    kind_of,
    typed,
)
from smearlab.errors import ManifestError, UnknownNameError

#: Labels as the archives write them.
ARCHIVES = {
    "pbc": "neutrophil eosinophil basophil lymphocyte monocyte ig erythroblast platelet "
    "SNE BNE NEUTROPHIL EO BA LY MO IG MY MMY PMY ERB PLATELET",
    "aml_lmu": "NGS NGB EOS BAS MON LYT LYA MYO MYB MOB PMO PMB EBO KSC MMZ",
    "txl_pbc": "WBC RBC PLT Platelets",
    "bccd": "RBC WBC Platelets",
    "bccd4": "EOSINOPHIL LYMPHOCYTE MONOCYTE NEUTROPHIL",
    "lisc": "Baso eosi lymp mono neut mixt",
    "raabin": "Basophil Eosinophil Lymphocyte Monocyte Neutrophil Burst Artifact",
    "all_idb1": "0 1 healthy ALL blast",
    "all_idb2": "0 1 healthy blast",
    "zheng": "1 2 3 4 5 neutrophil",
}


@pytest.mark.parametrize("dataset", ARCHIVES)
def test_every_label_of_every_archive_has_a_meaning(dataset: str) -> None:
    for label in ARCHIVES[dataset].split():
        assert kind_of(label, dataset) in KINDS


def test_labels_mean_what_their_archives_say() -> None:
    assert [kind_of(code) for code in ("MYB", "MYO", "MOB", "PMB", "KSC", "LYA", "EBO")] == [
        *("immature granulocyte", "myeloblast", "monoblast", "promyelocyte", "smudge cell"),
        *("lymphocyte", "erythroblast"),
    ]
    assert [kind_of(n, "zheng1") for n in "12345"] == [
        *("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
    ]
    assert kind_of("1", "all_idb2") == "blast"
    with pytest.raises(UnknownNameError):
        kind_of("1", "pbc")


def test_taxonomies_have_the_types_that_their_names_say() -> None:
    for name, taxonomy in TAXONOMIES.items():
        assert len(taxonomy.types) == int("".join(c for c in name if c.isdecimal()))
        inside = [kind for kinds in taxonomy.types.values() for kind in kinds]
        assert len(set(inside)) == len(inside), f"{name} has a kind twice"
        assert set(inside) | set(taxonomy.left_out) == set(KINDS)
        assert not set(inside) & set(taxonomy.left_out)
    assert {n for own in OWN_LABELS.values() for n in own.values()} <= set(KINDS)
    assert set(NARROW_KINDS) <= set(KINDS)


def test_the_twelve_types_are_those_of_the_thesis() -> None:
    """Table 6, from the labels of Tables 2 and 3 less what Tables 4 and 5 eliminate."""
    pbc = {
        "neutrophil": 3316,
        "eosinophil": 3117,
        "basophil": 1162,
        "lymphocyte": 1213,
        "monocyte": 1418,
        "ig": 2881,
        "erythroblast": 1470,
        "platelet": 2339,
    }
    munich = {
        "BAS": 62,
        "EBO": 77,
        "EOS": 421,
        "KSC": 15,
        "LYA": 7,
        "LYT": 3818,
        "MOB": 26,
        "MON": 1165,
        "MYB": 39,
        "MYO": 3104,
        "NGB": 82,
        "NGS": 7346,
        "PMB": 18,
        "PMO": 69,
        "MMZ": 13,
    }
    found: dict[str | None, int] = {}
    for label, n in (pbc | munich).items():
        name = TAXONOMIES["cells12"].type_of(kind_of(label))
        found[name] = found.get(name, 0) + n
    assert found == {
        "basophil": 1224,
        "eosinophil": 3538,
        "erythroblast": 1547,
        "lymphocyte": 5038,
        "immature granulocyte": 2933,
        "monoblast": 26,
        "monocyte": 2583,
        "myeloblast": 3104,
        "neutrophil": 10744,
        "platelet": 2339,
        "promyelocyte": 87,
        "smudge cell": 15,
    }


ROWS: list[dict[str, Any]] = [
    {"label": "ig", "subtype": "promyelocyte", "dataset": "pbc"},
    {"label": "PLATELET", "dataset": "pbc"},
    {"label": "NGS", "dataset": "aml_lmu"},
    {"label": None, "dataset": "bccd", "boxes": [{"label": "RBC"}, {"label": "Platelets"}]},
]


def test_types_are_given_and_counted() -> None:
    done = typed(manifest_of(ROWS), "cells9")
    assert done.column("type").tolist() == ["immature granulocyte", "platelet", "neutrophil", None]
    assert done.column("label").tolist() == [row["label"] for row in ROWS]
    line = done.provenance[-1]
    assert line["arguments"]["to"] == "cells9"
    assert line["changed"] == {
        "types": {"immature granulocyte": 1, "neutrophil": 1, "platelet": 1},
        "without_label": 1,
        "dropped_rows": 0,
        "dropped_labels": {},
    }
    finer = typed(manifest_of(ROWS), "cells12", subtypes=True)
    assert finer.column("type")[0] == "promyelocyte"


def test_labels_without_a_type_are_all_listed() -> None:
    rows = [*ROWS, {"label": "wibble"}, {"label": "wibble"}, {"label": "wobble"}]
    with pytest.raises(ManifestError) as caught:
        typed(manifest_of(rows), "wbc5")
    for part in (
        "'PLATELET' (left out on purpose; 1 row, first row 2: 1.png)",
        "'ig' (left out on purpose; 1 row, first row 1: 0.png)",
        "'wibble' (unknown; 2 rows, first row 5: 4.png)",
        "'wobble' (unknown; 1 row, first row 7: 6.png)",
        "--drop-unmapped",
    ):
        assert part in str(caught.value)


def test_rows_are_dropped_only_when_asked_to() -> None:
    done = typed(manifest_of(ROWS), "wbc5", drop_left_out=True)
    assert done.column("type").tolist() == ["neutrophil", None]
    assert done.provenance[-1]["changed"]["dropped_labels"] == {"ig": 1, "PLATELET": 1}
    rows = [*ROWS, {"label": "wibble"}]
    with pytest.raises(ManifestError, match=re.escape("'wibble' (unknown; 1 row, first row 5")):
        typed(manifest_of(rows), "wbc5", drop_left_out=True)
    done = typed(manifest_of(rows), "wbc5", drop_left_out=True, leave_out=["Wibble"])
    assert done.provenance[-1]["changed"]["dropped_rows"] == 3


def test_boxes_are_renamed_when_asked_to() -> None:
    plain = typed(manifest_of(ROWS), "elements3")
    assert [box["label"] for box in plain.table.column("boxes")[3].as_py()] == ["RBC", "Platelets"]
    done = typed(manifest_of(ROWS), "elements3", boxes=True)
    assert [box["label"] for box in done.table.column("boxes")[3].as_py()] == ["RBC", "PLT"]
    with pytest.raises(ManifestError, match="'box RBC'"):
        typed(manifest_of(ROWS[3:]), "cells8", boxes=True)
    done = typed(manifest_of(ROWS[3:]), "cells8", boxes=True, drop_left_out=True)
    assert [box["label"] for box in done.table.column("boxes")[0].as_py()] == ["platelet"]
    assert done.provenance[-1]["changed"]["dropped_labels"] == {"box RBC": 1}


def test_an_unknown_taxonomy_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'wbc5'"):
        typed(manifest_of(ROWS), "wbc6")


def test_a_table_without_labels_is_refused() -> None:
    with pytest.raises(ManifestError, match="the column 'label' is empty or missing"):
        typed(manifest_of([{}, {}]), "wbc5")
    fields = manifest_of([{"boxes": []}, {}])
    assert typed(fields, "wbc5").column("type").tolist() == [None, None]


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_label_that_an_import_writes_has_a_meaning(name: str) -> None:
    for label in (*ADAPTERS[name].classes, *ADAPTERS[name].box_classes):
        assert kind_of(label, name) in KINDS


def test_maturity_is_of_cells_and_says_nothing_of_fields_or_people() -> None:
    of = TAXONOMIES["maturity2"].type_of
    labels = ["ig", "PMY", "MMY", "erythroblast", "MYO", "SNE", "BA", "platelet", "KSC"]
    expected = [*["immature"] * 5, "mature", "mature", None, None]
    assert [of(kind_of(label, "pbc")) for label in labels] == expected
    for label in ("0", "1"):
        assert of(kind_of(label, "all_idb1")) is None
    assert of(kind_of("0", "all_idb2")) is None  # healthy, of whatever age
