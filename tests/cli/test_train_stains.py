"""``smearlab train`` of recipes from stain to stain, as a user calls it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from smearlab.cli.main import app
from smearlab.io.bundles import read_card

sys.path.append(str(Path(__file__).resolve().parents[1] / "learn"))
from tiny_stains import quick_settings


def train_recipe(name: str, out: Path, *more: str) -> Result:
    words = [word for setting in quick_settings(name) for word in ("--set", setting)]
    given = ["train", name, "--data", "simulated", "--out", str(out), "--quiet", *words, *more]
    return CliRunner().invoke(app, given, env={"SMEARLAB_DATA": None, "COLUMNS": "200"})


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_both_ways_become_bundles_and_one_teaches(tmp_path: Path) -> None:
    result = train_recipe("w_cyclegan_gp", tmp_path)
    assert result.exit_code == 0, result.output
    run = tmp_path / "w_cyclegan_gp-honest"
    for way, leads in (
        ("a_to_b", ("simulated-1", "simulated-2")),
        ("b_to_a", ("simulated-2", "simulated-1")),
    ):
        assert f"{run / 'bundle' / way}\n" in result.stdout
        card = read_card(run / "bundle" / way, "stain")
        assert (card["from"], card["to"]) == leads
    assert "FID to simulated-2" in result.stderr
    taught = train_recipe("stainnet", tmp_path, "--teacher", str(run))
    assert taught.exit_code == 0, taught.output
    card = read_card(tmp_path / "stainnet-honest" / "bundle" / "a_to_b", "stain")
    assert (card["context_px"], card["multiple_px"]) == (0, 1)
    assert card["teacher"]["name"] == "w_cyclegan_gp_simulated_1_to_simulated_2"


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("lwcnn", ("--from", "PBC"), "--from: only for recipes from stain to stain"),
        ("cyclegan", ("--type", "basophil"), "--type: only for recipes of elements or types"),
        ("cyclegan", ("--from", "simulated-2", "--to", "simulated-2"), "A and B are both"),
        ("cyclegan", ("--weights", "w.safetensors"), "cyclegan begins with fresh weights"),
        ("stainnet", (), "name its bundle or its run with --teacher"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, name: str, more: tuple[str, ...], message: str
) -> None:
    words = ["train", name, "--data", "simulated", "--out", str(tmp_path), *more]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_recipes_from_stain_to_stain_are_listed() -> None:
    result = CliRunner().invoke(app, ["train"])
    assert "w_cyclegan_gp: W-CycleGAN-GP" in result.output and "stainnet: " in result.output
