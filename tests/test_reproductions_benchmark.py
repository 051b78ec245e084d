"""``benchmarks/reproductions.py`` writes pages from records, and nothing without one."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from smearlab.evaluation.reproductions import Line, Record
from smearlab.learn.reproduce.experiments import EXPERIMENTS

REPOSITORY = Path(__file__).resolve().parents[1]
RECORD = Record(
    name="rwp_gan", title="Elements", paper="Khan et al. 2024", protocol="honest", scale="cpu",
    lines=(
        Line("WBC (masks), rwp_gan", "PCC", 0.9983, "Table 2", 0.991, 0.98, 0.999, 1106, "fields"),
        Line("WBC (masks), unet_bce_dice", "PCC", None, "", 0.995, 0.99, 0.999, 1106, "fields"),
    ),
    data=("WBC: learnt from 868 pairs",), deviations=("fewer steps",), hardware="two cores",
    command="smearlab reproduce rwp_gan --data /sets/sets", commit="", version="1.0",
    finished="2026-01-01", seconds=60.0, findings=("rwp_gan loses to the plain U-Net",),
)  # fmt: skip


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    path = REPOSITORY / "benchmarks" / "reproductions.py"
    spec = importlib.util.spec_from_file_location("reproductions_benchmark", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def docs(script: ModuleType, tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for file in script.PAGES.values():
        shutil.copy(REPOSITORY / "docs" / file, folder)
    # Marks without what the last records left.
    for name, file in script.PAGES.items():
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(script.between(text, name, "Not trained yet."), "utf-8")
    return folder


def call(script: ModuleType, monkeypatch: pytest.MonkeyPatch, out: Path, docs: Path) -> str:
    monkeypatch.setattr(sys, "argv", ["reproductions.py", str(out), "--docs", str(docs)])
    script.main()
    return (docs / "rwp-gan-results.md").read_text(encoding="utf-8")


def test_a_page_shows_its_records(
    script: ModuleType, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RECORD.save(tmp_path / "out" / "rwp_gan" / "honest-cpu")
    text = call(script, monkeypatch, tmp_path / "out", docs)
    assert "### Protocol honest, scale cpu" in text
    assert "- rwp_gan loses to the plain U-Net." in text
    assert "| PCC | 0.9983 | 0.9910 (0.9800–0.9990) | 0.9950 (0.9900–0.9990) |" in text
    assert "1 106 fields" in text
    assert "Command: `smearlab reproduce rwp_gan --data DIR`." in text
    assert "Not trained yet" not in text
    kept = docs / "results/reproductions/rwp_gan/honest-cpu/record.json"
    assert "/sets" not in kept.read_text() and json.loads(kept.read_text())["lines"]
    assert call(script, monkeypatch, docs, docs) == text, "what is kept is shown again"


def test_pictures_go_with_the_record(
    script: ModuleType, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out" / "rwp_gan" / "honest-cpu"
    replace(RECORD, pages=("wbc.png", "gone.png", "report.html")).save(out)
    pixels = np.random.default_rng(0).integers(100, 160, (6, 8, 3)).astype(np.uint8)
    shown = np.kron(pixels, np.ones((16, 16, 1), np.uint8))
    Image.fromarray(shown).save(out / "wbc.png")
    (out / "report.html").write_text("page")
    text = call(script, monkeypatch, tmp_path / "out", docs)
    assert "![wbc](results/reproductions/rwp_gan/honest-cpu/wbc.webp)" in text
    kept = docs / "results/reproductions/rwp_gan/honest-cpu"
    assert sorted(path.name for path in kept.iterdir()) == ["record.json", "wbc.webp"]
    assert "gone" not in text and "report.html" not in text
    with Image.open(kept / "wbc.webp") as picture:
        apart = np.abs(np.asarray(picture.convert("RGB")).astype(int) - shown)
    assert picture.size == (128, 96) and apart.mean() < 8
    before = (kept / "wbc.webp").read_bytes()
    assert call(script, monkeypatch, docs / "results/reproductions", docs) == text
    assert (kept / "wbc.webp").read_bytes() == before, "it is not made worse again"


def test_without_a_record_the_page_stays_as_it_is(
    script: ModuleType, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    assert "Not trained yet." in call(script, monkeypatch, tmp_path / "out", docs)
    assert not (docs / "results").exists()
    with pytest.raises(SystemExit, match="is no folder: name the one that smearlab reproduce"):
        call(script, monkeypatch, tmp_path / "nowhere", docs)


def test_every_page_is_of_an_experiment(script: ModuleType) -> None:
    assert set(script.PAGES) <= set(EXPERIMENTS)
    for name, file in script.PAGES.items():
        text = (REPOSITORY / "docs" / file).read_text(encoding="utf-8")
        assert f"smearlab reproduce {name}" in text
