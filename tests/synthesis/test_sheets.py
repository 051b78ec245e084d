"""Sheets show what lies in the folder, and the ways between pictures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from smearlab.errors import UsageError
from smearlab.report.contact_sheet import TILE_PX
from smearlab.synthesis.generator import End, Generator
from smearlab.synthesis.pictures import make_pictures
from smearlab.synthesis.sheets import STEPS, sheet_of, ways
from tiny_generators import COLOURS, write_generator


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    return Generator.load(write_generator(tmp_path_factory.mktemp("g") / "colours"))


def tiles(sheet: np.ndarray, row: int) -> list[np.ndarray]:
    """Mean colour of the upper rows of every picture of a row of the sheet."""
    height = TILE_PX + 2 * 22 + 6
    strip = sheet[row * height + 44 : row * height + 44 + 10]
    return [strip[:, x : x + TILE_PX].mean((0, 1)) for x in range(0, sheet.shape[1], TILE_PX + 6)]


def test_a_sheet_has_a_row_for_each_type(model: Generator, tmp_path: Path) -> None:
    wanted = {"basophil": 3, "eosinophil": 1}
    made = make_pictures(wanted, dict.fromkeys(wanted, model), tmp_path, seed=1)
    sheet = sheet_of(made.manifest, columns=2)
    assert sheet.shape == (2 * (TILE_PX + 50), 2 * TILE_PX + 6, 3)
    first, second = tiles(sheet, 0), tiles(sheet, 1)
    assert np.abs(first[0] - COLOURS[0]).max() < 40 and np.abs(first[0] - first[1]).max() > 1
    assert np.abs(second[0] - COLOURS[1]).max() < 40
    assert second[1] == pytest.approx([32, 32, 32])  # there is no second one
    with pytest.raises(UsageError, match="no picture"):
        sheet_of(made.manifest.take(np.zeros(4, bool)))


def test_ways_have_a_row_each(model: Generator) -> None:
    pairs = [
        (End("basophil", 0), End("eosinophil", 3)),
        (End("basophil", 1), End("basophil", 2)),
    ]
    sheet = ways(pairs, dict.fromkeys(model.types, model), seed=1)
    assert sheet.shape == (2 * (TILE_PX + 50), STEPS * (TILE_PX + 6) - 6, 3)
    red = [colour[0] for colour in tiles(sheet, 0)]
    assert red[0] < 130 and red[-1] > 190
    assert all(after > before - 12 for before, after in pairwise(red))


def test_there_is_no_way_between_two_models(model: Generator, tmp_path: Path) -> None:
    other = Generator.load(write_generator(tmp_path / "other", types=["monocyte"], name="other"))
    makers = {**dict.fromkeys(model.types, model), "monocyte": other}
    with pytest.raises(UsageError, match="made by two generators, colours and other"):
        ways([(End("basophil", 0), End("monocyte", 0))], makers, seed=0)
