"""Duplicates are found, look-alikes stay apart, a bad file costs itself."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from altered_pictures import Pixels, altered, augmented, turned
from smearlab.datasets.duplicates.finder import apply, find_duplicates
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import UsageError

Make = Callable[..., Manifest]


def find(manifest: Manifest, **settings: Any) -> Any:
    return find_duplicates(manifest, show=False, **settings)


def test_copies_are_grouped_and_look_alikes_stay_apart(
    manifest_of: Make, look_alikes: list[Pixels]
) -> None:
    files = {f"{n}.png": pixels for n, pixels in enumerate(look_alikes)}
    files |= {f"copy of {n}.png": altered(look_alikes[n], seed=n) for n in range(6)}
    found = find(manifest_of(files))
    assert found.groups == tuple((n, len(look_alikes) + n) for n in range(6))
    assert {pair.kind for pair in found.pairs} == {"near"}
    assert all(pair.similarity > 0.75 and pair.overlap > 0.9 for pair in found.pairs)


def test_squeezed_turned_and_shifted_copies_are_one_group(
    manifest_of: Make, look_alikes: list[Pixels]
) -> None:
    """As the four-class set was made of BCCD: two such copies share but a part of the field."""
    files = {"field.png": look_alikes[0], "other.png": look_alikes[1]}
    for n, angle in enumerate((-20, -8, 13, 20)):
        files[f"{n}.png"] = augmented(look_alikes[0], angle, 0.06 * (-1) ** n)
    found = find(manifest_of(files))
    assert found.groups == ((0, 2, 3, 4, 5),)


def test_exact_copies_are_found_even_of_plain_pictures(
    manifest_of: Make, look_alikes: list[Pixels]
) -> None:
    grey = np.full((64, 64, 3), 200, np.uint8)
    found = find(
        manifest_of({"a.png": grey, "b.png": look_alikes[0], "c.png": grey, "d.png": grey + 1})
    )
    assert [(p.first, p.second, p.kind, p.similarity) for p in found.pairs] == [(0, 2, "exact", 1)]
    assert found.plain == (0, 3)


def test_fields_that_overlap_are_linked(manifest_of: Make, look_alikes: list[Pixels]) -> None:
    field = np.ascontiguousarray(np.hstack(look_alikes[:2]))
    parts = {"left.png": field[:, :300], "right.png": field[:, 150:450]}
    found = find(manifest_of(parts))
    assert [pair.kind for pair in found.pairs] == ["overlap"]
    assert found.pairs[0].overlap == pytest.approx(0.5, abs=0.06)
    assert find(manifest_of(parts), min_overlap=0.7).groups == ()


@pytest.mark.parametrize("turn", range(8))
def test_the_group_does_not_depend_on_the_turn(
    manifest_of: Make, look_alikes: list[Pixels], turn: int
) -> None:
    """Copies of 0, 1 and 2; each original of every kind of turn."""
    files = {f"{n}.png": turned(look_alikes[n], (turn + n) % 8) for n in range(5)}
    files |= {f"copy of {n}.jpg": altered(look_alikes[n], seed=30 + n) for n in range(3)}
    assert find(manifest_of(files)).groups == ((0, 5), (1, 6), (2, 7))


def test_a_file_that_cannot_be_read_costs_itself(
    manifest_of: Make, look_alikes: list[Pixels]
) -> None:
    pixels = look_alikes[0]
    files = {"a.png": pixels, "broken.png": b"\x89PNG\r\n\x1a\nno more", "gone.png": None}
    files |= {"again.png": b"\x89PNG\r\n\x1a\nno more", "b.jpg": altered(pixels, seed=1)}
    found = find(manifest_of(files))
    assert found.groups == ((0, 4),)
    assert [row for row, _ in found.unreadable] == [1, 2, 3]
    assert "broken.png" in found.unreadable[0][1]
    assert "gone.png" in found.unreadable[1][1]


def test_the_number_of_threads_changes_nothing(
    manifest_of: Make, look_alikes: list[Pixels]
) -> None:
    files = {f"{n}.png": pixels for n, pixels in enumerate(look_alikes[:5])}
    files |= {f"copy of {n}.jpg": altered(look_alikes[n], seed=n) for n in range(5)}
    manifest = manifest_of(files)
    assert find(manifest, threads=1) == find(manifest, threads=3)


def test_groups_of_the_manifest_are_kept_and_joined(
    manifest_of: Make, look_alikes: list[Pixels]
) -> None:
    one, other, third = look_alikes[:3]
    files = {"a.png": one, "b.png": other, "c.png": third, "d.png": turned(one, 5), "e.png": other}
    groups = ["patient 2", "patient 2", None, "patient 1", None]
    manifest = manifest_of(files, group=groups)
    after = apply(manifest, find(manifest))
    expected = ["patient 1", "patient 1", None, "patient 1", "patient 1"]
    assert after.column("group").tolist() == expected
    line = after.provenance[-1]
    assert line["operation"] == "duplicates"
    assert line["arguments"] == {"threshold": 0.75, "min_overlap": 0.2}
    assert (line["changed"]["exact"], line["changed"]["near"]) == (1, 1)
    assert len(after.provenance) == len(manifest.provenance) + 1


def test_an_empty_manifest_has_none(manifest_of: Make) -> None:
    assert find(manifest_of({})).groups == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"threshold": 1.0}, "threshold must lie between 0 and 1; received 1.0"),
        ({"threshold": 0}, "received 0"),
        ({"min_overlap": 0}, "min_overlap must lie above 0"),
        ({"min_overlap": 1.2}, "received 1.2"),
        ({"threads": 0}, "threads must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(
    manifest_of: Make, settings: dict[str, float], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        find(manifest_of({}), **settings)


def listed(data: Path) -> list[dict[str, str]]:
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_copies_of_real_cells_and_fields_are_found(
    data_part: Callable[[str], Path], manifest_of: Make
) -> None:
    """40 look-alike neutrophils of one stain and 8 fields; a copy of each third."""
    cells = sorted((data_part("cells/pbc") / "neutrophil").iterdir())[:40]
    fields = sorted((data_part("fields/bccd") / "images").iterdir())[:32:4]
    originals = [cv2.imread(str(path))[..., ::-1] for path in (*cells, *fields)]
    files = {f"{n}.png": pixels for n, pixels in enumerate(originals)}
    copied = range(0, len(originals), 3)
    files |= {f"copy of {n}.jpg": altered(originals[n], seed=n) for n in copied}
    found = find(manifest_of(files))
    assert found.groups == tuple((n, len(originals) + k) for k, n in enumerate(copied))


def test_bccd_is_found_in_the_sets_made_of_it(
    data_dir: Path, data_part: Callable[[str], Path]
) -> None:
    """By the pictures alone: the names, which the test knows, are hidden from the finder."""
    data_part("fields/txl_pbc")
    rows = [row for row in listed(data_dir) if row["source"] == "BCCD" and ".jpg" in row["path"]]
    of_txl = {row["original"]: row["path"] for row in rows if row["dataset"] == "txl_pbc"}
    of_bccd = {row["original"]: row["path"] for row in rows if row["dataset"] == "bccd"}
    names = sorted(set(of_txl) & set(of_bccd))[:8]
    paths = [of_bccd[name] for name in names] + [of_txl[name] for name in names]
    manifest = Manifest.from_rows(
        [{"path": path, "dataset": "hidden"} for path in paths], data_dir, "made"
    )
    found = find(manifest)
    linked = {(pair.first, pair.second) for pair in found.pairs}
    assert {(n, len(names) + n) for n in range(len(names))} <= linked
