"""``smearlab stain`` and ``analyze --stain`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from drawn_smears import CREAM, PINK, write_smears
from smearlab.cli.main import app
from tiny_bundles import write_classifier, write_segmenter


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    write_smears(Path("pink"), PINK, range(2))
    write_smears(Path("cream"), CREAM, range(2, 4))
    return tmp_path


def call(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, [*words], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result


def test_fit_apply_compare_and_analyze(here: Path) -> None:
    said = call("stain", "fit", "pink", "cream", "--method", "macenko", "--out", "m.json").stdout
    assert "ground: CIEDE2000 to the target" in said and "model: m.json" in said
    assert json.loads(Path("m.json").read_text())["method"] == "macenko"
    refused = call("stain", "fit", "pink", "cream", "--out", "m.json", exit_code=2)
    assert "m.json exists; name another file, or replace it with --force" in refused.stderr

    made = call("stain", "apply", "m.json", "pink", "--out", "out", "--sheet").stdout
    assert "2 pictures by m: out" in made
    assert sorted(path.name for path in Path("out/pictures").iterdir()) == [
        "smear0.png", "smear1.png",
    ]  # fmt: skip
    assert Path("out/sheet.png").is_file()

    compared = call(
        "stain", "compare", "m.json", "romanowsky", "--source", "pink", "--target", "cream",
        "--out", "compared",
    ).stdout  # fmt: skip
    assert "romanowsky" in compared and "as they are" in compared
    assert {path.name for path in Path("compared").iterdir()} == {
        "figures.json", "report.html", "sheet.png", "table.md",
    }  # fmt: skip

    models = (str(write_segmenter(here / "seg")), str(write_classifier(here / "cls")))
    words = ("pink", "--segmenter", models[0], "--classifier", models[1], "--out", "results")
    call("analyze", *words, "--stain", "m.json")
    assert '"stain"' in Path("results/.smearlab/run.json").read_text()
    call("analyze", *words, "--stain", "m.json")
    differs = call("analyze", *words, "--stain", "romanowsky", exit_code=2)
    assert "holds the results of another run" in differs.stderr


def test_bad_calls_and_bad_files_have_their_exit_status(here: Path) -> None:
    unknown = call("stain", "fit", "pink", "cream", "--method", "macenco", "--out", "m.json",
                   exit_code=2)  # fmt: skip
    assert "did you mean 'macenko'" in unknown.stderr
    trained = call("stain", "fit", "pink", "cream", "--method", "w_cyclegan_gp", "--out", "m.json",
                   exit_code=2)  # fmt: skip
    assert "smearlab train w_cyclegan_gp" in trained.stderr
    same = call("stain", "fit", "pink", "pink", "--out", "m.json", exit_code=1)
    assert "source and target show the same" in same.stderr
    nothing = call("stain", "apply", "creme", "pink", "--out", "o", exit_code=2)
    assert "unknown stain model 'creme'" in nothing.stderr
    Path("old.json").write_text('{"kind": "stain", "format": 0}')
    old = call("stain", "apply", "old.json", "pink", "--out", "o", exit_code=1)
    assert "of version 0" in old.stderr
    Path("pink/bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    Image.new("RGB", (40, 30), (240, 230, 220)).save("pink/blank.png")
    partly = call("stain", "apply", "romanowsky", "pink", "--out", "o", exit_code=1)
    assert f"1 of 4 files failed: {Path('o/errors.csv')}" in partly.stdout
    assert "nearly blank" in Path("o/pictures.csv").read_text()
