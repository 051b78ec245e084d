"""Segmented elements against pairs: what is judged, pooled and written."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from smearlab.datasets.element_pairs import (
    ElementPair,
    PairFile,
    held_out_pairs,
    list_pairs,
    load_pair,
    simulated_pairs,
)
from smearlab.errors import ImageError, UsageError
from smearlab.evaluation.element_objects import box_hits
from smearlab.evaluation.element_tables import elements_table
from smearlab.evaluation.elements import evaluate_elements
from smearlab.metrics.mask_overlap import mask_overlap, overlap_figures, overlap_rows
from smearlab.metrics.segmented_pictures import likeness, likeness_figures, likeness_rows
from smearlab.types import Element, Field


@dataclass(frozen=True)
class Picture:
    mask: np.ndarray
    segmented: np.ndarray
    generated: np.ndarray | None = None
    labels: np.ndarray | None = None


class Perfect:
    """Knows the answers."""

    def __init__(self, pairs: Sequence[ElementPair]) -> None:
        self.pairs = {(pair.name, pair.element): pair for pair in pairs}

    def segment(self, field: Field, elements: Sequence[Element]) -> Mapping[Element, Picture]:
        known = {element: self.pairs[field.name, element] for element in elements}
        return {element: Picture(pair.target, pair.picture) for element, pair in known.items()}


class DarkIsWhiteCell:
    """Otsu's threshold on the green channel, whatever is asked for."""

    def segment(self, field: Field, elements: Sequence[Element]) -> Mapping[Element, Picture]:
        green = np.ascontiguousarray(field.pixels[..., 1])
        _, dark = cv2.threshold(green, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
        mask = dark > 0
        picture = Picture(mask, np.where(mask[..., None], field.pixels, np.uint8(0)))
        return dict.fromkeys(elements, picture)


class Blind:
    """Finds nothing."""

    def segment(self, field: Field, elements: Sequence[Element]) -> Mapping[Element, Picture]:
        nothing = np.zeros(field.pixels.shape[:2], bool)
        return dict.fromkeys(elements, Picture(nothing, np.zeros_like(field.pixels)))


@pytest.fixture(scope="module")
def pairs() -> list[ElementPair]:
    return [load_pair(file) for e in ("RBC", "WBC", "PLT") for file in simulated_pairs(3, e)]


def entry(pair: ElementPair, source: str = "simulated") -> PairFile:
    return PairFile(pair.name, pair.element, source, "x", pair.group, pair.part)  # type: ignore[arg-type]


def evaluate(segmenter: object, pairs: Sequence[ElementPair], **options: object) -> dict:
    known = {(pair.name, pair.element): pair for pair in pairs}
    return evaluate_elements(
        segmenter,  # type: ignore[arg-type]
        [entry(pair) for pair in pairs],
        lambda file: known[file.name, file.element],
        resamples=30,
        **options,  # type: ignore[arg-type]
    )


def test_a_perfect_segmenter(pairs: list[ElementPair]) -> None:
    result = evaluate(Perfect(pairs), pairs)
    assert set(result["elements"]) == {"RBC", "WBC", "PLT"}
    for element in ("RBC", "WBC", "PLT"):
        figures = result["elements"][element]["simulated"]
        assert (figures["n"], figures["n_groups"]) == (3, 3)
        assert figures["dice"] == figures["iou"] == figures["boundary_f1"] == 1.0
        assert (figures["pcc"], figures["pce"]) == (1.0, 0.0)
        for ground in ("black", "white"):
            on = figures["on"][ground]
            assert on["ssim"] == pytest.approx(1.0)
            assert on["mae"] == 0.0
            assert on["psnr"] is None, "identical pictures: infinite, and JSON has no infinity"
        assert figures["intervals"]["dice"] == [1.0, 1.0]
    # White cells and platelets lie apart, so the watershed finds each of them.
    assert result["elements"]["PLT"]["simulated"]["object_f1_50"] == 1.0
    assert result["elements"]["PLT"]["simulated"]["panoptic_quality"] == 1.0
    json.dumps(result, allow_nan=False)


def test_a_blind_segmenter(pairs: list[ElementPair]) -> None:
    figures = evaluate(Blind(), pairs)["elements"]["RBC"]["simulated"]
    assert (figures["dice"], figures["boundary_f1"], figures["object_f1_50"]) == (0.0, 0.0, 0.0)
    assert figures["precision"] is None
    assert figures["n_found"] == 0
    assert figures["n_true"] > 0
    # Black in place of red cells still gets most pixels right: the target is mostly black.
    assert figures["pcc"] > 0.5


def test_what_the_network_drew_is_told_from_what_was_cut_out(pairs: list[ElementPair]) -> None:
    """A drawing that is nowhere right, beside a mask that is right everywhere."""

    class Draws(Perfect):
        def segment(self, field: Field, elements: Sequence[Element]) -> Mapping[Element, Picture]:
            return {
                element: replace(one, generated=255 - one.segmented)
                for element, one in super().segment(field, elements).items()
            }

    white = [pair for pair in pairs if pair.element == "WBC"]
    cut = evaluate(Perfect(pairs), white)["elements"]["WBC"]["simulated"]
    drawn = evaluate(Draws(pairs), white)["elements"]["WBC"]["simulated"]
    assert (cut["pictures"], drawn["pictures"]) == ("cut out", "generated")
    assert drawn["dice"] == cut["dice"] == 1.0
    found = [255 - pair.picture for pair in white]
    like = [
        likeness(f, p.picture, p.target, p.target) for f, p in zip(found, white, strict=True)
    ]  # fmt: skip
    mae = likeness_figures(likeness_rows(like))["mae"][0]
    assert drawn["on"]["black"]["mae"] == pytest.approx(mae) != 0
    assert drawn["on"]["black"]["mae"] > drawn["on"]["white"]["mae"], "the ground is cut off"


def test_cells_that_the_segmenter_tells_apart_are_not_split_again(pairs: list[ElementPair]) -> None:
    class Knows(Perfect):
        def segment(self, field: Field, elements: Sequence[Element]) -> Mapping[Element, Picture]:
            own = {element: self.pairs[field.name, element] for element in elements}
            return {
                element: Picture(pair.target, pair.picture, labels=7 * pair.objects)
                for element, pair in own.items()
                if pair.objects is not None
            }

    red = [pair for pair in pairs if pair.element == "RBC"]
    known = evaluate(Knows(pairs), red)["elements"]["RBC"]["simulated"]
    assert known["object_f1_50"] == known["panoptic_quality"] == 1.0
    split = evaluate(Perfect(pairs), red)["elements"]["RBC"]["simulated"]
    assert split["panoptic_quality"] < 1.0, "touching cells are hard for the watershed"
    by_box = [replace(pair, objects=None) for pair in red]

    class ByBox(Knows):
        def __init__(self) -> None:
            super().__init__(red)

    assert evaluate(ByBox(), by_box)["elements"]["RBC"]["simulated"]["object_f1_50"] == 1.0


def test_figures_are_those_of_the_metrics(pairs: list[ElementPair]) -> None:
    white = [pair for pair in pairs if pair.element == "WBC"]
    segmenter = DarkIsWhiteCell()
    figures = evaluate(segmenter, white)["elements"]["WBC"]["simulated"]
    found = [segmenter.segment(Field(p.pixels, p.name), ("WBC",))["WBC"] for p in white]
    like = [
        likeness(f.segmented, p.picture, f.mask, p.target)
        for f, p in zip(found, white, strict=True)
    ]
    expected = {n: v[0] for n, v in likeness_figures(likeness_rows(like)).items()}
    for name in ("ssim", "psnr", "snr", "mae"):
        assert figures["on"]["black"][name] == pytest.approx(expected[name])
    assert figures["pcc"] == pytest.approx(expected["pcc"])
    area = [
        mask_overlap(f.mask, p.target, tolerance_px=2 * p.diameter_px / 64)
        for f, p in zip(found, white, strict=True)
    ]
    for name, value in overlap_figures(overlap_rows(area)).items():
        assert figures[name] == pytest.approx(value[0])
    assert figures["on"]["white"]["snr"] > figures["on"]["black"]["snr"]
    low, high = figures["intervals"]["dice"]
    assert low <= figures["dice"] <= high
    one = figures["fields"][1]
    assert one["name"] == white[1].name
    alone = overlap_figures(overlap_rows(area[1:2]))
    assert one["dice"] == pytest.approx(alone["dice"][0])


def test_pictures_of_one_group_are_resampled_together(pairs: list[ElementPair]) -> None:
    white = [replace(pair, group="one") for pair in pairs if pair.element == "WBC"]
    figures = evaluate(DarkIsWhiteCell(), white)["elements"]["WBC"]["simulated"]
    assert figures["n_groups"] == 1
    assert figures["intervals"]["dice"] == [None, None]


def test_sources_are_not_pooled(pairs: list[ElementPair]) -> None:
    white = [pair for pair in pairs if pair.element == "WBC"]
    known = {pair.name: pair for pair in white}
    files = [entry(white[0], "boxes"), entry(white[1], "bccd_masks"), entry(white[2], "boxes")]
    result = evaluate_elements(Blind(), files, lambda f: known[f.name], resamples=5)
    assert {name: one["n"] for name, one in result["elements"]["WBC"].items()} == {
        "boxes": 2,
        "bccd_masks": 1,
    }


def test_what_is_unknown_is_not_judged(pairs: list[ElementPair]) -> None:
    pair = next(pair for pair in pairs if pair.element == "PLT")
    off = replace(pair, unknown=~pair.target)
    figures = evaluate(DarkIsWhiteCell(), [off])["elements"]["PLT"]["simulated"]
    assert figures["precision"] == 1.0, "all that is found beside the target is left out"
    assert evaluate(DarkIsWhiteCell(), [pair])["elements"]["PLT"]["simulated"]["precision"] < 1


def test_threads_change_nothing(pairs: list[ElementPair]) -> None:
    assert evaluate(DarkIsWhiteCell(), pairs, jobs=3) == evaluate(DarkIsWhiteCell(), pairs)


def test_a_bad_pair_costs_itself(pairs: list[ElementPair]) -> None:
    def load(file: PairFile) -> ElementPair:
        if file.name == pairs[0].name:
            raise ImageError("torn")
        return pairs[1]

    files = [entry(pairs[0]), entry(pairs[1])]
    result = evaluate_elements(Blind(), files, load, resamples=5)
    assert result["errors"] == [{"file": pairs[0].name, "reason": "torn"}]
    assert result["elements"]["RBC"]["simulated"]["n"] == 1
    with pytest.raises(UsageError, match="none of the 1 pairs could be evaluated; the first: torn"):
        evaluate_elements(Blind(), files[:1], load, resamples=5)


def labels_of(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    canvas = np.zeros((60, 60), np.int32)
    for n, (x0, y0, x1, y1) in enumerate(boxes, start=1):
        canvas[y0:y1, x0:x1] = n
    return canvas


def test_objects_match_boxes_at_half_an_overlap() -> None:
    true = np.array([(10, 10, 20, 20), (30, 30, 40, 40), (5, 50, 15, 60)], np.float32)
    known = np.zeros((60, 60), bool)
    found = labels_of((10, 10, 20, 15), (30, 30, 40, 34), (45, 45, 55, 55))
    hits = box_hits(found, true, known)
    assert (hits.hits, hits.wrong, hits.missed) == (1, 2, 2)  # IoU 0.5 is one, 0.4 is none
    assert (hits.n_true, hits.n_found) == (3, 3)
    known[44:60, 44:60] = True
    assert box_hits(found, true, known).wrong == 1, "nothing is claimed where the third lies"
    twice = labels_of((10, 10, 20, 18), (10, 18, 20, 20))
    assert (box_hits(twice, true, known).hits, box_hits(twice, true, known).wrong) == (1, 1)
    nothing = box_hits(np.zeros((60, 60), np.int32), true[:0], known)
    assert (nothing.hits, nothing.wrong, nothing.missed) == (0, 0, 0)


def test_the_table_names_figures_and_sources(pairs: list[ElementPair]) -> None:
    result = evaluate(DarkIsWhiteCell(), pairs)
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(elements_table(result))
    text = console.export_text()
    for word in ("RBC simulated", "WBC simulated", "3 fields", "Dice", "PCC", "SSIM on black"):
        assert word in text
    dice = result["elements"]["WBC"]["simulated"]["dice"]
    assert f"{dice:.3f}" in text


# Real pictures.


def test_real_white_cells(data_dir: Path) -> None:
    files = [p for p in list_pairs(data_dir, "WBC", truths=("mask",)) if p.part == "test"][::20]
    result = evaluate_elements(DarkIsWhiteCell(), files, load_pair, resamples=20)
    figures = result["elements"]["WBC"]["bccd_masks"]
    assert result["errors"] == []
    assert figures["n"] == len(files)
    assert 0 < figures["dice"] < 1
    assert math.isclose(figures["pcc"] + figures["pce"], 1)


def test_real_red_cells_and_platelets(data_dir: Path) -> None:
    files = [
        *held_out_pairs(data_dir)[::10],
        *[p for p in list_pairs(data_dir, "PLT") if p.part == "test"][::80],
    ]
    result = evaluate_elements(DarkIsWhiteCell(), files, load_pair, resamples=20)
    assert result["errors"] == []
    red = result["elements"]["RBC"]["bbbc041seg"]
    assert red["object_f1_50"] > 0.5, "dark cells on a light slide are easy"
    platelets = result["elements"]["PLT"]["boxes"]
    assert "panoptic_quality" not in platelets
    assert platelets["n_true"] > 0
