"""``smearlab train`` of recipes that make pictures of cells, as a user calls it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from smearlab.cli import train
from smearlab.io.bundles import read_card

sys.path.append(str(Path(__file__).resolve().parents[1] / "learn"))
from tiny_synthesis import quick_settings


def train_recipe(name: str, out: Path, *more: str, data: str = "simulated") -> Result:
    app = typer.Typer()
    train.register(app)
    app.command("other")(lambda: None)  # so that the command has a name
    words = [word for setting in quick_settings(name) for word in ("--set", setting)]
    arguments = ["train", name, "--data", data, "--out", str(out), "--quiet", *words, *more]
    environment = {"SMEARLAB_DATA": None, "COLUMNS": "200"}
    return CliRunner().invoke(app, arguments, env=environment)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generators")


def test_types_are_trained_one_by_one_and_become_bundles(out: Path) -> None:
    types = ("--type", "basophil", "--type", "monocyte")
    result = train_recipe("w_net_dcgan", out, *types)
    assert result.exit_code == 0, result.output
    for name in ("basophil", "monocyte"):
        run = out / f"w_net_dcgan-honest-{name}"
        assert f"{run}\n" in result.stdout and f"{run / 'bundle'}\n" in result.stdout
        assert tuple(read_card(run / "bundle", "generator")["classes"]) == (name,)
        assert f"w_net_dcgan: {name} at 16 px, 2 steps" in result.stderr
    again = train_recipe("w_net_dcgan", out, *types)
    assert again.exit_code == 0
    assert "is done" in again.stderr


def test_a_part_of_the_pictures_has_a_run_of_its_own(out: Path) -> None:
    bundles = out / "bundles"
    more = ("--n-train", "40", "--bundles", str(bundles))
    result = train_recipe("cgan", out, *more)
    assert result.exit_code == 0, result.output
    assert (out / "cgan-honest-n40" / "summary.json").is_file()
    assert len(read_card(bundles / "cgan-honest-n40", "generator")["classes"]) == 8


@pytest.mark.parametrize(
    ("recipe", "more", "message"),
    [
        ("cgan", ["--type", "basophil"], "makes all types with one network"),
        ("w_net_dcgan", [], "name one with --type"),
        ("w_net_dcgan", ["--type", "basofil"], "did you mean 'basophil'"),
        ("cgan", ["--folds", "3"], "--folds: only for recipes of classifiers"),
        ("cgan", ["--element", "wbc"], "--element: only for recipes that segment"),
        ("cgan", ["--weights", "w.safetensors"], "begins with fresh weights"),
        ("cgan", ["--set", "critic.width=0"], "width must be at least 1; received 0"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(
    recipe: str, more: list[str], message: str, out: Path, tmp_path: Path
) -> None:
    pictures = str(out / "simulated" / "manifest.parquet")
    result = train_recipe(recipe, tmp_path, *more, data=pictures)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not list(tmp_path.glob("*-honest*"))
