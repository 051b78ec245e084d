"""Runs of generators: what they leave, that they go on, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_synthesis import quick_settings, write_generator_run

from smearlab.datasets.manifest.table import read_manifest, write_manifest
from smearlab.errors import DataError, RunError, UnknownNameError, UsageError
from smearlab.learn.generated_sheets import as_pixels
from smearlab.learn.generator_record import GeneratorSummary, is_generator_run
from smearlab.learn.generator_run import load_generator_run
from smearlab.learn.recipes import SYNTHESIS_RECIPES
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_synthesis import learnt_pictures, run_synthesis

EIGHT = (
    "neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte", "erythroblast", "platelet",
    "immature granulocyte",
)  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("synthesis")


@pytest.fixture(scope="module")
def run(out: Path) -> Path:
    return write_generator_run(out, "c_wgan_gp")


@pytest.mark.parametrize("recipe", SYNTHESIS_RECIPES)
def test_every_recipe_takes_two_steps(recipe: str, out: Path) -> None:
    chosen = SYNTHESIS_RECIPES[recipe]
    alone = "basophil" if chosen.per_type else None
    run = write_generator_run(out, recipe, alone)
    assert run == out / (f"{recipe}-honest" + ("-basophil" if alone else ""))
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    opened = load_generator_run(run)
    assert (opened.recipe, opened.size_px) == (recipe, 16)
    assert opened.latent_size == chosen.generator.latent_size
    five = EIGHT[:5] if "w_net" in recipe else EIGHT
    assert sorted(opened.classes) == sorted([alone] if alone else five)
    network = opened.network()
    assert not network.training
    with torch.inference_mode():
        made = network(torch.randn(2, opened.latent_size), torch.eye(len(opened.classes))[[0, 0]])
    assert made.shape == (2, 3, 16, 16)
    assert float(made.min()) >= 0 and float(made.max()) <= 1


def test_a_run_says_what_it_was(run: Path) -> None:
    assert is_generator_run(run)
    summary = GeneratorSummary.load(run)
    assert summary.classes == EIGHT and summary.game == "classifier"
    assert set(summary.networks) == {"generator", "critic", "classifier"}
    model = load_generator_run(run).network()
    assert summary.networks["generator"]["trainable"] == sum(p.numel() for p in model.parameters())
    assert set(summary.pictures) == set(EIGHT) and min(summary.pictures.values()) > 0
    kept = read_manifest(run / "manifest.parquet")
    learnt = (kept.column("split") == "train").sum()
    assert sum(summary.pictures.values()) == learnt
    assert summary.datasets == ("simulated",)
    assert summary.steps == 2 and summary.batch_size == 2
    assert summary.step_seconds == pytest.approx(summary.train_seconds / 2)  # type: ignore[operator]
    assert summary.peak_memory_mb is None or summary.peak_memory_mb > 50
    assert summary.figures["likeness"] is not None
    assert len(summary.digest) == 16
    assert summary.deviations == SYNTHESIS_RECIPES["c_wgan_gp"].deviations
    assert "basophil" in summary.said() and "2 steps" in summary.said()


def test_its_sheet_shows_every_type_from_the_same_latents(run: Path) -> None:
    sheet = np.asarray(Image.open(run / "samples" / "epoch-00001.png"))
    rows = sheet.reshape(len(EIGHT), -1, *sheet.shape[1:])
    tiles = rows[:, 30:140, :]  # below the words
    assert tiles.std() > 1
    assert sheet.shape[1] == 8 * 128 + 7 * 6


def test_levels_are_rounded_not_cut_off() -> None:
    levels = torch.tensor([0.0, 0.4, 0.6, 254.6, 255.4, -3]).reshape(1, 1, 1, 6) / 255
    assert as_pixels(levels.expand(1, 3, 1, 6))[0, 0, :, 0].tolist() == [0, 0, 1, 255, 255, 0]


def test_codes_are_named_in_the_summary(out: Path) -> None:
    run = write_generator_run(out, "infogan")
    summary = GeneratorSummary.load(run)
    assert sorted(summary.classes) == sorted(EIGHT)
    agreement = summary.figures["code_agreement"]
    assert agreement is not None and 1 / 8 <= agreement <= 1
    asked = json.loads((run / "config.json").read_text())["asked"]
    assert asked["classes"] == list(EIGHT)
    reader = summary.networks["reader"]["trainable"]
    assert reader == summary.networks["critic"]["trainable"] + 7 * 129


def test_a_run_that_is_done_is_left_as_it_is(run: Path) -> None:
    names = ("model.safetensors", "summary.json", "samples/epoch-00001.png")
    before = [(run / name).read_bytes() for name in names]
    assert write_generator_run(run.parent, "c_wgan_gp") == run
    assert [(run / name).read_bytes() for name in names] == before


def test_an_interrupted_run_ends_with_the_same_bytes(run: Path, out: Path, tmp_path: Path) -> None:
    """Ended after the first step as by a kill; then asked for again."""
    data = str(out / "simulated" / "manifest.parquet")
    folder = write_generator_run(tmp_path, "c_wgan_gp", None, "train.max_steps=1", data=data)
    for name in ("summary.json", "losses.json"):
        (folder / name).unlink()
    config = json.loads((folder / "config.json").read_text())
    config["asked"]["train"]["max_steps"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    again = write_generator_run(tmp_path, "c_wgan_gp", data=data)
    assert again == folder
    assert (again / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_synthetic_pictures_teach_nobody(out: Path, run: Path, tmp_path: Path) -> None:
    """All of one field, which is put into the training part."""
    manifest = read_manifest(out / "simulated" / "manifest.parquet")
    groups = manifest.column("group")
    made = (groups == groups[0]).tolist()
    target = write_manifest(tmp_path / "mixed.parquet", manifest.with_columns(synthetic=made))
    said: list[str] = []
    asked = Asked(str(target), tmp_path, "honest", show=False, say=said.append)
    learnt = learnt_pictures(SYNTHESIS_RECIPES["c_wgan_gp"], asked)
    kept = learnt.split.manifest
    left_out = kept.column("synthetic").astype(bool)
    assert left_out.any() and (kept.column("split")[left_out] == "train").all()
    assert any(f"{left_out.sum()} synthetic pictures are left out" in line for line in said)
    assert not left_out[learnt.rows].any()
    assert len(learnt.rows) == ((kept.column("split") == "train") & ~left_out).sum()


def test_types_that_cannot_be_made_are_told(out: Path, tmp_path: Path) -> None:
    of_one = SYNTHESIS_RECIPES["w_net_dcgan"].with_settings(quick_settings("w_net_dcgan"))
    of_all = SYNTHESIS_RECIPES["c_wgan_gp"].with_settings(quick_settings("c_wgan_gp"))
    data = str(out / "simulated" / "manifest.parquet")
    asked = Asked(data, tmp_path, "honest", show=False)
    with pytest.raises(UnknownNameError, match="type of wbc5 'basofil'; did you mean 'basophil'"):
        run_synthesis(of_one, asked, "basofil")
    with pytest.raises(UsageError, match="a network for each type: name one with --type"):
        run_synthesis(of_one, asked)
    with pytest.raises(UsageError, match="makes all types with one network: leave --type basophil"):
        run_synthesis(of_all, asked, "basophil")
    labelled = of_one.with_settings(["data.taxonomy=labels"])
    with pytest.raises(UnknownNameError, match="type of pictures 'erithrocyte'; did you mean 'ery"):
        learnt_pictures(labelled, asked, "erithrocyte")
    assert learnt_pictures(labelled, asked, "erythrocyte").classes == ("erythrocyte",)


def test_an_empty_type_is_told(out: Path, tmp_path: Path) -> None:
    manifest = read_manifest(out / "simulated" / "manifest.parquet")
    target = tmp_path / "few.parquet"
    write_manifest(target, manifest.take(manifest.column("label") != "basophil"))
    asked = Asked(str(target), tmp_path, "honest", show=False)
    for recipe, alone in (("c_wgan_gp", None), ("w_net_dcgan", "basophil")):
        chosen = SYNTHESIS_RECIPES[recipe].with_settings(quick_settings(recipe))
        with pytest.raises(DataError, match=r"shows basophil \(there are neutrophil, eosino"):
            run_synthesis(chosen, asked, alone)
    assert not list(tmp_path.glob("*-honest*"))


def test_a_run_of_other_types_or_settings_is_refused(run: Path, out: Path) -> None:
    asked = Asked("simulated", out, "honest", show=False)
    recipe = SYNTHESIS_RECIPES["c_wgan_gp"]
    for setting, part in (
        ("data.taxonomy=wbc5", "classes, critic, data, generator, teacher"),
        ("weights.types=2", "weights"),
        ("train.lr_critic=1e-3", "train"),
    ):
        changed = recipe.with_settings([*quick_settings("c_wgan_gp"), setting])
        with pytest.raises(UsageError, match=rf"another configuration \(differs in {part}\)"):
            run_synthesis(changed, asked)


def test_types_of_a_run_are_numbered(run: Path) -> None:
    opened = load_generator_run(run)
    assert opened.number_of("platelet") == 6
    with pytest.raises(UnknownNameError, match="type of c_wgan_gp-honest 'platelets'; did you"):
        opened.number_of("platelets")


def test_folders_that_are_no_runs_are_told(run: Path, tmp_path: Path) -> None:
    assert not is_generator_run(tmp_path)
    with pytest.raises(RunError, match=r"summary\.json is missing: name the folder of a generator"):
        load_generator_run(tmp_path)
    summary = json.loads((run / "summary.json").read_text())
    (tmp_path / "summary.json").write_text(json.dumps({**summary, "kind": "classifier"}))
    assert not is_generator_run(tmp_path)
    with pytest.raises(RunError, match="is a run of a classifier, not of a generator"):
        load_generator_run(tmp_path)
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(RunError, match=r"config\.json cannot be read"):
        load_generator_run(tmp_path)
    (tmp_path / "config.json").write_bytes((run / "config.json").read_bytes())
    (tmp_path / "summary.json").write_text(json.dumps({**summary, "classes": ["basophil"]}))
    with pytest.raises(RunError, match=r"trained on 8 types, and its summary names 1 \(basophil\)"):
        load_generator_run(tmp_path)
    (tmp_path / "summary.json").write_text("[]")
    with pytest.raises(RunError, match="cannot be read"):
        load_generator_run(tmp_path)
