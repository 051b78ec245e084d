"""Masks as people store them: bits, greys, palettes, colours, 16 and 32 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFilter

from smearlab.errors import AnnotationError
from smearlab.evaluation.reference_masks import guess_kind, mask_instances, read_mask


def squares(first: int, second: int, dtype: type = np.uint8) -> np.ndarray:
    """Two squares of 8 × 8 px with these values."""
    array = np.zeros((20, 30), dtype=dtype)
    array[4:12, 4:12] = first
    array[4:12, 18:26] = second
    return array


def count(path: Path) -> tuple[str, int]:
    values = read_mask(path)
    kind = guess_kind(values)
    return kind, int(mask_instances(values, kind).max())


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_black_and_white(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mask{suffix}"
    Image.fromarray(squares(255, 255)).save(path)
    assert count(path) == ("binary", 2)


def test_one_bit(tmp_path: Path) -> None:
    Image.fromarray(squares(255, 255)).convert("1").save(tmp_path / "mask.png")
    assert count(tmp_path / "mask.png") == ("binary", 2)


def test_white_stored_as_colour_with_alpha(tmp_path: Path) -> None:
    Image.fromarray(squares(255, 255)).convert("RGBA").save(tmp_path / "mask.png")
    assert count(tmp_path / "mask.png") == ("binary", 2)


def test_nucleus_and_cytoplasm_are_one_cell(tmp_path: Path) -> None:
    array = squares(128, 128)
    array[6:10, 6:10] = 255
    Image.fromarray(array).save(tmp_path / "mask.png")
    assert count(tmp_path / "mask.png") == ("nucleus", 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_value_a_cell(tmp_path: Path, dtype: type) -> None:
    top = 2 if dtype is np.uint8 else 40_000
    Image.fromarray(squares(1, top, dtype)).save(tmp_path / "mask.png")
    assert count(tmp_path / "mask.png") == ("instances", 2)
    assert read_mask(tmp_path / "mask.png").max() == top


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_tiff_labels(tmp_path: Path, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "mask.tif", squares(7, 300, dtype))
    assert count(tmp_path / "mask.tif") == ("instances", 2)


def test_a_colour_a_cell(tmp_path: Path) -> None:
    array = np.stack([squares(200, 10), squares(10, 200), squares(0, 0)], axis=2)
    Image.fromarray(array).save(tmp_path / "mask.png")
    assert count(tmp_path / "mask.png") == ("instances", 2)


def test_palette_indices_are_the_cells(tmp_path: Path) -> None:
    picture = Image.fromarray(squares(1, 2)).convert("P")
    picture.putpalette([0, 0, 0, 90, 90, 90, 90, 90, 90])  # equal colours, different cells
    picture.save(tmp_path / "mask.png")
    assert count(tmp_path / "mask.png") == ("instances", 2)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_soft_edges_are_still_black_and_white(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mask{suffix}"
    big = Image.fromarray(squares(255, 255)).resize((240, 160))
    big.filter(ImageFilter.GaussianBlur(1)).save(path)
    assert count(path) == ("binary", 2)


def test_cells_that_meet_at_a_corner_are_two() -> None:
    array = np.zeros((10, 10), dtype=np.int64)
    array[1:5, 1:5] = array[5:9, 5:9] = 255
    assert mask_instances(array, "binary").max() == 2


def test_a_value_in_two_places_is_one_cell() -> None:
    labels = mask_instances(squares(5, 5).astype(np.int64), "instances")
    assert labels.max() == 1
    assert (labels > 0).sum() == 128


def test_an_instance_map_without_background_keeps_its_cells() -> None:
    array = np.full((6, 6), 3, dtype=np.int64)
    array[:, 3:] = 9
    assert np.unique(mask_instances(array, "instances")).tolist() == [1, 2]


def test_an_empty_mask_holds_nothing() -> None:
    empty = np.zeros((5, 5), dtype=np.int64)
    assert mask_instances(empty, guess_kind(empty)).max() == 0


def test_bad_masks_are_named(tmp_path: Path) -> None:
    text = tmp_path / "mask.png"
    text.write_text("no picture")
    with pytest.raises(AnnotationError, match=r"mask\.png cannot be read"):
        read_mask(text)
    tifffile.imwrite(tmp_path / "half.tif", squares(1, 2, np.float32) / 4)
    with pytest.raises(AnnotationError, match="fractions"):
        read_mask(tmp_path / "half.tif")
    tifffile.imwrite(tmp_path / "below.tif", squares(1, -2, np.int16))
    with pytest.raises(AnnotationError, match="-2"):
        read_mask(tmp_path / "below.tif")
    (tmp_path / "broken.tif").write_bytes(b"II*\0" + b"\0" * 20)
    with pytest.raises(AnnotationError, match=r"broken\.tif"):
        read_mask(tmp_path / "broken.tif")
    Image.fromarray(squares(1, 2)).save(tmp_path / "cut.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AnnotationError, match=r"cut\.png"):
        read_mask(tmp_path / "cut.png")


def test_unknown_kinds_are_named() -> None:
    with pytest.raises(ValueError, match="colours"):
        mask_instances(np.zeros((2, 2), np.int64), "colours")  # type: ignore[arg-type]
