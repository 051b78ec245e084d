"""Few-shot runs: what they leave, that they go on, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_few_shot import quick, write_few_shot_runs

from smearlab.datasets.manifest.table import read_manifest
from smearlab.errors import DataError, RunError, UnknownNameError, UsageError
from smearlab.learn.export_generators import export_generator
from smearlab.learn.few_shot_data import FewShotSamples, few_shot_pictures, held_down, shots_of
from smearlab.learn.few_shot_recipe import Adaptation, Playing, RareTypes
from smearlab.learn.generator_run import load_generator_run
from smearlab.learn.models.few_shot_gan import FewShotGenerator
from smearlab.learn.recipes import FEW_SHOT_RECIPES
from smearlab.learn.run_asked import Asked, splits_of
from smearlab.learn.run_few_shot import BEGINNING, run_few_shot
from smearlab.learn.run_progress import digest_of
from smearlab.synthesis.generator import Generator


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("few")


@pytest.fixture(scope="module")
def runs(out: Path) -> list[Path]:
    return write_few_shot_runs(out, "few_shot_gan")


@pytest.mark.parametrize("recipe", FEW_SHOT_RECIPES)
def test_every_recipe_takes_two_steps(recipe: str, out: Path) -> None:
    (run,) = write_few_shot_runs(out, recipe, ("immature granulocyte",))
    assert run == out / f"{recipe}-honest-immature_granulocyte"
    opened = load_generator_run(run)
    assert opened.classes == ("immature granulocyte",)
    assert (opened.recipe, opened.summary.steps) == (recipe, 2)
    assert opened.summary.pictures == {"immature granulocyte": 2}
    network = opened.network()
    made = network(torch.randn(3, opened.latent_size), torch.ones(3, 1))
    assert made.shape == (3, 3, opened.size_px, opened.size_px)
    assert [path.name for path in (run / "samples").iterdir()] == ["epoch-00001.png"]
    began = out / f"{recipe}-honest"
    assert began.exists() == (FEW_SHOT_RECIPES[recipe].begin != "none")
    if began.exists():
        lines = [json.loads(line) for line in (began / "log.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [1, 2]
        assert ("moved" in lines[0]) == (FEW_SHOT_RECIPES[recipe].begin == "meta")


def test_a_run_of_each_rare_type_begins_with_the_meta_weights(runs: list[Path], out: Path) -> None:
    names = [run.name.removeprefix("few_shot_gan-honest-") for run in runs]
    assert names == ["monocyte", "immature_granulocyte", "basophil"]
    began = out / "few_shot_gan-honest"
    summary = json.loads((began / "summary.json").read_text())
    assert summary["kind"] == BEGINNING and summary["steps"] == 2
    assert set(summary["classes"]) == {
        "neutrophil", "eosinophil", "lymphocyte", "erythroblast", "platelet",
    }  # fmt: skip
    asked = json.loads((began / "config.json").read_text())["asked"]
    assert asked["tasks"] == summary["classes"]
    with pytest.raises(RunError, match=f"is a run of a {BEGINNING}, not of a generator"):
        load_generator_run(began)
    # Two small steps away from where it began, and fresh weights are far from it.
    meta = load_file(began / "checkpoint.safetensors")
    torch.manual_seed(quick("few_shot_gan").train.seed)
    fresh = FewShotGenerator(load_generator_run(runs[0]).config).state_dict()
    adapted = load_file(runs[0] / "checkpoint.safetensors")
    name = "encoder.blocks.0.first.weight"
    moved = (adapted[f"generator/{name}"] - meta[f"generator/{name}"]).abs().max()
    assert 0 < float(moved) < 2.1e-3
    assert float((adapted[f"generator/{name}"] - fresh[name]).abs().max()) > 0


def test_meta_training_begins_with_all_common_pictures_together(
    runs: list[Path], out: Path
) -> None:
    joint, meta = out / "few_shot_gan-honest-joint", out / "few_shot_gan-honest"
    assert json.loads((joint / "summary.json").read_text())["begin"] == "joint"
    assert "moved" not in json.loads((joint / "log.jsonl").read_text().splitlines()[0])
    kept = [json.loads((run / "config.json").read_text())["asked"] for run in (joint, meta)]
    weights = joint / "checkpoint.safetensors"
    assert kept[1]["begun_with"] == digest_of(weights)
    assert "begun_with" not in kept[0] and "meta" not in kept[0]
    before, after = load_file(weights), load_file(meta / "checkpoint.safetensors")
    name = "generator/encoder.blocks.0.first.weight"
    # Two episodes away, of two steps each
    assert 0 < float((before[name] - after[name]).abs().max()) < 2.1e-3
    recipe = quick("few_shot_gan", "joint.epochs=0")
    list(run_few_shot(recipe, Asked("simulated", out / "no", "honest", show=False), ("basophil",)))
    assert not (out / "no/few_shot_gan-honest-joint").exists()
    with pytest.raises(UsageError, match=r"joint\.epochs must be at least 0; received -1"):
        quick("few_shot_gan", "joint.epochs=-1")
    for setting in ("joint.epochs=1", "meta.shots=3"):
        with pytest.raises(UsageError, match="freeze_d has no episodes: settings of meta and"):
            quick("freeze_d", setting)


def test_the_generator_keeps_the_pictures_that_it_was_adapted_to(runs: list[Path]) -> None:
    network = load_generator_run(runs[0]).network()
    assert isinstance(network, FewShotGenerator)
    recipe = quick("few_shot_gan")
    asked = Asked("simulated", runs[0].parent, "honest", show=False)
    pictures, recipe = few_shot_pictures(recipe, asked)
    samples = FewShotSamples(recipe, pictures, 0).of(("monocyte",))
    assert torch.equal(network.shots, shots_of(samples))
    assert network.shots.float().std() > 5
    assert network.encoded.shape == (2, 3)


def test_only_lower_layers_stay_when_frozen(out: Path) -> None:
    (run,) = write_few_shot_runs(out, "freeze_d", ("basophil",))
    first, adapted = (
        load_file(folder / "checkpoint.safetensors") for folder in (out / "freeze_d-honest", run)
    )
    same = {
        key: torch.equal(value, adapted[key])
        for key, value in first.items()
        if key.startswith("critic/") and "original" in key
    }
    assert same.pop("critic/layers.0.parametrizations.weight.original")
    assert not any(same.values())


def test_rare_types_are_held_down_in_training_alone(runs: list[Path], out: Path) -> None:
    kept = read_manifest(runs[0] / "manifest.parquet")
    types, parts = kept.column("type"), kept.column("split")
    asked = Asked("simulated", out, "honest", show=False)
    recipe = quick("few_shot_gan")
    every, _ = few_shot_pictures(recipe, asked)
    assert len(every.split.manifest) == len(kept)
    for name in recipe.rare.types:
        assert ((types == name) & (parts == "train")).sum() == 2
        assert ((types == name) & (parts == "test")).sum() > 0
    assert ((types == "neutrophil") & (parts == "train")).sum() > 2


def test_drawn_pictures_follow_from_the_seed_and_fewer_are_among_more(out: Path) -> None:
    asked = Asked("simulated", out, "honest", show=False)
    (split,) = splits_of(quick("few_shot_gan"), asked)

    def drawn(number: int, seed: int = 0, *others: str) -> set[str]:
        rare = RareTypes((*others, "monocyte"), (1,) * len(others) + (number,), seed)
        manifest = held_down(split, rare).manifest
        rows = (manifest.column("type") == "monocyte") & (manifest.column("split") == "train")
        return set(manifest.column("path")[rows])

    assert len(drawn(3)) == 3
    assert drawn(1) < drawn(2) < drawn(3)
    assert drawn(2) == drawn(2, 0, "basophil")
    assert len({frozenset(drawn(2, seed)) for seed in range(6)}) > 1
    with pytest.raises(DataError, match=r"monocyte has \d training pictures, fewer than the 999 s"):
        drawn(999)


def test_a_finished_run_is_left_alone_and_other_settings_are_refused(
    runs: list[Path], out: Path
) -> None:
    said: list[str] = []
    before = (runs[0] / "model.safetensors").stat().st_mtime_ns
    asked = Asked("simulated", out, "honest", show=False, say=said.append)
    assert list(run_few_shot(quick("few_shot_gan"), asked, ("monocyte",))) == runs[:1]
    assert f"{runs[0]} is done" in said
    assert (runs[0] / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(UsageError, match=r"meta.inner_steps was 2 and is 3"):
        list(run_few_shot(quick("few_shot_gan", "meta.inner_steps=3"), asked))
    with pytest.raises(UsageError, match=r"adapt.ema was 0.98 and is 0.5"):
        list(run_few_shot(quick("few_shot_gan", "adapt.ema=0.5"), asked))


def test_the_same_seed_gives_the_same_bytes(runs: list[Path], out: Path, tmp_path: Path) -> None:
    pictures = str(out / "simulated" / "manifest.parquet")
    (again,) = write_few_shot_runs(tmp_path, "few_shot_gan", ("monocyte",), data=pictures)
    assert (again / "model.safetensors").read_bytes() == (
        runs[0] / "model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("recipe", ["few_shot_gan", "figr"])
def test_a_bundle_makes_pictures_without_torch_and_has_no_shots(recipe: str, out: Path) -> None:
    (run,) = write_few_shot_runs(out, recipe, ("basophil",))
    opened = load_generator_run(run)
    bundle = export_generator(opened, run / "bundle")
    card = json.loads((bundle / "card.json").read_text())
    assert (card["kind"], card["classes"]) == ("generator", ["basophil"])
    assert card["latent_size"] == opened.latent_size == (6 if recipe == "few_shot_gan" else 4)
    generator = Generator.load(bundle)
    (first, *_) = generator.generate("basophil", 2, seed=1)
    assert first.shape == (16, 16, 3)
    if recipe == "few_shot_gan":
        shot = opened.network().get_buffer("shots")[0].numpy().tobytes()
        assert shot in (run / "model.safetensors").read_bytes()
        assert shot not in (bundle / "model.onnx").read_bytes()


def test_what_cannot_be_is_named(out: Path) -> None:
    with pytest.raises(UnknownNameError, match="rare type of few_shot_gan 'monocytes'; did you"):
        write_few_shot_runs(out, "few_shot_gan", ("monocytes",))
    with pytest.raises(UnknownNameError, match="unknown rare type 'monoblast'"):
        types = "rare.types=('monoblast',)"
        write_few_shot_runs(out, "few_shot_gan", (), types, "rare.pictures=(3,)")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RareTypes(("a", "a"), (1, 1)), "rare.types must be different names"),
        (lambda: RareTypes(("a",), (0,)), "rare.pictures must be numbers of at least 1"),
        (
            lambda: FEW_SHOT_RECIPES["figr"].with_settings(["rare.pictures=(5, 5)"]),
            "rare.pictures needs a number for each of monocyte, immature granulocyte, basophil",
        ),
        (lambda: Adaptation(steps=0), "steps must be at least 1; received 0"),
        (lambda: Adaptation(ema=1.0), r"ema must lie within \[0, 1\); received 1.0"),
        (lambda: Playing(mode_seeking=-1.0), "mode_seeking must be at least 0; received -1.0"),
        (
            lambda: FEW_SHOT_RECIPES["fastgan_diffaugment"].with_settings(["adapt.freeze=1"]),
            "fresh layers cannot be frozen",
        ),
        (
            lambda: FEW_SHOT_RECIPES["figr"].with_settings(["generator.size_px=32"]),
            "generator.size_px is 32 and view.size_px 64: set view.size_px alone",
        ),
    ],
)
def test_impossible_recipes_are_refused(build: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build()


def test_networks_follow_the_size_of_the_views() -> None:
    changed = FEW_SHOT_RECIPES["few_shot_gan"].with_settings(["view.size_px=128"])
    assert changed.generator.size_px == 128
    adapting = changed.adapting()
    assert adapting.train.epochs == 3 and adapting.train.max_steps == 150
    assert np.isclose(adapting.train.ema, 0.98)
