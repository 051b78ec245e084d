"""Pictures of PBC that show the same place never part."""

from __future__ import annotations

from pathlib import Path

from smearlab.datasets.adapters.pbc_relatives import RELATIVES
from smearlab.datasets.adapters.sources import source_group
from smearlab.datasets.cell_images import list_cell_images


def test_each_name_stands_in_one_group() -> None:
    names = [name for group in RELATIVES for name in group]
    assert len(names) == len(set(names)) == 81
    assert all(len(group) > 1 and list(group) == sorted(group) for group in RELATIVES)


def test_relatives_are_one_source() -> None:
    for group in RELATIVES:
        assert len({source_group("PBC", f"{name}.jpg") for name in group}) == 1
    assert source_group("PBC", "BA_1.jpg") == "PBC/BA_1"
    assert source_group("other", f"{RELATIVES[0][1]}.jpg") == f"other/{RELATIVES[0][1]}"


def test_no_real_relative_is_drawn_as_held_out(data_dir: Path) -> None:
    """Only TXL-PBC's validation part holds one out, and then all of its group."""
    groups = {source_group("PBC", group[0]) for group in RELATIVES}
    parts: dict[str, set[str]] = {}
    for image in list_cell_images(data_dir):
        if image.group in groups:
            parts.setdefault(image.group, set()).add(image.part)
    assert len(parts) == len(groups)
    assert all(len(found) == 1 for found in parts.values())
    assert 0 < sum(found == {"val"} for found in parts.values()) < 8
