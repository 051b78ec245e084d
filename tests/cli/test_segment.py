"""``smearlab segment`` as a user meets it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner, Result

from smearlab.batch.element_files import ENDINGS
from smearlab.cli.main import app
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.io.bundles import find_bundle
from smearlab.report.element_tables import ELEMENT_CELLS_COLUMNS, SUMMARY_COLUMNS
from tiny_bundles import DISC_PX, DISC_UM_PER_PX, draw_discs, write_classifier, write_elements

DISCS = [(20, 30, "RBC"), (60, 32, "RBC"), (80, 34, "RBC"), (100, 90, "WBC"), (150, 120, "PLT")]
PITCH = f"--um-per-px={DISC_UM_PER_PX}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_elements(Path("models/gan"), "RBC", "WBC", "PLT")
    monkeypatch.setenv("SMEARLAB_MODELS", "models")
    Path("in").mkdir()
    for n, discs in enumerate((DISCS, DISCS[:2], [])):
        cv2.imwrite(f"in/f{n}.png", draw_discs(discs)[..., ::-1])
    return tmp_path


def call(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["segment", *words], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result


def rows_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_elements_of_a_model(here: Path) -> None:
    result = call("in", "--out", "out", "--model", "gan", PITCH)
    assert "red cells: 5\nwhite cells: 1\nplatelets: 1\n" in result.stdout
    written = sorted(path.name for path in Path("out/pictures").glob("f0.*"))
    endings = ("generated.png", "labels.png", "mask.png", "png")
    assert written == sorted(
        ["f0.elements.png", *(f"f0.{e}.{end}" for e in ("rbc", "wbc", "plt") for end in endings)]
    )
    cells = rows_of("out/cells.csv")
    assert list(cells[0]) == list(ELEMENT_CELLS_COLUMNS)
    assert [row["element"] for row in cells if row["field"] == "f0"].count("RBC") == 3
    summary = rows_of("out/summary.csv")
    assert list(summary[0]) == list(SUMMARY_COLUMNS)
    assert [row["n"] for row in summary] == ["3", "1", "1", "2", "0", "0", "0", "0", "0"]
    assert summary[4]["median_area_px"] == ""  # undefined is not 0
    page = Path("out/index.html").read_text(encoding="utf-8")
    assert "pictures/f0.elements.png" in page
    assert "Research use only" in page


def test_what_is_written_fits_together(here: Path) -> None:
    call("in/f0.png", "--out", "out", "--model", "gan", PITCH)
    pixels = cv2.imread("in/f0.png")
    for element in ("rbc", "wbc", "plt"):
        segmented = cv2.imread(f"out/pictures/f0.{element}.png")
        mask = cv2.imread(f"out/pictures/f0.{element}.mask.png", cv2.IMREAD_UNCHANGED)
        labels = cv2.imread(f"out/pictures/f0.{element}.labels.png", cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) == {0, 255}
        assert labels.dtype == np.uint16
        np.testing.assert_array_equal(labels > 0, mask > 0)
        np.testing.assert_array_equal(segmented[mask > 0], pixels[mask > 0])
        assert not segmented[mask == 0].any()
        rows = [row for row in rows_of("out/cells.csv") if row["element"] == element.upper()]
        assert {int(row["label"]) for row in rows} == set(np.unique(labels).tolist()) - {0}
        for row in rows:
            area = np.count_nonzero(labels == int(row["label"]))
            assert float(row["area_px"]) == area
            assert float(row["area_um2"]) == pytest.approx(area * DISC_UM_PER_PX**2, abs=0.01)
            assert float(row["equivalent_diameter_px"]) == pytest.approx(DISC_PX, rel=0.2)
            place = (labels == int(row["label"])).nonzero()
            assert float(row["centroid_x_px"]) == pytest.approx(place[1].mean() + 0.5, abs=0.6)
    together = cv2.imread("out/pictures/f0.elements.png")
    assert together.shape[1] == pixels.shape[1]
    assert together.shape[0] > pixels.shape[0]  # the legend


def test_samples_write_the_spread(here: Path) -> None:
    call("in/f0.png", "--out", "out", "--model", "gan", "--samples", "4", PITCH)
    numbers = tifffile.imread("out/pictures/f0.wbc.spread.tif")
    assert numbers.shape == (2, 160, 192)
    assert numbers.dtype == np.float32
    assert 0 <= numbers.min() <= numbers.max() <= 1
    assert numbers[1].max() > 0.1
    assert Path("out/pictures/f0.wbc.spread.png").is_file()
    assert "mean over 4 draws of noise (seed 0)" in Path("out/index.html").read_text("utf-8")


def test_one_element_by_name_and_folder(here: Path) -> None:
    result = call("in/f0.png", "--out", "out", "--model", "models/gan/wbc", PITCH)
    assert "white cells: 1\n" in result.stdout
    assert "red cells" not in result.stdout
    page = Path("out/index.html").read_text(encoding="utf-8")
    assert "not looked for" in page
    call(
        "in/f0.png", "--out", "two", "--model", "gan", "--element", "plt", "--element", "rbc", PITCH
    )
    assert [row["element"] for row in rows_of("two/summary.csv")] == ["RBC", "PLT"]


def test_without_a_pitch_there_are_no_micrometres(here: Path) -> None:
    write_elements(Path("fixed"), "RBC", size_px=192)
    call("in/f0.png", "--out", "out", "--model", "./fixed")
    row = rows_of("out/cells.csv")[0]
    assert row["area_px"]
    assert row["area_um2"] == row["perimeter_um"] == row["major_axis_um"] == ""


def test_a_bad_file_costs_itself(here: Path) -> None:
    Path("in/torn.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    result = call("in", "--out", "out", "--model", "gan", PITCH, exit_code=1)
    assert "1 of 4 files failed: out/errors.csv" in result.stdout
    assert rows_of("out/errors.csv")[0]["path"] == "in/torn.jpg"
    assert len({row["field"] for row in rows_of("out/summary.csv")}) == 3
    assert "torn.jpg" in Path("out/index.html").read_text(encoding="utf-8")


def test_the_same_command_goes_on(here: Path) -> None:
    words = ("in", "--out", "out", "--model", "gan", PITCH)
    call(*words)
    tables = {path: path.read_bytes() for path in Path("out").glob("[a-z]*.*")}
    record = Path("out/.smearlab/records/f1.json")
    picture = Path("out/pictures/f2.wbc.mask.png")
    kept = Path("out/pictures/f0.wbc.mask.png")
    before = kept.stat().st_mtime_ns
    record.unlink()
    picture.unlink()
    result = call(*words)
    assert "3 fields, 1 done before" in result.stderr
    assert record.is_file()
    assert picture.is_file()
    assert kept.stat().st_mtime_ns == before
    assert {path: path.read_bytes() for path in Path("out").glob("[a-z]*.*")} == tables


def test_another_command_needs_another_folder_or_force(here: Path) -> None:
    call("in", "--out", "out", "--model", "gan", PITCH)
    Path("out/pictures/mine.txt").write_text("keep me")
    words = ("in", "--out", "out", "--model", "gan", "--element", "wbc", PITCH)
    result = call(*words, exit_code=2)
    assert '--element is ["RBC", "WBC", "PLT"] there, ["WBC"] now' in result.stderr
    call(*words, "--force")
    assert not Path("out/pictures/f0.rbc.png").exists()
    assert Path("out/pictures/f0.wbc.png").exists()
    assert Path("out/pictures/mine.txt").exists()


def test_pictures_that_it_wrote_are_no_fields(here: Path) -> None:
    call("in/f0.png", "--out", "out", "--model", "gan", PITCH)
    result = call("out/pictures", "--out", "again", "--model", "gan", exit_code=2)
    assert "only overlays that smearlab wrote" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--element", "wbs"], "unknown element 'wbs'; did you mean 'wbc'"),
        (["--model", "models/gan/rbc", "--element", "plt"], "no network for PLT; it has RBC"),
        (["--model", "models/gan/rbc", "--element", "all"], "no network for WBC and PLT"),
        (["--model", "rwp_gam"], "unknown model 'rwp_gam'"),
        (["--model", "default", "--samples", "3"], "has no noise to draw"),
        (["--samples", "0"], "--samples"),
        (["--um-per-px", "-1"], "received -1.0"),
    ],
)
def test_usage_is_told(here: Path, words: list[str], told: str) -> None:
    model = [] if "--model" in words else ["--model", "gan"]
    result = call("in", "--out", "out", *model, *words, exit_code=2)
    assert told in result.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize("name", ["./types", "./gone"])
def test_models_that_are_none_are_told(here: Path, name: str) -> None:
    write_classifier(Path("types"))
    result = call("in", "--out", "out", "--model", name, exit_code=1)
    told = {"./types": "kind 'classifier'; a segmenter is needed", "./gone": "no such folder"}
    assert told[name] in result.stderr


def test_quiet(here: Path) -> None:
    assert call("in", "--out", "out", "--model", "gan", PITCH, "--quiet").output == ""


def test_endings_are_described() -> None:
    page = Path(__file__).parents[2] / "docs" / "commands" / "segment.md"
    text = page.read_text(encoding="utf-8")
    for ending in (*(f"wbc.{ending}" for ending in ENDINGS), "elements.png"):
        assert f"FIELD.{ending}`" in text, f"{ending} is not described"
    for column in {*ELEMENT_CELLS_COLUMNS, *SUMMARY_COLUMNS}:
        name = column.rsplit("_mean", 1)[0].rsplit("_sd", 1)[0].rsplit("_skewness", 1)[0]
        assert f"`{name}" in text, f"{column} is not described"


def shipped_or_skip() -> None:
    for kind in ("segmenter", "classifier"):
        if not find_bundle(kind, "default").is_dir():
            pytest.skip(f"the shipped {kind} is not in this checkout")


def test_the_shipped_segmenter_counts_as_analyze_does(here: Path) -> None:
    shipped_or_skip()
    pixels = simulate_field(1, SmearConfig(height_px=240, width_px=320, n_wbc=1)).field.pixels
    cv2.imwrite("in/simulated.png", pixels[..., ::-1])
    call("in/simulated.png", "--out", "out", "--simulated")
    done = CliRunner().invoke(app, ["analyze", "in/simulated.png", "--out", "counted"])
    assert done.exit_code == 0, done.output
    counts = json.loads(Path("counted/counts.json").read_bytes())["pooled"]
    found = {row["element"]: int(row["n"]) for row in rows_of("out/summary.csv")}
    assert found == {element: counts[element] for element in ("RBC", "WBC", "PLT")}
    assert "Simulated pictures" in Path("out/index.html").read_text(encoding="utf-8")


def test_analyze_takes_an_element_segmenter(here: Path) -> None:
    """What the segmenter cannot see was not looked for: its numbers are null, not 0."""
    shipped_or_skip()
    words = ["analyze", "in/f0.png", "--out", "counted", "--segmenter", "gan/rbc", PITCH]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("not looked for") >= 2
    whole = json.loads(Path("counted/counts.json").read_bytes())
    assert whole["looked_for"] == ["RBC"]
    for counts in (whole["pooled"], whole["fields"][0]):
        assert (counts["RBC"], counts["WBC"], counts["PLT"]) == (3, None, None)
        assert counts["rbc_per_wbc"] is None
        assert counts["types"]["erythrocyte"]["n"] == 3
        assert counts["types"]["platelet"] == dict.fromkeys(("n", "fraction", "low", "high"))
        assert counts["differential"]["neutrophil"]["n"] is None
    page = Path("counted/report.html").read_text(encoding="utf-8")
    assert "does not look for white cells or platelets: their numbers are unknown, not 0" in page
    assert "White cells were not looked for" in page


def test_real_fields(here: Path, data_part: Callable[[str], Path]) -> None:
    shipped_or_skip()
    files = sorted((data_part("fields/bccd") / "images").iterdir())[:2]
    call(*map(str, files), "--out", "out", "--element", "all")
    cells = rows_of("out/cells.csv")
    white = [row for row in cells if row["element"] == "WBC"]
    red = [row for row in cells if row["element"] == "RBC" and row["touches_border"] == "0"]
    assert white
    assert red
    for row in cells:
        assert 0 < float(row["solidity"]) <= 1
        assert 0 <= float(row["eccentricity"]) < 1
    # White cells are darker and bluer than red ones: their nuclei take up the blue dye.
    assert max(float(row["lab_b_mean"]) for row in white) < np.median(
        [float(row["lab_b_mean"]) for row in red]
    )
