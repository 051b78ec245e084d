"""Cards of element segmenters, and bundles of the user's own by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import BundleError, UnknownNameError
from smearlab.io.bundle_cards import elements_seen, read_card
from smearlab.io.bundles import Bundle, find_bundle
from tiny_bundles import (
    ELEMENT_CARD,
    TILE_PX,
    element_model,
    write_bundle,
    write_classifier,
    write_element,
    write_elements,
    write_segmenter,
)


def test_an_element_bundle_runs(tmp_path: Path) -> None:
    bundle = Bundle(write_element(tmp_path / "wbc", "WBC"), "segmenter")
    tile = np.zeros((1, TILE_PX, TILE_PX, 3), np.uint8)
    tile[0, :, :10] = (0, 0, 255)
    answer = bundle.run(pixels=tile, keep=np.ones((1, 4), np.float32))
    assert answer["classes"].shape == (1, TILE_PX, TILE_PX, 2)
    assert answer["segmented"].shape == (1, TILE_PX, TILE_PX, 3)
    assert (answer["classes"][0, 0, :, 1] == ([1] * 10 + [0] * (TILE_PX - 10))).all()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"element": "RBC"}, "element is 'RBC'; it must be one of .*among the classes"),
        ({"element": "cell", "classes": ["background", "cell"]}, "element is 'cell'"),
        ({"segmented": "yes"}, "segmented is 'yes'; it must be true or false"),
        ({"blend": 256}, "blend is 256; it must hold tile_px"),
        ({"blend": {"tile_px": 64}}, "blend is {'tile_px': 64}"),
        ({"blend": {"tile_px": 64, "overlap_px": 64}}, "overlap_px, above 0 and below tile_px"),
        ({"blend": {"tile_px": 64, "overlap_px": 0}}, "above 0"),
        ({"blend": {"tile_px": 100, "overlap_px": 20}}, r"a multiple of the stride \(64\)"),
        (
            {"blend": {"tile_px": 64, "overlap_px": 23}, "map_step": 2},
            r"multiples of map_step \(2\)",
        ),
        ({"noise": {"size": 0, "keep": 0.5}}, "noise is .*size, a whole number from 1 on"),
        ({"noise": {"size": 4, "keep": 0}}, "keep, a probability above 0"),
        ({"noise": {"size": 4, "keep": "half"}}, "keep, a probability above 0"),
        ({"blend": None}, "has noise but no blend: .*export the bundle with blend"),
    ],
)
def test_an_element_card_that_the_bench_does_not_know_is_said(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        read_card(write_element(tmp_path / "strange", "WBC", **changed), "segmenter")


@pytest.mark.parametrize("key", ["blend", "noise", "segmented"])
def test_cell_centres_have_none_of_it(tmp_path: Path, key: str) -> None:
    folder = write_segmenter(tmp_path / "discs", **{key: ELEMENT_CARD[key]})
    with pytest.raises(BundleError, match=f"{key} on the card of decoder 'centres'"):
        read_card(folder, "segmenter")


def test_a_watershed_needs_no_first_look(tmp_path: Path) -> None:
    card = read_card(write_element(tmp_path / "wbc", "WBC"), "segmenter")
    assert "first_look_px" not in card
    folder = write_element(tmp_path / "no", "WBC", cell_diameter_px=None)
    with pytest.raises(BundleError, match="lacks cell_diameter_px"):
        read_card(folder, "segmenter")


def test_noise_and_the_drawn_picture_are_promises(tmp_path: Path) -> None:
    deaf = write_bundle(
        tmp_path / "deaf",
        element_model("WBC", noise=False),
        {**ELEMENT_CARD, "name": "x", "classes": ["background", "WBC"]},
    )
    with pytest.raises(BundleError, match="with noise on the card the contract is uint8 pixels"):
        Bundle(deaf, "segmenter")
    card = {**ELEMENT_CARD, "name": "x", "classes": ["background", "WBC"]}
    del card["noise"]
    with pytest.raises(BundleError, match="the contract is one uint8 input"):
        Bundle(write_bundle(tmp_path / "more", element_model("WBC"), card), "segmenter")
    blind = element_model("WBC", noise=False).replace(b"segmented", b"sEgmented")
    with pytest.raises(BundleError, match="also needs segmented"):
        Bundle(write_bundle(tmp_path / "blind", blind, card), "segmenter")


def test_elements_that_a_segmenter_sees() -> None:
    assert elements_seen({"classes": ["background", "PLT", "RBC"]}) == ("RBC", "PLT")
    assert elements_seen({"classes": ["background", "RBC", "WBC", "PLT"]}) == ("RBC", "WBC", "PLT")
    assert elements_seen({"classes": ["background", "cell"]}) == ("RBC", "WBC", "PLT")
    assert elements_seen({}) == ("RBC", "WBC", "PLT")


def test_own_bundles_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "models"
    write_segmenter(own / "mine")
    write_elements(own / "gan", "RBC", "WBC")
    write_classifier(own / "types")
    monkeypatch.setenv("SMEARLAB_MODELS", str(own))
    monkeypatch.chdir(tmp_path)
    assert find_bundle("segmenter", "mine") == own / "mine"
    assert find_bundle("segmenter", "gan/wbc") == own / "gan" / "wbc"
    assert find_bundle("classifier", "types") == own / "types"
    assert find_bundle("segmenter", "default") != own / "default"
    with pytest.raises(UnknownNameError, match=r"Known: default, gan/rbc, gan/wbc, mine$"):
        find_bundle("segmenter", "yours")
    with pytest.raises(UnknownNameError, match=r"Known: default, types$"):
        find_bundle("classifier", "yours")
    with pytest.raises(BundleError, match=r"gan/plt: no such folder.*default, gan/rbc, gan/wbc"):
        find_bundle("segmenter", "gan/plt")
    Path("mine").mkdir()
    assert find_bundle("segmenter", "mine") == Path("mine")


def test_a_folder_of_bundles_is_no_bundle(tmp_path: Path) -> None:
    write_elements(tmp_path / "gan", "RBC", "WBC")
    with pytest.raises(BundleError, match="it holds the bundles rbc, wbc: name one of them"):
        read_card(tmp_path / "gan", "segmenter")


def test_a_models_folder_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMEARLAB_MODELS", str(tmp_path / "gone"))
    with pytest.raises(BundleError, match=r"\$SMEARLAB_MODELS is .*gone, which is no folder"):
        find_bundle("segmenter", "mine")
    assert find_bundle("segmenter", "default").name == "cell_centres"
