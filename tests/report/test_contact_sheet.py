"""Sheets of pictures: each in its place, at its proportions."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.report.contact_sheet import TILE_PX, WORDS_PX, SheetRow, draw_contact_sheet


def flat(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_pictures_lie_beside_each_other_at_their_proportions() -> None:
    row = SheetRow("one", [flat(100, 200, 200), flat(600, 300, 120)], ["a", "b"])
    sheet = draw_contact_sheet([row, row])
    height = 2 * WORDS_PX + TILE_PX + 6
    assert sheet.shape == (2 * height, 2 * TILE_PX + 6, 3)
    middle = 2 * WORDS_PX + TILE_PX // 2
    assert sheet[middle, 0, 0] == 200, "the wide one fills the width"
    assert sheet[2 * WORDS_PX, 0, 0] == 32, "and not the height"
    assert sheet[2 * WORDS_PX + 1, TILE_PX + 6 + TILE_PX // 2, 0] == 120
    assert np.array_equal(sheet[:height], sheet[height:])
    assert sheet[:WORDS_PX].max() > 200, "the words"


def test_rows_of_other_lengths_are_refused() -> None:
    one = flat(8, 8, 1)
    for rows in (
        [],
        [SheetRow("x", [one], ["a", "b"])],
        [SheetRow("x", [one], ["a"]), SheetRow("y", [one] * 2, ["a", "b"])],
    ):
        with pytest.raises(ValueError, match="as many pictures and notes"):
            draw_contact_sheet(rows)
