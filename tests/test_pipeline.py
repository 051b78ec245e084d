"""From field to typed cells: with a network that can be foretold, and with those that ship."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.count.summary import summarise
from smearlab.datasets.simulator import SimulatedField, SmearConfig, simulate_field
from smearlab.errors import UsageError
from smearlab.io.bundles import find_bundle
from smearlab.pipeline import Analyzer
from smearlab.types import ELEMENTS, UNIDENTIFIED, Cell, Field
from tiny_bundles import (
    BETWEEN,
    DISC_PX,
    PALE,
    draw_discs,
    write_classifier,
    write_segmenter,
)

PLACED = [
    (30, 30, "RBC"),
    (54, 30, "RBC"),
    (110, 34, "WBC"),
    (158, 34, PALE),
    (62, 98, "PLT"),
    (118, 106, BETWEEN),
]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("bundles")
    return (
        str(write_segmenter(folder / "discs")),
        str(write_classifier(folder / "types", threshold=0.9)),
    )


@pytest.fixture(scope="module")
def tiny(bundles: tuple[str, str]) -> Analyzer:
    return Analyzer.load(*bundles)


@pytest.fixture(scope="module")
def fixed(bundles: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Analyzer:
    """The same, always at the scale of a field of 192 px."""
    folder = write_segmenter(tmp_path_factory.mktemp("fixed") / "discs", size_px=192)
    return Analyzer.load(str(folder), bundles[1])


@pytest.fixture(scope="module")
def shipped() -> Analyzer:
    for kind in ("segmenter", "classifier"):
        if not find_bundle(kind, "default").is_dir():
            pytest.skip(f"the shipped {kind} is not in this checkout")
    return Analyzer.load()


@pytest.fixture
def field() -> Field:
    return Field(draw_discs(PLACED), "discs")


def elements(cells: Iterable[Cell]) -> dict[str, int]:
    counted = Counter(cell.element for cell in cells)
    return {name: counted[name] for name in ELEMENTS}


def unplaced(truth: SimulatedField) -> Field:
    """The field as a camera without a scale gives it."""
    return replace(truth.field, um_per_px=None)


def test_cells_are_found_and_typed(tiny: Analyzer, field: Field) -> None:
    analysis = tiny.analyze(field)
    assert (analysis.width_px, analysis.height_px) == (192, 160)
    found = {
        ((c.bbox[0] + c.bbox[2]) // 2, (c.bbox[1] + c.bbox[3]) // 2): (c.element, c.type)
        for c in analysis.cells
    }
    assert found == {
        (30, 30): ("RBC", "erythrocyte"),
        (54, 30): ("RBC", "erythrocyte"),
        (110, 34): ("WBC", "neutrophil"),
        (158, 34): ("WBC", "lymphocyte"),
        (62, 98): ("PLT", "platelet"),
        (118, 106): ("WBC", UNIDENTIFIED),
    }
    assert [cell.label for cell in analysis.cells] == [1, 2, 3, 4, 5, 6]
    for cell in analysis.cells:
        assert cell.field == "discs"
        assert cell.centroid == pytest.approx(
            ((cell.bbox[0] + cell.bbox[2]) / 2, (cell.bbox[1] + cell.bbox[3]) / 2), abs=1.5
        )
        assert cell.area_px == pytest.approx(math.pi * DISC_PX**2 / 4, rel=0.2)
        assert sum(cell.probabilities.values()) == pytest.approx(1)
        assert cell.confidence == max(cell.probabilities.values())
        assert not cell.touches_border


def test_labels_are_painted_as_cells_say(tiny: Analyzer, field: Field) -> None:
    analysis = tiny.analyze(field)
    labels = analysis.labels.array
    assert labels.shape == (160, 192)
    for cell in analysis.cells:
        assert (labels == cell.label).sum() == cell.area_px
        x, y = (int(value) for value in cell.centroid)
        assert labels[y, x] == cell.label
    assert analysis.labels is analysis.labels


def test_the_border_is_told(tiny: Analyzer) -> None:
    placed = [(6, 30, "RBC"), (94, 4, "WBC"), (186, 94, "RBC"), (94, 155, "PLT"), (94, 78, "RBC")]
    analysis = tiny.analyze(Field(draw_discs(placed), "border"))
    assert [cell.touches_border for cell in analysis.cells] == [True, True, False, True, True]


@given(
    places=st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 6), st.sampled_from(ELEMENTS)),
        max_size=20,
        unique_by=lambda place: place[:2],
    ),
    tile_px=st.integers(8, 250),
    overlap_px=st.integers(0, 100),
)
def test_tiles_change_no_cell(
    fixed: Analyzer, places: list[tuple], tile_px: int, overlap_px: int
) -> None:
    pixels = draw_discs([(14 + 24 * x, 10 + 24 * y, colour) for x, y, colour in places])
    field = Field(pixels, "grid")
    whole = fixed.analyze(field).cells
    other = Analyzer(*fixed.bundles.values(), tile_px=tile_px, overlap_px=overlap_px)
    tiled = other.analyze(field).cells
    assert len(whole) == len(places)
    assert [(c.type, c.bbox) for c in tiled] == [(c.type, c.bbox) for c in whole]
    for a, b in zip(tiled, whole, strict=True):
        assert a.detection_score == pytest.approx(b.detection_score, abs=1e-4)
        np.testing.assert_allclose(a.contour, b.contour, atol=1e-3)


@given(
    places=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 5), st.sampled_from(ELEMENTS)),
        max_size=20,
        unique_by=lambda place: place[:2],
    ),
    shift=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    turns=st.integers(0, 3),
    mirrored=st.booleans(),
)
def test_flips_and_quarter_turns_change_no_count_of_discs(
    fixed: Analyzer, places: list[tuple], shift: tuple[int, int], turns: int, mirrored: bool
) -> None:
    """Exactly: none of these cells is near a threshold."""
    discs = [(14 + 24 * x + shift[0], 10 + 24 * y + shift[1], colour) for x, y, colour in places]
    turned = np.rot90(draw_discs(discs), turns)
    pixels = np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)
    found = elements(fixed.analyze(Field(pixels, "turned")).cells)
    assert found == {name: sum(p[2] == name for p in places) for name in ELEMENTS}


def test_what_is_analysed_is_what_is_detected_above_the_thresholds(
    tiny: Analyzer, field: Field
) -> None:
    pixels = field.pixels.copy()
    pixels[:, :96] = 255 - (255 - pixels[:, :96]) // 2  # paler on the left: unsure
    for pale in (replace(field, pixels=pixels), field):
        candidates = tiny.detect(pale)
        sure = [c for c in candidates if c.detection_score >= tiny.thresholds[c.element]]
        assert signature(tiny.analyze(pale).cells) == signature(sure)
    assert len(candidates) >= len(sure) > 0


@given(score=st.floats(0, 1))
def test_candidates_reach_the_score_asked_for(tiny: Analyzer, score: float) -> None:
    candidates = tiny.detect(Field(draw_discs(PLACED), "discs"), score)
    everything = tiny.detect(Field(draw_discs(PLACED), "discs"), 0.02)
    expected = [c for c in everything if c.detection_score >= score]
    if score >= 0.02:
        assert signature(candidates) == signature(expected)
    assert all(c.detection_score >= score for c in candidates)


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_scores_that_cannot_be_are_refused(tiny: Analyzer, field: Field, score: float) -> None:
    with pytest.raises(UsageError, match=f"received {score}"):
        tiny.detect(field, score)


def signature(cells: Iterable[Cell]) -> list[tuple]:
    return sorted((c.bbox, c.element, c.type, round(c.detection_score, 6)) for c in cells)


def test_without_a_classifier_nucleated_cells_are_unidentified(
    bundles: tuple[str, str], field: Field
) -> None:
    alone = Analyzer.load(bundles[0], None)
    cells = alone.analyze(field).cells
    assert Counter(cell.type for cell in cells) == {
        "erythrocyte": 2,
        UNIDENTIFIED: 3,
        "platelet": 1,
    }
    white = next(cell for cell in cells if cell.element == "WBC")
    assert white.probabilities == {}
    assert math.isnan(white.confidence)
    assert list(alone.describe()) == ["segmenter"]
    with pytest.raises(UsageError, match="without a classifier"):
        alone.classify_cell_image(field)


def test_cards_are_described(tiny: Analyzer) -> None:
    described = tiny.describe()
    assert described["segmenter"]["name"] == "colour_discs"
    assert described["classifier"]["name"] == "mean_colours"
    assert all(len(card["sha256"]) == 64 for card in described.values())


def test_thresholds_come_from_the_card(tiny: Analyzer, tmp_path: Path) -> None:
    assert tiny.thresholds == {"RBC": 0.5, "WBC": 0.4, "PLT": 0.3}
    folder = write_segmenter(tmp_path / "new", thresholds=None)
    untuned = Analyzer.load(str(folder), None)
    assert all(0 < value < 0.3 for value in untuned.thresholds.values())


def test_threads_share_an_analyser(tiny: Analyzer) -> None:
    fields = [
        Field(draw_discs([(14 + 24 * k, 30, "RBC"), (62, 94, "WBC")]), str(k)) for k in range(7)
    ]
    alone = [signature(tiny.analyze(one).cells) for one in fields]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            together = pool.map(lambda one: signature(tiny.analyze(one).cells), fields)
            assert list(together) == alone


@pytest.mark.parametrize(("colour", "kind"), [("WBC", "neutrophil"), (PALE, "lymphocyte")])
def test_the_cell_in_the_middle_is_typed(tiny: Analyzer, colour: object, kind: str) -> None:
    """Though red cells lie nearer to the middle, and other white cells farther off."""
    other = PALE if colour == "WBC" else "WBC"
    placed = [(90, 82, colour), (70, 60, "RBC"), (120, 82, "RBC"), (150, 130, other)]
    field = Field(draw_discs(placed), "one")
    assert tiny.central_cell(field) == pytest.approx((78, 70, 102, 94), abs=4)
    assert tiny.classify_cell_image(field)[0] == kind


def test_a_red_cell_in_the_middle_will_do(tiny: Analyzer) -> None:
    field = Field(draw_discs([(94, 78, "RBC"), (30, 30, "WBC")]), "one")
    assert tiny.classify_cell_image(field)[0] == "erythrocyte"


def test_a_nucleated_cell_beside_the_middle_is_meant_rather_than_a_red_one(tiny: Analyzer) -> None:
    field = Field(draw_discs([(94, 78, "RBC"), (66, 62, "WBC"), (140, 126, "WBC")]), "one")
    assert tiny.central_cell(field) == pytest.approx((54, 50, 78, 74), abs=4)


def test_without_any_cell_the_middle_is_looked_at(tiny: Analyzer) -> None:
    x0, y0, x1, y1 = tiny.central_cell(Field(np.full((100, 140, 3), 255, np.uint8), "none"))
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == (70, 50)
    assert x1 - x0 == y1 - y0 > 20


@pytest.mark.parametrize("colour", [0, 128, 255])
@pytest.mark.parametrize("size", [(480, 640), (16, 16), (16, 2000), (2000, 16)])
def test_an_empty_field_has_no_cells(shipped: Analyzer, size: tuple[int, int], colour: int) -> None:
    analysis = shipped.analyze(Field(np.full((*size, 3), colour, np.uint8), "empty"))
    assert analysis.cells == ()
    assert not analysis.labels.array.any()
    counts = summarise(analysis.cells)
    assert all(math.isnan(share.fraction) for share in counts.types.values())


#: Field sizes at which red cells of a diameter give enough to count.
SIZES = [
    (14, 320, 240),
    (24, 400, 300),
    (40, 480, 360),
    (60, 640, 480),
    (76, 640, 480),
    (110, 800, 600),
    (180, 1200, 900),
]


@pytest.mark.parametrize(("diameter", "width", "height"), SIZES)
def test_known_counts_are_counted(
    shipped: Analyzer, diameter: int, width: int, height: int
) -> None:
    config = SmearConfig(
        width_px=width,
        height_px=height,
        rbc_diameter_px=diameter,
        n_wbc=2,
        n_plt=6,
        inside=True,
        coverage=0.22,
        touching=0.15,
        overlap=0.15,
        gap_px=max(1.5, 0.05 * diameter),
        blur_px=min(0.7, diameter / 40),
    )
    truth = simulate_field(11, config)
    found = elements(shipped.analyze(unplaced(truth)).cells)
    n = truth.count("RBC")
    assert found["RBC"] == pytest.approx(n, abs=max(1, 0.03 * n))
    assert found["WBC"] == 2
    assert found["PLT"] == pytest.approx(6, abs=1)


def test_a_field_without_red_cells_is_counted(shipped: Analyzer) -> None:
    config = SmearConfig(n_rbc=0, n_wbc=2, n_plt=3, inside=True)
    found = elements(shipped.analyze(unplaced(simulate_field(2, config))).cells)
    assert found == {"RBC": 0, "WBC": 2, "PLT": 3}


@pytest.mark.parametrize("touching", [0.0, 0.25])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flips_and_quarter_turns_keep_the_counts(
    shipped: Analyzer, seed: int, touching: float
) -> None:
    """All but candidates so near to the threshold that any change could tip them: few."""
    config = SmearConfig(
        n_wbc=2, n_plt=5, coverage=0.2, inside=True, touching=touching, overlap=0.12, gap_px=6
    )
    field = unplaced(simulate_field(seed, config))
    candidates = shipped.detect(field)
    least, most = (
        elements(
            c for c in candidates if c.detection_score >= shipped.thresholds[c.element] + margin
        )
        for margin in (0.1, -0.1)
    )
    assert sum(most.values()) - sum(least.values()) <= 2
    for turns in range(4):
        turned = np.rot90(field.pixels, turns)
        for pixels in (turned, turned[:, ::-1]):
            cells = shipped.analyze(replace(field, pixels=np.ascontiguousarray(pixels))).cells
            counted = elements(cells)
            assert all(least[name] <= counted[name] <= most[name] for name in ELEMENTS)


@settings(max_examples=4)
@given(seed=st.integers(0, 1000), tile_px=st.integers(60, 300), overlap_px=st.integers(0, 90))
def test_tiles_change_no_cell_of_a_smear(
    shipped: Analyzer, seed: int, tile_px: int, overlap_px: int
) -> None:
    config = SmearConfig(height_px=150, width_px=200, rbc_diameter_px=42, touching=0.3)
    field = unplaced(simulate_field(seed, config))
    whole = shipped.analyze(field).cells
    tiled = Analyzer(
        shipped.bundles["segmenter"], shipped.bundles["classifier"], tile_px, overlap_px
    )
    assert [(c.element, c.bbox) for c in tiled.analyze(field).cells] == [
        (c.element, c.bbox) for c in whole
    ]


@pytest.mark.parametrize("seed", [4, 5])
def test_outlines_of_a_smear_are_sound(shipped: Analyzer, seed: int) -> None:
    truth = simulate_field(seed, SmearConfig(touching=0.4, n_wbc=2, n_plt=8))
    analysis = shipped.analyze(unplaced(truth))
    labels = analysis.labels.array
    for cell in analysis.cells:
        assert len(cell.contour) >= 3
        assert (cell.contour >= 0).all()
        assert (cell.contour <= (640, 480)).all()
        assert (labels == cell.label).sum() == cell.area_px >= 1
        x0, y0, x1, y1 = cell.bbox
        assert 0 <= x0 < x1 <= 640
        assert 0 <= y0 < y1 <= 480
    foreground = truth.labels.array > 0
    both = (labels > 0) & foreground
    assert both.sum() / ((labels > 0) | foreground).sum() > 0.88


def test_what_is_analysed_of_a_smear_is_what_is_detected(shipped: Analyzer) -> None:
    field = unplaced(simulate_field(8, SmearConfig(touching=0.5, overlap=0.5, n_wbc=2)))
    candidates = shipped.detect(field)
    sure = [c for c in candidates if c.detection_score >= shipped.thresholds[c.element]]
    assert signature(sure) == signature(shipped.analyze(field).cells)
    assert len(candidates) > len(sure)
