"""Quality: every planted flaw is listed with its reason; nothing on disk changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_rows import manifest_of
from smearlab.datasets.manifest.quality import REASONS, find_flaws, without_flaws
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import UsageError


def picture(seed: int, width: int = 64, height: int = 60) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(90, 220, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def flawed(tmp_path: Path) -> Manifest:
    """Twelve good pictures, and one with each flaw."""
    rows: list[dict[str, Any]] = []
    for n in range(12):
        picture(n).save(tmp_path / f"{n}.png")
        rows.append({"width_px": 64, "height_px": 60})
    picture(0).save(tmp_path / "12.png", "JPEG")  # wrong suffix
    Image.new("RGB", (64, 60), (200, 190, 180)).save(tmp_path / "13.png")
    (tmp_path / "14.png").write_bytes((tmp_path / "0.png").read_bytes()[:900])
    picture(1, 300, 280).save(tmp_path / "15.png")
    picture(2).save(tmp_path / "16.png")
    marked = np.asarray(picture(3)).copy()
    marked[20:40, 20:24] = (255, 0, 0)
    marked[14:46, 14:30][np.abs(marked[14:46, 14:30].astype(int) - (255, 0, 0)).sum(2) > 0] = 200
    Image.fromarray(marked).save(tmp_path / "17.png")
    picture(4).save(tmp_path / "18.png")
    Image.new("L", (64, 61)).save(tmp_path / "18_mask.png")
    picture(5).save(tmp_path / "20.png")
    Image.new("L", (64, 60)).save(tmp_path / "20_mask.png")
    rows += [{}, {}, {}, {}, {"width_px": 65, "height_px": 60}, {}]
    rows += [{"mask": "18_mask.png"}, {"path": "19.png"}, {"mask": "20_mask.png"}]
    return manifest_of(rows, tmp_path)


EXPECTED = {
    13: "wrong-suffix",
    14: "blank",
    15: "unreadable",
    16: "outlier-size",
    17: "changed-size",
    18: "burnt-in-mark",
    19: "mask",
    20: "missing",
}


def test_every_flaw_is_listed_with_its_reason(flawed: Manifest) -> None:
    before = {p.name: p.read_bytes() for p in flawed.root.iterdir()}
    seen: list[int] = []
    done, flaws = without_flaws(flawed, threads=3, advance=lambda: seen.append(1))
    assert {flaw.row: flaw.reason for flaw in flaws} == EXPECTED
    assert set(EXPECTED.values()) == set(REASONS)
    assert len(flaws) == len(EXPECTED)
    assert all(flaw.path == f"{flaw.row - 1}.png" and flaw.detail for flaw in flaws)
    assert len(seen) == len(flawed)
    assert done.column("path").tolist() == [*(f"{n}.png" for n in range(12)), "20.png"]
    assert done.provenance[-1]["changed"] == {
        "left_out_rows": 8,
        "reasons": dict.fromkeys(REASONS, 1),
    }
    assert {p.name: p.read_bytes() for p in flawed.root.iterdir()} == before
    assert find_flaws(flawed) == flaws


def test_details_say_what_was_found(flawed: Manifest) -> None:
    details = {flaw.reason: flaw.detail for flaw in find_flaws(flawed)}
    assert details["mask"] == "18_mask.png is 64 x 61 px, the picture 64 x 60 px"
    assert details["changed-size"] == "64 x 60 px, the manifest says 65 x 60 px"
    assert details["wrong-suffix"] == "JPEG data in a file named '.png'"
    assert details["outlier-size"] == "300 x 280 px; half of set is around 64 x 60 px"


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_can_be_left_out(flawed: Manifest, reason: str) -> None:
    found = {flaw.reason for flaw in find_flaws(flawed, skip=[reason])}
    assert found == set(REASONS) - {reason}


def test_targets_of_all_elements_are_looked_at(tmp_path: Path) -> None:
    """One ``mask`` stands for a target of each element that has one."""
    picture(0).save(tmp_path / "a.png")
    for element in ("RBC", "PLT"):
        (tmp_path / element).mkdir()
        picture(1).save(tmp_path / element / "a.png")
    manifest = manifest_of([{"path": "a.png", "mask": "{element}/a.png"}], tmp_path)
    assert find_flaws(manifest) == ()
    picture(1, 64, 61).save(tmp_path / "PLT" / "a.png")
    (flaw,) = find_flaws(manifest)
    assert flaw.detail == "PLT/a.png is 64 x 61 px, the picture 64 x 60 px"
    for element in ("RBC", "PLT"):
        (tmp_path / element / "a.png").unlink()
    assert [flaw.detail for flaw in find_flaws(manifest)] == ["{element}/a.png is not there"]


def test_small_sets_have_no_usual_size(flawed: Manifest) -> None:
    few = flawed.take(np.array([0, 1, 15]))
    assert find_flaws(few) == ()


def test_bad_calls_are_refused(flawed: Manifest) -> None:
    with pytest.raises(UsageError, match=r"reasons are missing, unreadable.*received 'ugly'"):
        find_flaws(flawed, skip=["ugly"])
    with pytest.raises(UsageError, match="at least 1; received 0"):
        find_flaws(flawed, threads=0)


def test_a_second_usual_size_is_no_outlier(tmp_path: Path) -> None:
    for n in range(30):
        picture(n, *((64, 60) if n < 20 else (200, 190))).save(tmp_path / f"{n}.png")
    picture(30, 500, 20).save(tmp_path / "30.png")
    flaws = find_flaws(manifest_of([{}] * 31, tmp_path))
    assert [(flaw.row, flaw.reason) for flaw in flaws] == [(31, "outlier-size")]
