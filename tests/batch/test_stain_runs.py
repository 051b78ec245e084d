"""Fitting, applying and comparing normalisers over folders; fields analysed in another stain."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drawn_smears import CREAM, PINK, smear, write_smears
from smearlab.batch.normalised_fields import NormalisedFields
from smearlab.batch.run import analyze_files
from smearlab.batch.stain_apply import normalise_files
from smearlab.batch.stain_compare import compare_normalisers
from smearlab.batch.stain_fit import FitOptions, fit_files
from smearlab.batch.stain_pictures import (
    MIDDLE_PX,
    files_of,
    read_pictures,
    refuse_same_files,
    refuse_same_pictures,
)
from smearlab.errors import DataError, ImageError, OutputExistsError, UnknownNameError, UsageError
from smearlab.io.images import read_field
from smearlab.pipeline import Analysis
from smearlab.stain.fitting import measure_look
from smearlab.stain.models import load_normaliser, read_model
from smearlab.stain.normaliser import Normaliser, ReferenceNormaliser
from smearlab.types import Field
from tiny_stain import write_stain


@pytest.fixture
def pink(tmp_path: Path) -> Path:
    return write_smears(tmp_path / "pink", PINK, range(3))


@pytest.fixture
def cream(tmp_path: Path) -> Path:
    return write_smears(tmp_path / "cream", CREAM, range(3, 6))


@pytest.fixture
def to_cream() -> Normaliser:
    return ReferenceNormaliser(
        "to_cream",
        "vahadane",
        measure_look([smear(CREAM)], "vahadane"),
        card={"name": "to_cream", "kind": "stain", "sha256": "1" * 64},
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_fitting_writes_a_model_and_says_what_it_came_to(
    tmp_path: Path, pink: Path, cream: Path
) -> None:
    (pink / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    out = tmp_path / "model.json"
    result = fit_files(str(pink), str(cream), out, FitOptions("vahadane"))
    assert [Path(one.path).name for one in result.unread] == ["bad.png"]
    before, after = (result.figures[when]["ground_de00"]["value"] for when in ("before", "after"))
    assert after < 1 < 8 < before
    model = read_model(out)
    assert model.name == "model" and model.source is not None
    assert (model.card["from"], model.card["to"]) == (str(pink), str(cream))
    assert model.card["pictures"]["source"]["n"] == 3
    assert model.card["figures_on_source"] == result.figures
    pixels = smear(PINK, 9)
    assert (model.apply(pixels) == result.normaliser.apply(pixels)).all()


def test_two_sources_that_are_the_same_are_refused(tmp_path: Path, pink: Path, cream: Path) -> None:
    shutil.copy(pink / "smear1.png", cream / "other_name.png")
    with pytest.raises(DataError, match=r"smear1\.png = .*other_name\.png; name pictures of two"):
        fit_files(str(pink), str(cream), tmp_path / "m.json", FitOptions("macenko"))
    assert not (tmp_path / "m.json").exists()
    with pytest.raises(DataError, match=r"source and target show the same: .* and 1 more"):
        files = files_of(str(pink))
        refuse_same_pictures([*files, cream / "smear3.png"], [*files, cream / "smear3.png"])
    refuse_same_pictures(files_of(str(pink)), [cream / "smear3.png"])


def test_files_that_are_not_measured_are_compared_too(
    tmp_path: Path, pink: Path, cream: Path
) -> None:
    """Of three pictures of each stain one is measured, and that is not the shared one."""
    shutil.copy(pink / "smear2.png", cream / "smear9.png")
    with pytest.raises(DataError, match=r"smear2\.png = .*smear9\.png"):
        fit_files(str(pink), str(cream), tmp_path / "m.json", FitOptions("macenko", most=1))
    gone = [cream / "gone.png"]  # costs itself when it is read
    refuse_same_files([*files_of(str(pink)), *gone], [cream / "smear3.png", *gone])


def test_copies_that_were_altered_are_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(60, 240, (16, 16, 3)).astype(np.uint8))
    picture = coarse.resize((160, 160), Image.Resampling.BICUBIC)
    picture.save(tmp_path / "a.png")
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "b.jpg", quality=90)
    with pytest.raises(DataError, match="show the same"):
        refuse_same_pictures([tmp_path / "a.png"], [tmp_path / "b.jpg"])


def test_what_cannot_be_fitted_has_an_error_of_its_own(tmp_path: Path, pink: Path) -> None:
    out = tmp_path / "m.json"
    with pytest.raises(UnknownNameError, match="smearlab train cyclegan"):
        FitOptions("cyclegan")
    with pytest.raises(UsageError, match="most must be at least 1; received 0"):
        FitOptions("macenko", most=0)
    with pytest.raises(UsageError, match=r"must end in \.json"):
        fit_files(str(pink), str(pink), tmp_path / "m", FitOptions("macenko"))
    blank = tmp_path / "blank"
    blank.mkdir()
    Image.new("RGB", (60, 40), (240, 230, 220)).save(blank / "blank.png")
    with pytest.raises(ImageError, match="of the target shows a nucleus"):
        fit_files(str(pink), str(blank), out, FitOptions("macenko"))
    with pytest.raises(ImageError, match="blank: the picture is blank"):
        fit_files(str(blank), str(pink), out, FitOptions("macenko"))
    (blank / "blank.png").write_bytes(b"none")
    with pytest.raises(ImageError, match=r"none of the 1 pictures .* can be read; the first, .*"):
        fit_files(str(blank), str(pink), out, FitOptions("macenko"))
    assert not out.exists()


def test_pictures_of_a_manifest_are_those_of_its_part(tmp_path: Path, pink: Path) -> None:
    table = pytest.importorskip("smearlab.datasets.manifest.table", exc_type=ImportError)
    rows = [
        {"path": f"smear{n}.png", "dataset": "folder", "split": split}
        for n, split in enumerate(("train", "val", "train"))
    ]
    for name, made in (("split", rows), ("whole", [{**row, "split": None} for row in rows])):
        manifest = table.Manifest.from_rows(made, pink, "test")
        table.write_manifest(tmp_path / f"{name}.csv", manifest)
    split, whole = (str(tmp_path / f"{name}.csv") for name in ("split", "whole"))
    assert [path.name for path in files_of(split, ("train",))] == ["smear0.png", "smear2.png"]
    assert [path.name for path in files_of(split, ("val", "test"), pink)] == ["smear1.png"]
    assert len(files_of(split)) == len(files_of(whole, ("train",))) == 3
    with pytest.raises(UsageError, match="has no picture in test"):
        files_of(split, ("test",))


def test_pictures_are_spread_evenly_and_cut_to_the_middle(tmp_path: Path, pink: Path) -> None:
    assert [path.name for path in files_of(str(pink), most=2)] == ["smear0.png", "smear2.png"]
    long = np.zeros((20, MIDDLE_PX + 4, 3), np.uint8)
    long[:, 2:-2] = 200
    Image.fromarray(long).save(tmp_path / "long.png")
    (pixels,) = read_pictures("x", [tmp_path / "long.png"]).pixels
    assert pixels.shape == (20, MIDDLE_PX, 3) and (pixels == 200).all()


def test_a_folder_in_another_stain(tmp_path: Path, pink: Path, to_cream: Normaliser) -> None:
    """Grey, 16-bit and transparent pictures come in, too; a bad one costs itself."""
    Image.new("L", (40, 30), 230).save(pink / "blank.png")
    rgba = np.dstack([smear(PINK, 7), np.full((64, 96), 255, np.uint8)])
    Image.fromarray(rgba).save(pink / "clear.png")
    deep = np.full((20, 30), 60_000, np.uint16)
    Image.fromarray(deep).save(pink / "deep.png")
    (pink / "zbad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    out = tmp_path / "out"
    result = normalise_files([pink], out, to_cream, sheet=True)
    assert [Path(one.path).name for one in result.errors] == ["zbad.png"]
    rows = {row["picture"]: row["notes"] for row in rows_of(out / "pictures.csv")}
    assert set(rows) == {
        f"pictures/{name}.png" for name in ("blank", "clear", "deep", "smear0", "smear1", "smear2")
    }
    assert "nearly blank" in rows["pictures/blank.png"]
    assert "nearly blank" in rows["pictures/deep.png"]
    assert rows["pictures/smear0.png"] == ""
    for name in ("smear0", "clear"):
        made = read_field(out / "pictures" / f"{name}.png").pixels
        assert (made == to_cream.apply(read_field(pink / f"{name}.png").pixels)).all()
    assert (read_field(out / "pictures" / "blank.png").pixels == 230).all()
    height, width = read_field(out / "sheet.png").pixels.shape[:2]
    assert height > 6 * 256 and width > 2 * 256


def test_the_same_call_goes_on_and_another_is_refused(
    tmp_path: Path, pink: Path, to_cream: Normaliser
) -> None:
    out = tmp_path / "out"
    normalise_files([pink], out, to_cream)
    lost = out / "pictures" / "smear1.png"
    whole = lost.read_bytes()
    lost.write_bytes(whole[:50])
    again = normalise_files([pink], out, to_cream, sheet=True)
    assert (again.n_inputs, again.n_before) == (3, 2)
    assert lost.read_bytes() == whole
    other = load_normaliser(write_stain(tmp_path / "negative"))
    with pytest.raises(OutputExistsError, match="stain"):
        normalise_files([pink], out, other)
    normalise_files([pink / "smear0.png"], out, other, force=True)
    assert sorted(path.name for path in out.rglob("*.png")) == ["smear0.png"]  # sheet.png is gone


class Watching:
    """An analyser that finds nothing and keeps what it was given."""

    def __init__(self) -> None:
        self.seen: list[Field] = []

    def analyze(self, field: Field) -> Analysis:
        self.seen.append(field)
        return Analysis((), field.width_px, field.height_px, ("its own note",))

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        card = {"name": "watching", "kind": "segmenter", "sha256": "2" * 64, "classes": []}
        return {"segmenter": card}


def test_fields_are_analysed_in_the_other_stain_and_drawn_in_their_own(
    tmp_path: Path, pink: Path, to_cream: Normaliser
) -> None:
    watching, out = Watching(), tmp_path / "out"
    analyze_files([pink / "smear0.png"], out, NormalisedFields(watching, to_cream))
    (seen,) = watching.seen
    assert (seen.pixels == to_cream.apply(smear(PINK))).all() and seen.name == "smear0"
    assert (read_field(out / "overlays" / "smear0.png").pixels[0, 48] == PINK.ground).all()
    models = json.loads((out / "counts.json").read_text())
    assert "to_cream" in json.dumps(models) and "1" * 64 in json.dumps(models)
    assert "stain normalised by to_cream" in (out / "report.html").read_text()
    with pytest.raises(OutputExistsError, match=r"stain is .* there, null now"):
        analyze_files([pink / "smear0.png"], out, watching)


def test_a_blank_field_says_that_it_was_left(tmp_path: Path, to_cream: Normaliser) -> None:
    blank = Field(np.full((20, 20, 3), 230, np.uint8), "blank")
    notes = NormalisedFields(Watching(), to_cream).analyze(blank).notes
    assert notes[0].startswith("stain: unchanged (nearly blank") and notes[1] == "its own note"


def test_normalisers_side_by_side(
    tmp_path: Path, pink: Path, cream: Path, to_cream: Normaliser
) -> None:
    negative = load_normaliser(write_stain(tmp_path / "negative"))
    (cream / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    out = tmp_path / "out"
    result = compare_normalisers([to_cream, negative], str(pink), str(cream), out)
    assert [row[0] for row in result.grid.rows] == ["as they are", "to_cream", "blurred_negative"]
    assert [Path(one.path).name for one in result.unread] == ["bad.png"]
    figures = json.loads((out / "figures.json").read_text())
    assert figures == json.loads(json.dumps(result.figures))
    good, bad = (figures["models"][name]["after"] for name in ("to_cream", "blurred_negative"))
    assert good["nucleus_de00"]["value"] < bad["nucleus_de00"]["value"]
    assert good["ssim_lightness"]["value"] > bad["ssim_lightness"]["value"]
    assert figures["models"]["to_cream"]["n"] == figures["target"]["n"] == 3
    page = (out / "report.html").read_text()
    for words in (
        "blurred_negative",
        "CIEDE2000",
        "only 3 pictures",
        "Research use only",
        "sha256",
    ):
        assert words in page
    assert "| to_cream |" in (out / "table.md").read_text()
    assert read_field(out / "sheet.png").pixels.shape[1] > 3 * 256


def test_comparisons_that_cannot_be(tmp_path: Path, pink: Path, to_cream: Normaliser) -> None:
    with pytest.raises(UsageError, match="each of its own name; received to_cream, to_cream"):
        compare_normalisers([to_cream, to_cream], str(pink), str(pink), tmp_path / "out")
    with pytest.raises(UsageError, match="received none"):
        compare_normalisers([], str(pink), str(pink), tmp_path / "out")
    with pytest.raises(DataError, match="show the same"):
        compare_normalisers([to_cream], str(pink), str(pink), tmp_path / "out")
    assert not (tmp_path / "out").exists()
