"""Elements of a field, each on its picture: from networks whose answers can be foretold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.elements.segmenter import ElementSegmenter
from smearlab.errors import UsageError
from smearlab.io.bundles import find_bundle
from smearlab.io.images import read_field
from smearlab.pipeline import Analyzer
from smearlab.segment.noise import draw_noise
from smearlab.types import ELEMENTS, Field
from tiny_bundles import (
    COLOURS,
    DISC_PX,
    DISC_UM_PER_PX,
    ELEMENT_CARD,
    draw_discs,
    element_model,
    write_bundle,
    write_element,
    write_elements,
    write_segmenter,
)

DISCS = [(20, 30, "RBC"), (60, 32, "RBC"), (100, 90, "WBC"), (150, 120, "PLT")]
N = {"RBC": 2, "WBC": 1, "PLT": 1}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_elements(tmp_path_factory.mktemp("models") / "gan", *ELEMENTS))


@pytest.fixture(scope="module")
def field() -> Field:
    return Field(draw_discs(DISCS), "discs", DISC_UM_PER_PX)


@pytest.fixture(scope="module")
def shipped() -> None:
    for kind in ("segmenter", "classifier"):
        if not find_bundle(kind, "default").is_dir():
            pytest.skip(f"the shipped {kind} is not in this checkout")


def disc_mask(element: str, field: Field) -> np.ndarray:
    """Pixels that have the element's own colour."""
    return (field.pixels == COLOURS[element]).all(axis=2)


def test_each_element_has_its_picture(model: str, field: Field) -> None:
    found = ElementSegmenter.load(model).segment(field)
    assert list(found) == list(ELEMENTS)
    labels = []
    for element, picture in found.items():
        inside = disc_mask(element, field)
        assert picture.element == element
        assert len(picture.cells) == N[element]
        assert {cell.element for cell in picture.cells} == {element}
        assert picture.mask.shape == field.pixels.shape[:2]
        assert inside.sum() <= picture.mask.sum() <= 1.4 * inside.sum()
        assert picture.mask[inside].mean() > 0.99
        np.testing.assert_array_equal(picture.segmented[inside], field.pixels[inside])
        assert not picture.segmented[~picture.mask].any()
        assert picture.probability[inside].min() == 1
        assert picture.probability[field.pixels.min(axis=2) == 255].max() < 1e-6
        assert picture.spread is None
        assert picture.generated is not None
        presence = 1.2 * 200 / 255 if element == "PLT" else 1
        drawn = field.pixels[inside] * presence
        np.testing.assert_allclose(picture.generated[inside], drawn, atol=1)
        assert set(np.unique(picture.labels)) == {0, *(cell.label for cell in picture.cells)}
        labels += [cell.label for cell in picture.cells]
    assert sorted(labels) == [1, 2, 3, 4]
    assert found.notes == ()


def test_touching_cells_are_split(model: str) -> None:
    pixels = draw_discs([(60, 60, "RBC"), (82, 60, "RBC"), (60, 110, "WBC")])
    found = ElementSegmenter.load(model).segment(Field(pixels, "two", DISC_UM_PER_PX))
    assert [len(found[e].cells) for e in ELEMENTS] == [2, 1, 0]
    areas = [cell.area_px for cell in found["RBC"].cells]
    assert areas == pytest.approx([np.pi * DISC_PX**2 / 4] * 2, rel=0.12)


@pytest.mark.parametrize("factor", [0.4, 2.0])
def test_the_pixel_pitch_sets_the_scale_and_pictures_keep_the_fields_size(
    model: str, factor: float
) -> None:
    discs = [(x * factor, y * factor, element) for x, y, element in DISCS]
    size = (round(192 * factor), round(160 * factor))
    pixels = draw_discs(discs, size, DISC_PX * factor)
    field = Field(pixels, "scaled", DISC_UM_PER_PX / factor)
    found = ElementSegmenter.load(model).segment(field)
    for element, picture in found.items():
        assert len(picture.cells) == N[element]
        assert picture.probability.shape == picture.mask.shape == pixels.shape[:2]
        colour = np.array(COLOURS[element], int)
        off = np.abs(pixels - colour).sum(axis=2)
        inside = off < np.abs(255 - colour).sum() / 2  # nearer to the disc's colour than to white
        overlap = (picture.mask & inside).sum() / (picture.mask | inside).sum()
        assert overlap > 0.75


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (70, 3), (64, 64), (65, 129)])
def test_fields_of_any_size(model: str, size: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    found = ElementSegmenter.load(model).segment(Field(pixels, "any", DISC_UM_PER_PX))
    for picture in found.values():
        assert picture.probability.shape == (size[1], size[0])
        assert not picture.mask.any()


def test_noise_off_is_all_ones_and_draws_give_mean_and_spread(model: str, field: Field) -> None:
    card = ELEMENT_CARD
    draws = [float(draw_noise(card, 5, n).mean()) for n in range(6)]
    assert len(set(draws)) > 2
    drawn = ElementSegmenter.load(model, samples=6, seed=5).segment(field)["PLT"]
    inside = disc_mask("PLT", field)
    # Presence is 1.2 * 200 / 255, the brightest channel, green, 200 / 255; times the mean factor.
    green = np.clip(np.array(draws) * (1.2 * 200 / 255) * (200 / 255), 0, 1)
    sure = np.clip(green / 0.3, 0, 1)
    assert drawn.probability[inside] == pytest.approx(sure.mean(), abs=1e-5)
    assert drawn.spread is not None
    assert drawn.spread[inside] == pytest.approx(sure.std(ddof=1), abs=1e-5)
    assert drawn.spread[field.pixels.min(axis=2) == 255].max() < 1e-6
    assert drawn.generated is not None
    assert drawn.generated[inside][:, 1] == pytest.approx(green.mean() * 255, abs=0.51)


def test_the_same_seed_gives_the_same_answer_and_one_draw_may_be_noisy(
    model: str, field: Field
) -> None:
    def probability(**how: object) -> np.ndarray:
        segmenter = ElementSegmenter.load(model, **how)  # type: ignore[arg-type]
        return segmenter.segment(field)["RBC"].probability

    one = probability(samples=3, seed=1)
    np.testing.assert_array_equal(one, probability(samples=3, seed=1))
    noisy = [probability(noise=True, seed=seed) for seed in range(3)]
    assert any((noisy[0] != other).any() for other in noisy)


def test_the_order_of_fields_does_not_matter(model: str, field: Field) -> None:
    segmenter = ElementSegmenter.load(model, samples=2, seed=3)
    first = segmenter.segment(field)["RBC"].probability
    segmenter.segment(Field(field.pixels[::-1].copy(), "other", DISC_UM_PER_PX))
    np.testing.assert_array_equal(first, segmenter.segment(field)["RBC"].probability)


def test_noise_of_a_network_that_has_none_is_refused(tmp_path: Path) -> None:
    deaf = str(write_elements(tmp_path / "deaf", "WBC", noise=None))
    assert ElementSegmenter.load(deaf).elements == ("WBC",)
    for how in ({"samples": 2}, {"noise": True}):
        with pytest.raises(UsageError, match=r"discs_wbc of model .* has no noise to draw"):
            ElementSegmenter.load(deaf, **how)
    with pytest.raises(UsageError, match="received 0 and 0"):
        ElementSegmenter.load(deaf, samples=0)


def test_an_element_that_the_model_lacks_is_refused(tmp_path: Path, field: Field) -> None:
    segmenter = ElementSegmenter.load(str(write_elements(tmp_path / "gan", "RBC", "WBC")))
    assert list(segmenter.segment(field, ["WBC"])) == ["WBC"]
    with pytest.raises(UsageError, match="PLT was not loaded; loaded are RBC, WBC"):
        segmenter.segment(field, ["PLT"])


def test_pixels_that_two_networks_claim_are_said(tmp_path: Path) -> None:
    write_element(tmp_path / "gan" / "rbc", "RBC")
    # A network that sees red discs, too, and calls them white cells.
    card = {**ELEMENT_CARD, "name": "wrong", "classes": ["background", "WBC"]}
    write_bundle(tmp_path / "gan" / "wbc", element_model("RBC"), card)
    pixels = draw_discs([(60, 60, "RBC")])
    found = ElementSegmenter.load(str(tmp_path / "gan")).segment(
        Field(pixels, "red", DISC_UM_PER_PX)
    )
    assert found.notes == ("100 % of the RBC pixels are taken for WBC, too",)


def test_a_segmenter_that_tells_elements_apart_finds_what_analyze_finds(
    tmp_path: Path, shipped: None
) -> None:
    folder = str(write_segmenter(tmp_path / "discs"))
    field = Field(draw_discs(DISCS), "discs")
    analysis = Analyzer.load(folder, "default").analyze(field)
    found = ElementSegmenter.load(folder).segment(field)
    cells = {cell.label: cell.bbox for e in found for cell in found[e].cells}
    assert cells == {cell.label: cell.bbox for cell in analysis.cells}
    together = sum(found[element].labels for element in found)
    np.testing.assert_array_equal(together, analysis.labels.array)


def test_red_cells_are_measured_where_the_pitch_is_unknown(model: str, shipped: None) -> None:
    """The shipped segmenter's look at simulated cells of 40 px sets the scale to 24 / 40."""
    config = SmearConfig(height_px=300, width_px=400, rbc_diameter_px=40)
    field = simulate_field(2, config).field
    unknown = Field(field.pixels, field.name)
    found = ElementSegmenter.load(model).segment(unknown, ["WBC"])
    (note,) = found.notes
    words = note.split()
    assert float(words[words.index("about") + 1]) == pytest.approx(40, rel=0.12)
    assert note.endswith("×")


def test_the_shipped_segmenter_on_simulated_fields(shipped: None) -> None:
    truth = simulate_field(4, SmearConfig(height_px=360, width_px=480, n_wbc=1))
    found = ElementSegmenter.load().segment(truth.field)
    n_red = sum(cell.element == "RBC" for cell in truth.cells)
    assert len(found["RBC"].cells) == pytest.approx(n_red, rel=0.25)
    assert len(found["WBC"].cells) == 1
    for element in ELEMENTS:
        assert not found[element].segmented[~found[element].mask].any()


def test_white_cells_of_real_fields(shipped: None, data_part: Callable[[str], Path]) -> None:
    """The masks lie where people drew the white cells of BCCD."""
    folder = data_part("fields/bccd")
    segmenter = ElementSegmenter.load()
    shares = []
    for path in sorted((folder / "wbc_masks").iterdir())[:60:20]:
        field = read_field(folder / "images" / f"{path.stem}.jpg")
        true = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0
        mask = segmenter.segment(field, ["WBC"])["WBC"].mask
        shares.append(2 * (mask & true).sum() / (mask.sum() + true.sum()))
    assert len(shares) == 3
    assert float(np.mean(shares)) > 0.8
