"""From field to cells with a segmenter of one element alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smearlab.pipeline import Analyzer
from smearlab.types import UNIDENTIFIED, Field
from tiny_bundles import (
    DISC_UM_PER_PX,
    ELEMENT_CARD,
    draw_discs,
    element_model,
    write_bundle,
    write_classifier,
    write_element,
)


def test_a_segmenter_of_one_element_finds_that_element(tmp_path: Path) -> None:
    pixels = draw_discs([(30, 30, "RBC"), (110, 34, "WBC"), (62, 98, "PLT"), (140, 100, "RBC")])
    field = Field(pixels, "discs", DISC_UM_PER_PX)
    for element, kind in (("RBC", "erythrocyte"), ("PLT", "platelet"), ("WBC", UNIDENTIFIED)):
        analyzer = Analyzer.load(str(write_element(tmp_path / element, element)), None)
        cells = analyzer.analyze(field).cells
        assert analyzer.elements == (element,)
        assert {cell.element for cell in cells} == {element}
        assert {cell.type for cell in cells} == {kind}
        assert len(cells) == (2 if element == "RBC" else 1)


def test_the_classifier_turns_no_cell_into_an_element_that_was_not_looked_for(
    tmp_path: Path,
) -> None:
    """To this classifier everything is an erythrocyte."""
    classes = ["erythrocyte", "platelet", "basophil"]
    blind = str(write_classifier(tmp_path / "types", classes=classes, threshold=0.0))
    red = draw_discs([(60, 60, (220, 30, 40))])
    field = Field(np.ascontiguousarray(red), "red", DISC_UM_PER_PX)
    # It has the card of white cells and the network of red ones.
    folder = tmp_path / "wrong"
    model = element_model("RBC")
    card = {**ELEMENT_CARD, "name": "wrong", "classes": ["background", "WBC"]}
    (cell,) = Analyzer.load(str(write_bundle(folder, model, card)), blind).analyze(field).cells
    assert (cell.element, cell.type) == ("WBC", UNIDENTIFIED)
    assert max(cell.probabilities, key=cell.probabilities.__getitem__) == "erythrocyte"
    both = {**card, "classes": ["background", "cell"]}
    (cell,) = Analyzer.load(str(write_bundle(folder, model, both)), blind).analyze(field).cells
    assert (cell.element, cell.type) == ("RBC", "erythrocyte")
