"""Red cells cut from fields: whole, alone, like their neighbours, and never parted from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from smearlab.datasets.erythrocytes import cut_erythrocytes
from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.datasets.whole_red_cells import CutRules
from smearlab.errors import ManifestError, OutputExistsError, UsageError
from smearlab.pipeline import Analyzer

CONFIG = SmearConfig(
    height_px=260, width_px=280, rbc_diameter_px=46, n_rbc=9, n_wbc=1, n_plt=1, touching=0,
    overlap=0, oval=0, gap_px=8,
)  # fmt: skip
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer.load("default", None)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Three fields, a broken one, and rows that are not to be cut from."""
    root = tmp_path_factory.mktemp("archive")
    rows = []
    for seed in SEEDS:
        Image.fromarray(simulate_field(seed, CONFIG).field.pixels).save(root / f"SNE_{seed}.png")
        rows.append(
            {
                "path": f"SNE_{seed}.png",
                "dataset": "pbc",
                "source_image": f"SNE_{seed}.jpg",
                "group": f"PBC/SNE_{seed}",
                "label": "neutrophil",
                "split": "test" if seed == 2 else "train",
                "width_px": 280,
                "height_px": 260,
            }
        )
    (root / "SNE_9.png").write_bytes(b"\x89PNG broken")
    rows.append({"path": "SNE_9.png", "dataset": "pbc", "group": "PBC/SNE_9"})
    rows.append({"path": "made.png", "dataset": "pbc", "group": "made", "synthetic": True})
    rows.append({"path": "other.png", "dataset": "raabin", "group": "other"})
    return Manifest.from_rows(rows, root, "import")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_cut_cells_keep_group_and_split_of_their_field(
    tmp_path: Path, archive: Manifest, analyzer: Analyzer
) -> None:
    shown: list[int] = []
    report = cut_erythrocytes(archive, tmp_path / "out", 100, 1, analyzer, advance=shown.append)
    rows = report.manifest.table.to_pylist()
    assert 4 <= len(rows) <= 9  # three pictures, three cells each at most
    assert report.n_pictures == 4 and shown[-1] == len(rows) and shown == sorted(shown)
    assert list(report.problems) == ["SNE_9.png"]
    assert "SNE_9.png" in report.problems["SNE_9.png"]
    for row in rows:
        seed = int(row["group"].removeprefix("PBC/SNE_"))
        assert row["source_image"] == f"SNE_{seed}.jpg"
        assert row["split"] == ("test" if seed == 2 else "train")
        assert (row["dataset"], row["label"], row["synthetic"]) == ("pbc", "erythrocyte", False)
        place = row["path"].removesuffix(".png").split("-")
        x0, y0 = int(place[-2][1:]), int(place[-1][1:])
        truth = simulate_field(seed, CONFIG)
        window = np.s_[y0 : y0 + row["height_px"], x0 : x0 + row["width_px"]]
        with Image.open(tmp_path / "out" / row["path"]) as image:
            assert np.array_equal(np.array(image), truth.field.pixels[window])
        with Image.open(tmp_path / "out" / row["mask"]) as image:
            mask = np.array(image) == 128
        under = truth.labels.array[window]
        label = int(np.bincount(under[mask]).argmax())
        assert truth.cells[label - 1].type == "erythrocyte"
        both = (mask & (under == label)).sum()
        assert both / (mask | (under == label)).sum() > 0.75
    written = read_manifest(tmp_path / "out" / "manifest.parquet")
    assert written.table.equals(report.manifest.table)
    (line,) = written.provenance
    assert line["operation"] == "erythrocytes"
    assert (line["arguments"]["seed"], line["arguments"]["dataset"]) == (1, "pbc")
    assert line["arguments"]["segmenter"] == analyzer.describe()["segmenter"]["sha256"]
    assert line["arguments"]["inputs"] == [{"rows": 6, "provenance": list(archive.provenance)}]


def test_an_interrupted_run_goes_on_to_the_same_files(
    tmp_path: Path, archive: Manifest, analyzer: Analyzer
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    cut_erythrocytes(archive, whole, 100, 1, analyzer)

    class Stop(Exception):
        pass

    def stop(done: int) -> None:
        if done >= 2:
            raise Stop

    with pytest.raises(Stop):
        cut_erythrocytes(archive, broken, 100, 1, analyzer, advance=stop)
    assert not (broken / "manifest.parquet").exists()
    with (broken / "cut.jsonl").open("a") as file:
        file.write('{"path": "SNE_')  # a line that a crash left unfinished
    before = {name: (broken / name).stat().st_mtime_ns for name in files(broken / "images")
              if (broken / name).exists()}  # fmt: skip
    cut_erythrocytes(archive, broken, 100, 1, analyzer)
    assert files(whole) == files(broken)
    assert before == {name: (broken / name).stat().st_mtime_ns for name in before}


def test_more_cells_are_added_and_fewer_are_the_first(
    tmp_path: Path, archive: Manifest, analyzer: Analyzer
) -> None:
    few = cut_erythrocytes(archive, tmp_path / "out", 2, 1, analyzer)
    many = cut_erythrocytes(archive, tmp_path / "out", 5, 1, analyzer)
    assert (len(few.manifest), len(many.manifest)) == (2, 5)
    assert many.manifest.table.slice(0, 2).equals(few.manifest.table)
    other = cut_erythrocytes(archive, tmp_path / "other", 5, 2, analyzer)
    assert not other.manifest.table.equals(many.manifest.table)


def test_other_settings_do_not_mix(tmp_path: Path, archive: Manifest, analyzer: Analyzer) -> None:
    cut_erythrocytes(archive, tmp_path / "out", 1, 1, analyzer)
    before = files(tmp_path / "out")
    with pytest.raises(OutputExistsError, match="cells cut with seed 1, not 2"):
        cut_erythrocytes(archive, tmp_path / "out", 1, 2, analyzer)
    assert files(tmp_path / "out") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(OutputExistsError, match="mine exists and is not empty"):
        cut_erythrocytes(archive, tmp_path / "mine", 1, 1, analyzer)
    (tmp_path / "mine" / "cut.jsonl").write_text(json.dumps({"what": "else"}) + "\n")
    with pytest.raises(OutputExistsError, match="is no list of cut cells"):
        cut_erythrocytes(archive, tmp_path / "mine", 1, 1, analyzer)


def test_one_group_is_cut_once(tmp_path: Path, archive: Manifest, analyzer: Analyzer) -> None:
    """The same picture in a second encoding would give the same cells again."""
    groups = ["one"] * len(archive)
    report = cut_erythrocytes(
        archive.with_columns(group=groups), tmp_path / "out", 100, 1, analyzer
    )
    assert report.n_pictures == 1


def test_cells_of_synthetic_pictures_are_synthetic(
    tmp_path: Path, archive: Manifest, analyzer: Analyzer
) -> None:
    made = archive.take(np.arange(1)).with_columns(synthetic=[True])
    report = cut_erythrocytes(made, tmp_path / "out", 2, 1, analyzer, synthetic=True)
    assert list(report.manifest.column("synthetic")) == [True] * len(report.manifest) != []
    with pytest.raises(UsageError, match="no real picture of the dataset 'pbc'"):
        cut_erythrocytes(made, tmp_path / "real", 2, 1, analyzer)


def test_wrong_calls_are_named(tmp_path: Path, archive: Manifest, analyzer: Analyzer) -> None:
    lone = archive.with_columns(group=[None] * len(archive))
    with pytest.raises(ManifestError, match=r"SNE_1\.png has no group"):
        cut_erythrocytes(lone, tmp_path / "out", 1, 1, analyzer)
    with pytest.raises(UsageError, match="no real picture of the dataset 'pcb' in the manifest"):
        cut_erythrocytes(archive, tmp_path / "out", 1, 1, analyzer, dataset="pcb")
    with pytest.raises(UsageError, match="n must be at least 1"):
        cut_erythrocytes(archive, tmp_path / "out", 0, 1, analyzer)
    with pytest.raises(UsageError, match=r"context must lie within 1–4; received 0\.5"):
        CutRules(context=0.5)
    assert not (tmp_path / "out").exists()
