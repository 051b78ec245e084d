"""Every adapter is registered, says what it must, and reads its layout."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from smearlab.datasets import adapters
from smearlab.datasets.adapters import registry
from smearlab.datasets.adapters.base import Adapter
from smearlab.datasets.adapters.describe import describe, markdown
from smearlab.datasets.adapters.reading import read_archive
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.adapters.tree import open_tree
from smearlab.errors import DataError
from tiny_archives import ARCHIVES, write_archive

DOCS = Path(__file__).resolve().parents[3] / "docs"
PUBLISHED = [one for one in ADAPTERS.values() if one.name != "folder"]


def test_every_adapter_module_is_in_the_registry() -> None:
    found = {}
    for module in pkgutil.iter_modules(adapters.__path__):
        loaded = importlib.import_module(f"{adapters.__name__}.{module.name}")
        adapter = getattr(loaded, "ADAPTER", None)
        if adapter is not None:
            assert isinstance(adapter, Adapter)
            assert adapter.name == module.name
            found[module.name] = adapter
    assert found == dict(registry.ADAPTERS)
    assert len(found) == 13


def test_every_adapter_has_a_small_archive() -> None:
    assert set(ARCHIVES) == set(ADAPTERS)


@pytest.mark.parametrize("adapter", PUBLISHED, ids=lambda one: one.name)
def test_what_is_published_is_complete_and_adds_up(adapter: Adapter) -> None:
    assert adapter.licence and adapter.allowed and adapter.counts_from and adapter.layout
    assert adapter.page.startswith(("https://", "http://"))
    assert adapter.traps
    assert adapter.downloads or adapter.obtain
    assert any("doi:10." in one or "https://" in one for one in adapter.citation)
    total = adapter.published["pictures"]["all"]
    for facet in ("types", "parts"):
        counts = adapter.published.get(facet)
        assert counts is None or sum(counts.values()) == total
    assert set(adapter.published.get("types", {})) <= set(adapter.classes)
    assert set(adapter.published.get("boxes", {})) <= {*adapter.box_classes, "all"}


@pytest.mark.parametrize("adapter", PUBLISHED, ids=lambda one: one.name)
def test_only_free_licences_are_fetched(adapter: Adapter) -> None:
    free = ("CC BY 4.0", "MIT", "GPL-3")
    if adapter.downloads:
        assert adapter.licence.startswith(free)
    for file in adapter.downloads:
        assert file.url.startswith("https://")
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_description_says_everything(name: str) -> None:
    said = dict(describe(ADAPTERS[name]))
    assert {"name", "layout", "annotation", "licence", "trap", "stain", "pixel size"} <= set(said)
    assert ("sha256" in said) == bool(ADAPTERS[name].downloads)


def test_the_table_of_the_documentation_is_that_of_the_registry() -> None:
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    inside = re.search(r"<!-- sets: begin -->\n\n(.*?)\n<!-- sets: end -->", page, re.DOTALL)
    assert inside, "docs/data.md has no marks around the table of sets"
    assert inside[1] == markdown(ADAPTERS.values())


@pytest.mark.parametrize("name", [n for n in ADAPTERS if n != "folder"])
def test_a_folder_of_something_else_is_refused_with_what_was_expected(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "holiday.txt").write_text("sea")
    with pytest.raises(DataError) as said:
        read_archive(ADAPTERS[name], tmp_path)
    assert f"does not hold {name}" in str(said.value)
    assert ADAPTERS[name].layout in str(said.value)
    assert "1 files (.txt 1), in the folders notes" in str(said.value)


@pytest.mark.parametrize("name", ADAPTERS)
def test_adapters_do_not_take_each_others_archives_whole(name: str, tmp_path: Path) -> None:
    """Each reads its own; what another claims of it is never more than it would itself."""
    root = write_archive(name, tmp_path / "a")
    own = {one.path for one in ADAPTERS[name].find(open_tree(root))}
    assert own
    related = {"folder", "bccd", "bbbc041seg", "zheng"}
    for other in set(ADAPTERS) - related - {name}:
        assert not list(ADAPTERS[other].find(open_tree(root))), f"{other} takes {name} for its own"
