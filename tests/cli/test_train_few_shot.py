"""``smearlab train`` of recipes of rare types: a run and a bundle for each, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner, Result

from smearlab.cli.main import app

QUICK = (
    "train.max_steps=2", "train.batch_size=2", "view.size_px=16", "generator.width=2",
    "generator.noise=4", "meta.inner_steps=2",
)  # fmt: skip


def train(out: Path, *words: str, settings: tuple[str, ...] = QUICK) -> Result:
    changed = [word for one in settings for word in ("--set", one)]
    command = ["train", "figr", "--data", "simulated", "--out", str(out), "--quiet"]
    return CliRunner().invoke(app, [*command, *words, *changed])


def test_a_rare_type_ends_as_a_run_with_a_bundle(tmp_path: Path) -> None:
    bundles = tmp_path / "bundles"
    words = ("--type", "basophil", "--bundles", str(bundles))
    done = train(tmp_path, *words)
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "figr-honest-basophil") in done.output
    assert "figr: basophil at 16 px, 2 steps" in done.output
    card = bundles / "figr-honest-basophil" / "card.json"
    assert json.loads(card.read_text())["classes"] == ["basophil"]
    written = card.stat().st_mtime_ns
    again = train(tmp_path, *words)
    assert again.exit_code == 0, again.output
    assert "figr-honest-basophil is done" in again.output
    assert card.stat().st_mtime_ns == written


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    unknown = train(tmp_path, "--type", "basophils")
    assert unknown.exit_code == 2
    assert "did you mean 'basophil'?" in unknown.output
    folds = train(tmp_path, "--folds", "3")
    assert folds.exit_code == 2
    assert "--folds: only for recipes of classifiers" in folds.output
    assert not list(tmp_path.iterdir())


def test_a_type_with_fewer_pictures_than_shots_is_named(tmp_path: Path) -> None:
    """Pictures of one's own, eight of each type."""
    rng = np.random.default_rng(0)
    for kind in ("basophil", "monocyte", "neutrophil", "lymphocyte"):
        folder = tmp_path / "own" / kind
        folder.mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(0, 256, (210, 210, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    words = ("--data", str(tmp_path / "own"), "--protocol", "paper")
    rare = ("data.taxonomy=labels", "data.datasets=()", "rare.types=('basophil',)")
    few = train(tmp_path / "a", *words, settings=(*QUICK, *rare, "rare.pictures=(99,)"))
    assert few.exit_code == 1
    assert "basophil has 5 training pictures, fewer than the 99 shots" in few.output
    shots = train(tmp_path / "b", *words, settings=(*QUICK, *rare, "rare.pictures=(3,)"))
    assert shots.exit_code == 1
    assert "fewer than the 10 shots of an episode" in shots.output
    assert not (tmp_path / "b" / "figr-paper").exists()
