"""Folders of generated pictures: marked as synthetic, taken up again, never mixed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from smearlab.cli.main import app
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.table import read_manifest
from smearlab.errors import OutputError, OutputExistsError, UsageError
from smearlab.io.images import read_field
from smearlab.synthesis.generator import BLOCK, Generator
from smearlab.synthesis.pictures import (
    MANIFEST,
    MadePictures,
    make_pictures,
    refuse_generated,
)
from smearlab.synthesis.publishing import publish
from tiny_generators import SIZE, write_generator


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    return Generator.load(write_generator(tmp_path_factory.mktemp("g") / "colours"))


def make(model: Generator, out: Path, wanted: dict[str, int], **asked: Any) -> MadePictures:
    asked = {"seed": 1, "threads": 2, **asked}
    return make_pictures(wanted, dict.fromkeys(wanted, model), out, models=[model], **asked)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*.png")}


def test_pictures_are_marked_as_synthetic(model: Generator, tmp_path: Path) -> None:
    made = make(model, tmp_path / "out", {"basophil": 3, "immature granulocyte": 2})
    manifest = read_manifest(tmp_path / "out" / MANIFEST)
    assert manifest.table.equals(made.manifest.table)
    assert (made.new, len(made.wanted)) == (5, 5)
    path = "immature granulocyte/immature-granulocyte-1-00001.png"
    row = manifest.table.to_pylist()[-1]
    assert {name: value for name, value in row.items() if value is not None} == {
        "path": path,
        "sha256": row["sha256"],
        "dataset": "synthetic",
        "source": "colours",
        "source_image": "immature granulocyte, seed 1, latent 1",
        "label": "immature granulocyte",
        "type": "immature granulocyte",
        "width_px": SIZE,
        "height_px": SIZE,
        "split": "train",
        "synthetic": True,
    }
    (line,) = manifest.provenance
    assert (line["operation"], line["arguments"]["seed"]) == ("generate", 1)
    assert line["arguments"]["models"] == [f"colours (sha256 {model.sha256[:16]}…)"]
    field = read_field(manifest.file(path))
    wanted = next(model.generate("immature granulocyte", 1, 1, start=1))
    np.testing.assert_array_equal(field.pixels, wanted)
    assert find_leaks(manifest) == ()


def test_the_same_call_gives_the_same_bytes(model: Generator, tmp_path: Path) -> None:
    first, again = (make(model, tmp_path / name, {"basophil": 5}) for name in "ab")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert first.manifest.table.equals(again.manifest.table)
    make(model, tmp_path / "c", {"basophil": 5}, seed=2)
    pixels = [np.asarray(Image.open(next((tmp_path / n).rglob("*-00000.png")))) for n in "ac"]
    assert (pixels[0] != pixels[1]).any()


def test_an_interrupted_call_goes_on(model: Generator, tmp_path: Path) -> None:
    calls = []

    def answer(latents: np.ndarray, types: np.ndarray) -> np.ndarray:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return model.answer(latents, types)

    tired = Generator(*model_facts(model), answer)
    wanted = {"basophil": 5 * BLOCK, "eosinophil": 3}
    with pytest.raises(KeyboardInterrupt):
        make(tired, tmp_path / "out", wanted)
    before = bytes_of(tmp_path / "out")
    assert 0 < len(before) < 5 * BLOCK and not (tmp_path / "out" / MANIFEST).exists()
    (tmp_path / "out" / "basophil" / ".basophil-1-00070.png.0123456789ab.part").write_bytes(b"x")
    steps: list[int] = []
    made = make(model, tmp_path / "out", wanted, advance=lambda: steps.append(1))
    assert len(steps) == len(made.wanted) == 5 * BLOCK + 3
    assert 0 < made.new < len(steps)
    make(model, tmp_path / "whole", wanted)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")
    assert not list((tmp_path / "out").rglob("*.part"))


def model_facts(model: Generator) -> tuple[Any, ...]:
    return (
        *(model.name, model.sha256, model.types),
        *(model.latent_size, model.size_px, model.card),
    )


def test_more_may_be_asked_for_and_what_is_lost_is_made_again(
    model: Generator, tmp_path: Path
) -> None:
    make(model, tmp_path, {"basophil": 4})
    (tmp_path / "basophil" / "basophil-1-00002.png").unlink()
    again = make(model, tmp_path, {"basophil": 3, "eosinophil": 1})
    assert (again.new, len(again.wanted), len(again.manifest)) == (2, 4, 5)
    paths = again.wanted.column("path").tolist()
    assert paths == [*(f"basophil/basophil-1-0000{n}.png" for n in range(3)), paths[-1]]
    (tmp_path / "basophil" / "basophil-1-00003.png").unlink()
    assert len(make(model, tmp_path, {"eosinophil": 1}).manifest) == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seed": 2}, "holds pictures generated with seed 1, not 2; name a new folder"),
        ({"truncation": 0.7}, "with truncation None, not 0.7"),
    ],
)
def test_another_seed_in_the_same_folder_is_refused(
    model: Generator, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    make(model, tmp_path, {"basophil": 1})
    with pytest.raises(OutputExistsError, match=said):
        make(model, tmp_path, {"basophil": 1}, **changed)


def test_another_model_or_a_strange_folder_is_refused(model: Generator, tmp_path: Path) -> None:
    make(model, tmp_path / "out", {"basophil": 1})
    other = Generator.load(write_generator(tmp_path / "other", size=4))
    before = bytes_of(tmp_path / "out")
    with pytest.raises(OutputExistsError, match=r"with models \['colours .*not \['colours"):
        make(other, tmp_path / "out", {"basophil": 2})
    assert bytes_of(tmp_path / "out") == before
    with pytest.raises(OutputExistsError, match="exists and is not empty"):
        make(model, tmp_path / "other", {"basophil": 1})


def test_a_disk_that_is_too_small_costs_no_picture(
    model: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    with pytest.raises(OutputError, match=r"9 pictures need up to 0\.0 MB, .* 0\.0 MB free"):
        make(model, tmp_path / "out", {"basophil": 9})
    assert not (tmp_path / "out").exists()
    make(model, tmp_path / "out", {"basophil": 2})
    with pytest.raises(OutputError, match=r"19 pictures need up to"):
        make(model, tmp_path / "out", {"basophil": 21})
    assert len(make(model, tmp_path / "out", {"basophil": 3}).manifest) == 3


def test_nothing_asked_is_nothing_made(model: Generator, tmp_path: Path) -> None:
    made = make(model, tmp_path / "out", {})
    assert len(made.manifest) == 0 and not (tmp_path / "out" / MANIFEST).exists()
    assert len(make(model, tmp_path / "out", {"basophil": 1}).manifest) == 1


def test_generated_folders_are_known_as_such(model: Generator, tmp_path: Path) -> None:
    made = make(model, tmp_path / "out", {"basophil": 1})
    with pytest.raises(UsageError, match="out holds pictures that a generator made; a model is"):
        refuse_generated(tmp_path / "out")
    publish(made.wanted, [model], tmp_path / "set", seed=1)
    with pytest.raises(UsageError, match="set holds pictures that a generator made"):
        refuse_generated(tmp_path / "set")
    (tmp_path / "real").mkdir()
    refuse_generated(tmp_path / "real")
    done = CliRunner().invoke(app, ["evaluate", "cells", "--images", str(tmp_path / "out")])
    assert done.exit_code == 2 and "smearlab verify" in " ".join(done.output.split())
