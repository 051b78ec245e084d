"""Ink in pictures: arrows are found on simulated and real cells, and cells are not ink."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from smearlab.datasets.manifest.burnt_in import burnt_in_marks
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.io.images import read_field

COLOURS = [(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255)]


def jpeg(pixels: np.ndarray) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=87)
    return np.asarray(Image.open(stream))


def field(seed: int, look: str) -> np.ndarray:
    config = SmearConfig(height_px=240, width_px=320, n_wbc=2, look=look)
    return simulate_field(seed, config).field.pixels


@pytest.mark.parametrize("look", ["cream", "pink", "grey", "blue", "mint"])
def test_simulated_cells_are_no_marks_and_arrows_are(look: str) -> None:
    plain = field(1, look)
    assert burnt_in_marks(plain) == []
    assert burnt_in_marks(jpeg(plain)) == []
    for colour in COLOURS:
        drawn = plain.copy()
        drawn[20:80, 20:110] = np.median(plain.reshape(-1, 3), axis=0)  # on bright ground
        cv2.arrowedLine(drawn, (30, 30), (95, 70), colour, 4)
        marks = burnt_in_marks(jpeg(drawn))
        assert marks, f"{colour} on {look}"
        x0, y0, x1, y1 = marks[0].bbox
        assert x0 >= 20
        assert y0 >= 20
        assert x1 <= 110
        assert y1 <= 80
        assert np.abs(np.subtract(marks[0].colour, colour)).max() < 60


def test_padding_and_dark_cores_are_no_marks() -> None:
    pixels = np.full((200, 200, 3), 220, np.uint8)
    pixels[:12] = 0  # a bar across the top
    cv2.circle(pixels, (100, 100), 30, (70, 20, 90), -1)
    cv2.circle(pixels, (100, 100), 6, (20, 5, 25), -1)
    assert burnt_in_marks(pixels) == []
    cv2.circle(pixels, (40, 150), 6, (20, 5, 25), -1)
    assert [mark.bbox for mark in burnt_in_marks(pixels)] == [(34, 144, 47, 157)]


def test_the_two_marks_of_the_real_sets_are_found(data_part: Callable[[str], Path]) -> None:
    """A scale bar, and part of a pointer; found by looking at all fields, and seen by eye."""
    scale_bar = data_part("fields/bbbc041seg/images") / "01b99da8-b66b-464b-a7ee-1cadab8db18b.jpg"
    (mark,) = burnt_in_marks(read_field(scale_bar).pixels)
    assert mark.bbox == (671, 577, 786, 586)
    pointer = data_part("fields/txl_pbc/images/train") / "1bd75719cffc5b5eb427a0a6b844909a.png"
    (mark,) = burnt_in_marks(read_field(pointer).pixels)
    assert mark.bbox[2:] == (256, 256)


def test_real_cells_are_no_marks(data_part: Callable[[str], Path]) -> None:
    for kind in ("basophil", "monocyte", "platelet"):
        for path in sorted((data_part("cells/pbc") / kind).iterdir())[:5]:
            assert burnt_in_marks(read_field(path).pixels) == [], path.name
