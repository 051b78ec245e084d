"""Page and sheet of a blind test: they hold pictures and numbers, and nothing that tells."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from smearlab.report.blind_test_page import SIDE_PX, write_blind_pages


def test_page_and_sheet_hold_every_picture_and_load_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (4, 16, 16, 3)).astype(np.uint8)
    types = ("basophil", "<monocyte>")
    page, sheet = write_blind_pages(tmp_path, "abc123", types, list(pictures))
    for path in (page, sheet):
        text = path.read_text(encoding="utf-8")
        found = re.findall(r'src="data:image/jpeg;base64,', text)
        assert len(found) == 4
        assert "://" not in re.sub(r'"data:[^"]*"', "", text)
        assert "&lt;monocyte&gt;" in text and "<monocyte>" not in text
        assert "default-src 'none'" in text
    shown = page.read_text(encoding="utf-8")
    assert 'data-test="abc123"' in shown
    assert shown.count("<select") == 4 and shown.count('type="radio"') == 8
    assert f'width="{SIDE_PX}"' in shown


def test_pictures_are_encoded_one_way(tmp_path: Path) -> None:
    """The same picture gives the same bytes at each place."""
    picture = np.full((8, 8, 3), 90, np.uint8)
    page, _ = write_blind_pages(tmp_path, "t", ("a",), [picture, picture])
    uris = re.findall(r'src="(data:[^"]+)"', page.read_text(encoding="utf-8"))
    assert len(uris) == 2 and uris[0] == uris[1]
