"""The extended ALL-IDB1: files of its published layout, small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from smearlab.datasets.element_pairs import list_pairs, load_pair
from smearlab.datasets.extended_all_idb import target_of_picture
from smearlab.errors import AnnotationError, DataError
from tiny_bundles import DISC_PX, draw_discs
from tiny_sets import DISCS, SIZE

N = 10


def disc_mask(element: str) -> np.ndarray:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    mask = np.zeros((SIZE[1], SIZE[0]), bool)
    for cx, cy, kind in DISCS:
        if kind == element:
            mask |= (x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 <= (DISC_PX / 2) ** 2
    return mask


def write_all_idb(folder: Path, *, ground: int = 0, suffix: str = ".png") -> Path:
    """Fields im/ImXXX_Y.jpg with a picture of each element beside; returns the folder."""
    for place in ("im", "RBC", "WBC", "PLT"):
        (folder / place).mkdir(parents=True)
    pixels = draw_discs(DISCS, SIZE)
    for number in range(1, N + 1):
        name = f"Im{number:03d}_{number % 2}"
        Image.fromarray(pixels).save(folder / "im" / f"{name}.jpg", quality=95)
        for element in ("RBC", "WBC", "PLT"):
            target = np.where(disc_mask(element)[..., None], pixels, np.uint8(ground))
            Image.fromarray(target).save(folder / element / f"{name}{suffix}", quality=90)
    return folder


@pytest.mark.parametrize("ground", [0, 255])
@pytest.mark.parametrize("element", ["RBC", "WBC", "PLT"])
def test_targets_on_black_and_on_white(tmp_path: Path, ground: int, element: str) -> None:
    pairs = list_pairs(write_all_idb(tmp_path, ground=ground), element)
    assert len(pairs) == N
    pair = load_pair(pairs[0])
    assert (pair.truth, pair.element) == ("mask", element)
    np.testing.assert_array_equal(pair.target, disc_mask(element))
    assert pair.diameter_px == pytest.approx(DISC_PX, abs=1)  # of its red target, for any element
    assert not pair.unknown.any()


def test_targets_that_were_compressed(tmp_path: Path) -> None:
    pairs = list_pairs(write_all_idb(tmp_path, suffix=".jpg"), "WBC")
    target = load_pair(pairs[0]).target
    exact = disc_mask("WBC")
    far = ndimage.distance_transform_edt(~exact) > 3
    assert target[exact].all()
    assert not target[far].any(), "only the rim is worn"


def test_parts(tmp_path: Path) -> None:
    folder = write_all_idb(tmp_path)
    honest, paper = list_pairs(folder, "RBC"), list_pairs(folder, "RBC", "paper")
    assert [pair.part for pair in paper].count("test") == 2
    assert [pair.part for pair in honest].count("test") == 2
    assert [pair.part for pair in honest].count("val") == 1
    assert [pair.part for pair in paper].count("val") == 0
    assert [p.part for p in list_pairs(folder, "WBC")] == [p.part for p in honest]
    assert [pair.name for pair in honest] == [f"all_idb1/Im{n:03d}_{n % 2}" for n in range(1, 11)]


def test_a_picture_without_target(tmp_path: Path) -> None:
    folder = write_all_idb(tmp_path)
    (folder / "PLT" / "Im003_1.png").unlink()
    assert len(list_pairs(folder, "RBC")) == N
    with pytest.raises(DataError, match=r"1 picture has no target of PLT in .*: Im003_1\.jpg;"):
        list_pairs(folder, "PLT")


def test_a_target_without_picture(tmp_path: Path) -> None:
    folder = write_all_idb(tmp_path)
    (folder / "im" / "Im003_1.jpg").unlink()
    with pytest.raises(DataError, match=r"1 target of RBC without a picture: Im003_1\.png;"):
        list_pairs(folder, "RBC")


def test_a_target_of_another_size(tmp_path: Path) -> None:
    folder = write_all_idb(tmp_path)
    pairs = list_pairs(folder, "RBC")
    Image.new("RGB", (50, 40)).save(folder / "RBC" / "Im003_1.png")
    pair = next(p for p in pairs if p.name.endswith("Im003_1"))
    with pytest.raises(AnnotationError, match="has 50 × 40 px, its picture 192 × 160"):
        load_pair(pair)
    with pytest.raises(AnnotationError, match=r"RBC/Im003_1\.png has 50 × 40 px, its picture"):
        list_pairs(folder, "RBC")


def test_targets_of_red_cells_in_the_folder_of_white_ones(tmp_path: Path) -> None:
    folder = write_all_idb(tmp_path)
    name = "Im003_1.png"
    (folder / "WBC" / name).write_bytes((folder / "RBC" / name).read_bytes())
    pairs = {pair.image.name: pair for pair in list_pairs(folder, "WBC") if pair.image}
    assert load_pair(pairs["Im001_1.jpg"]).target.any()
    with pytest.raises(
        AnnotationError, match=r"WBC/Im003_1\.png shows red cells \(100 % .*, but WBC was asked for"
    ):
        load_pair(pairs["Im003_1.jpg"])


def test_empty_targets_of_all_that_is_trained_on(tmp_path: Path) -> None:
    """A cell in the test part alone teaches nobody."""
    folder = write_all_idb(tmp_path)
    for pair in list_pairs(folder, "WBC"):
        if pair.part != "test" and pair.target:
            Image.new("RGB", SIZE).save(pair.target)
    with pytest.raises(DataError, match=r"targets of all 7 pairs are empty, .* to learn of WBC"):
        list_pairs(folder, "WBC")


def test_targets_that_are_all_empty(tmp_path: Path) -> None:
    folder = write_all_idb(tmp_path)
    for path in (folder / "PLT").iterdir():
        Image.new("RGB", SIZE).save(path)
    with pytest.raises(DataError, match=r"all 7 pairs are empty.*nothing to learn of PLT"):
        list_pairs(folder, "PLT")


def test_a_photograph_is_no_target() -> None:
    with pytest.raises(AnnotationError, match=r"Im1\.png has neither a black nor a white ground"):
        target_of_picture(np.full((8, 9, 3), 128, np.uint8), "Im1.png")


def test_another_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds neither manifest\.csv nor a folder im"):
        list_pairs(tmp_path, "RBC")
