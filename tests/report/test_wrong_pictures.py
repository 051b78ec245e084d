"""Pictures of wrong answers, as the page shows them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from smearlab.report.wrong_pictures import SIDE_PX, read_wrong

ROW = {
    "path": "a.png",
    "true": "basophil",
    "answer": "monocyte",
    "confidence": 0.9,
    "true_probability": 0.1,
}


def test_pictures_are_resized_and_keep_their_colour(tmp_path: Path) -> None:
    Image.new("RGB", (300, 100), (200, 40, 120)).save(tmp_path / "a.png")
    seen = np.full((32, 32, 3), (10, 200, 30), np.uint8)
    (one,) = read_wrong([ROW], tmp_path, [seen])
    assert (one.true, one.answer, one.confidence) == ("basophil", "monocyte", 0.9)
    for jpeg, size, colour in (
        (one.jpeg, (75, SIDE_PX), (200, 40, 120)),
        (one.map_jpeg, (SIDE_PX, SIDE_PX), (10, 200, 30)),
    ):
        assert jpeg is not None
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert pixels.shape[:2] == size
        np.testing.assert_allclose(pixels.mean((0, 1)), colour, atol=4)


def test_what_cannot_be_read_is_listed_without(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    first, second = read_wrong([ROW, {**ROW, "path": "missing.png"}], tmp_path)
    assert first.jpeg is None and second.jpeg is None and second.path == "missing.png"
    assert first.map_jpeg is None
