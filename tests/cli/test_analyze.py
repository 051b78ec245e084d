"""``smearlab analyze`` as a user meets it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from otsu_analyser import OtsuAnalyser, draw_field
from smearlab.batch.outputs import EXPORTS
from smearlab.batch.summary import summary_table
from smearlab.cli import analyze
from smearlab.count.summary import summarise
from smearlab.io.bundles import find_bundle

app = typer.Typer()
analyze.register(app, load=lambda segmenter, classifier: OtsuAnalyser())
shipped = typer.Typer()
analyze.register(shipped)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for i in range(4):
        draw_field(Path("in") / f"f{i}.png", i)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_all_well(here: Path) -> None:
    result = call("in", "--out", "out", "--jobs", "2", "--um-per-px", "0.1", "--simulated")
    assert result.exit_code == 0, result.output
    counts = json.loads(Path("out/counts.json").read_bytes())
    assert counts["simulated"] is True
    assert counts["fields"][0]["um_per_px"] == 0.1
    assert "Report: out/report.html" in result.stdout
    assert re.search(rf"red cells\D+{counts['pooled']['RBC']}\b", result.stdout)
    share = counts["pooled"]["differential"]["lymphocyte"]
    interval = f"{100 * share['low']:.1f} % – {100 * share['high']:.1f} %"
    assert interval in result.stdout
    assert "4 fields\n" in result.stderr
    again = call("in", "--out", "out", "--um-per-px", "0.1", "--simulated")
    assert again.exit_code == 0
    assert "Everything was done before" in again.stdout


def test_some_failed(here: Path) -> None:
    Path("in/torn.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    result = call("in", "--out", "out")
    assert result.exit_code == 1
    assert "1 of 5 files failed: out/errors.csv" in result.stdout
    assert "failed: in/torn.jpg: " in result.stderr


def test_all_failed(here: Path) -> None:
    Path("torn.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    result = call("torn.jpg", "--out", "out")
    assert result.exit_code == 1
    assert "1 of 1 files failed" in result.stdout
    assert Path("out/report.html").exists()


def test_quiet(here: Path) -> None:
    result = call("in", "--out", "out", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_options_are_passed_on(here: Path) -> None:
    result = call(
        "in/f1.png",
        "in/f[2-3].png",
        "--out",
        "out",
        "--no-overlays",
        *(f"--export={form}" for form in (*EXPORTS, "voc")),
    )
    assert result.exit_code == 0, result.output
    assert not Path("out/overlays").exists()
    assert sorted(p.name for p in Path("out/annotations").iterdir()) == [
        "coco.json",
        "geojson",
        "voc",
        "yolo",
    ]
    assert sorted(p.name for p in Path("out/annotations/voc").iterdir()) == [
        "f1.xml",
        "f2.xml",
        "f3.xml",
    ]
    small = call("in", "--out", "small", "--max-pixels", "100")
    assert small.exit_code == 1
    assert "4 of 4 files failed" in small.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["in"], "--out"),
        (["--out", "out"], "PATH"),
        (["in", "--out", "out", "--jobs", "0"], "--jobs"),
        (["in", "--out", "out", "--export", "cocoa"], "cocoa"),
        (["in", "--out", "out", "--um-per-px", "-1"], "received -1.0"),
        (["in", "nowhere", "--out", "out"], "nowhere: there is no such file or folder"),
        (["in", "--out", "in/f0.png"], "is a file; name a folder"),
        (["in", "--out", "in"], "which smearlab did not write"),
    ],
)
def test_usage(here: Path, words: list[str], told: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not Path("out").exists()


def test_another_input_set_is_refused_unless_forced(here: Path) -> None:
    call("in", "--out", "out")
    refused = call("in/f0.png", "--out", "out")
    assert refused.exit_code == 2
    assert "in/f1.png, in/f2.png, in/f3.png there, not asked for now" in refused.stderr
    forced = call("in/f0.png", "--out", "out", "--force")
    assert forced.exit_code == 0
    assert sorted(p.name for p in Path("out/overlays").iterdir()) == ["f0.png"]


def test_unknown_and_missing_bundles(here: Path) -> None:
    words = ["in", "--out", "out", "--segmenter"]
    unknown = CliRunner().invoke(shipped, [*words, "defalt"])
    assert unknown.exit_code == 2
    assert "did you mean 'default'?" in unknown.stderr
    empty = CliRunner().invoke(shipped, [*words, str(here / "in")])
    assert empty.exit_code == 1
    assert "card.json" in empty.stderr
    assert not Path("out").exists()


def test_help_teaches() -> None:
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    assert "smearlab analyze slides/*.jpg --out results" in text
    for told in ("Exit status", "the same command goes on", "--um-per-px", "--simulated", "QuPath"):
        assert told in re.sub(r"\s+", " ", text)


def test_every_export_can_be_asked_for() -> None:
    assert {str(form) for form in analyze.Export} == set(EXPORTS)


def test_table_of_nothing_has_no_percentages() -> None:
    stream = io.StringIO()
    Console(file=stream, width=100).print(summary_table(summarise([], 0).to_dict()))
    text = stream.getvalue()
    assert "Cells in 0 fields" in text
    assert "%" not in text.replace("95 % interval", "")


LIGHT = "import sys, smearlab.cli.main; print(*sys.modules)"


def test_the_command_line_starts_light() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    heavy = {"torch", "onnxruntime", "cv2", "numpy", "scipy", "skimage", "jinja2", "lightning"}
    assert not heavy & set(done.stdout.split())


NO_TORCH = """
import importlib.abc, runpy, sys

class NoTorch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "lightning"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTorch())
"""


def without_torch(code: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH + code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_analysing_needs_no_torch(here: Path) -> None:
    script = Path(__file__).resolve().parents[1] / "otsu_analyser.py"
    code = f"runpy.run_path({str(script)!r}, run_name='__main__')"
    assert "4 fields" in without_torch(code, "in", "--out", "out", "--export", "coco")


def test_the_shipped_bundles_count_what_the_simulator_drew(here: Path) -> None:
    for kind in ("segmenter", "classifier"):
        if not find_bundle(kind, "default").is_dir():
            pytest.skip(f"the default {kind} is not in this tree yet")
    main = "from smearlab.cli.main import app; app()"
    without_torch(main, "simulate", "--out", "simulated", "--n", "2", "--seed", "1")
    output = without_torch(main, "analyze", "simulated/images", "--out", "out", "--simulated")
    assert "Report: out/report.html" in output
    truth = json.loads(Path("simulated/truth.json").read_bytes())
    true = sum(field["RBC"] for field in truth["fields"])
    found = json.loads(Path("out/counts.json").read_bytes())["pooled"]["RBC"]
    assert abs(found - true) <= 0.1 * true
