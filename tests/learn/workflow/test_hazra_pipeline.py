"""The thesis from end to end on simulated cells: stages, ablation, report, refusals."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from manifest_rows import manifest_of
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.table import read_manifest, write_manifest
from smearlab.errors import DataError, ManifestError, UnknownNameError, UsageError
from smearlab.learn.recipes import FEW_SHOT_RECIPES, STAIN_RECIPES, SYNTHESIS_RECIPES
from smearlab.learn.reproduce.experiment import Asked as Reproduced
from smearlab.learn.reproduce.experiments import EXPERIMENTS, reproduce
from smearlab.learn.run_asked import Asked
from smearlab.learn.workflow.hazra import RESULT, ablations, called, run_hazra
from smearlab.learn.workflow.hazra_config import HazraConfig
from smearlab.learn.workflow.hazra_data import TABLE, as_views, pixels_of, without_copies
from smearlab.learn.workflow.hazra_models import (
    classifier_recipe,
    directions,
    few_recipe,
    many_recipe,
    planned,
    plans_of,
    said_of,
    stain_of,
)
from smearlab.learn.workflow.hazra_report import cautions, write_hazra_report
from smearlab.learn.workflow.hazra_scales import SCALES
from smearlab.learn.workflow.stages import Done

CONFIG = HazraConfig(**SCALES["smoke"])
#: All that a run has, in its order.
STAGES = ["import", "quality", "duplicates", "taxonomy", "split", "views", "stain", "normalised",
          "plan", "many", "few", "synthesised", "classifier", "evaluation"]  # fmt: skip


def run(out: Path, config: HazraConfig = CONFIG, *left: tuple[Any, ...]) -> dict[str, Any]:
    return run_hazra(config, Asked("simulated", out, show=False), left)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("hazra")
    return out, run(out, CONFIG, ("stain",), ("ge",))


def stages(whole: dict[str, Any], name: str = "") -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in whole["runs"][name]["stages"]}


def test_every_stage_leaves_its_result(finished: tuple[Path, dict[str, Any]]) -> None:
    out, whole = finished
    assert list(stages(whole)) == STAGES
    assert json.loads((out / RESULT).read_text(encoding="utf-8")) == whole
    one = whole["runs"][""]["evaluation"]["all"]
    assert one["n"] == 30 and set(one["types"]["basophil"]) >= {"recall", "specificity", "accuracy"}
    assert set(whole["runs"][""]["evaluation"]["sources"]) == {"simulated-1", "simulated-2"}


def test_synthetic_pictures_are_only_trained_on(finished: tuple[Path, dict[str, Any]]) -> None:
    out, whole = finished
    of = stages(whole)
    both = read_manifest(out / of["synthesised"]["folder"] / TABLE)
    made = both.column("synthetic").astype(bool)
    assert set(both.column("split")[made]) == {"train"}
    assert Counter(both.column("type")[made].tolist()) == of["synthesised"]["facts"]["made"]
    assert of["synthesised"]["facts"]["made"]["basophil"] == 6, "held down to 2, filled up to 8"
    assert not find_leaks(read_manifest(out / of["split"]["folder"] / TABLE))
    by = {one.type: one.generator for one in plans_of(done_of(of["plan"], out))}
    assert (by["basophil"], by["monocyte"], by["platelet"]) == ("few_shot_gan", "c_wgan_gp", "none")


def done_of(stage: dict[str, Any], out: Path) -> Done:
    return Done(stage["name"], out / stage["folder"], stage["facts"], stage["key"], 0.0, True)


def test_one_source_is_normalised_and_the_other_kept(finished: tuple[Path, dict[str, Any]]) -> None:
    out, whole = finished
    of = stages(whole)
    before, after = (
        read_manifest(out / of[one]["folder"] / TABLE) for one in ("views", "normalised")
    )
    changed = before.column("sha256") != after.column("sha256")
    assert set(before.column("source")[changed]) == {"simulated-2"}
    assert set(of["normalised"]["facts"]["normalised"].values()) == {"simulated-2"}
    assert {*after.column("width_px")} == {CONFIG.size_px}


def test_runs_share_what_they_have_in_common(finished: tuple[Path, dict[str, Any]]) -> None:
    _, whole = finished
    first, plain_stain, no_ge = stages(whole), stages(whole, "stain"), stages(whole, "ge")
    assert "normalised" not in plain_stain and plain_stain["few"]["key"] != first["few"]["key"]
    same = [name for name in STAGES if no_ge[name]["key"] == first[name]["key"]]
    assert same == STAGES[: STAGES.index("classifier")]
    fewer = no_ge["classifier"]["facts"]["parameters"]
    assert fewer < first["classifier"]["facts"]["parameters"]


def test_a_rerun_does_only_what_changed(finished: tuple[Path, dict[str, Any]]) -> None:
    out, whole = finished
    again = run(out)
    assert all(one["kept"] for one in again["runs"][""]["stages"])
    settings = {**CONFIG.settings, "classifier": (*CONFIG.settings["classifier"], "train.lr=1e-4")}
    other = stages(run(out, replace(CONFIG, settings=settings)))
    assert [name for name, one in other.items() if not one["kept"]] == ["classifier", "evaluation"]
    assert other["synthesised"]["key"] == stages(whole)["synthesised"]["key"]


def test_the_report_shows_everything(finished: tuple[Path, dict[str, Any]]) -> None:
    out, whole = finished
    page = write_hazra_report(out, whole).read_text(encoding="utf-8")
    for words in ("Without each module", "98.40", "96.90", "As they were, and normalised",
                  "Synthetic pictures", "simulated-1 and simulated-2",
                  "basophil to 2"):  # fmt: skip
        assert words in page, words
    assert "data:image/png" in page and "<script" not in page
    paper = {**whole, "settings": {**whole["settings"], "protocol": "paper"}, "simulated": False}
    told = " ".join(cautions(paper))
    assert "by the label" in told and "simulated-1 and simulated-2 stand in for them" in told
    assert "are simulated" not in told
    munich = {**paper, "sources": ["PBC", "AML-LMU"]}
    assert "Munich" not in " ".join(cautions(munich))


def test_a_source_may_be_chosen_by_type_or_whole() -> None:
    parts = {"train": {"A": {"x": 5, "y": 9}, "B": {"x": 7, "y": 2, "z": 1}}}
    assert directions(parts, ("A", "B"), paper=True) == {"x": "A", "y": "B"}
    assert set(directions(parts, ("A", "B"), paper=False).values()) == {"B"}


@pytest.mark.parametrize(
    ("without", "makers"),
    [
        ((), {"few_shot_gan", "c_wgan_gp", "none"}),
        (("cwgan",), {"few_shot_gan", "none"}),
        (("fewshot",), {"c_wgan_gp", "none"}),
        (("cwgan", "fewshot"), {"none"}),
    ],
)
def test_where_a_generator_is_left_out_the_other_makes_its_types(
    finished: tuple[Path, dict[str, Any]], without: Any, makers: set[str]
) -> None:
    out, whole = finished
    pictures = done_of(stages(whole)["normalised"], out)
    facts = planned(replace(CONFIG, without=without))(out, {"normalised": pictures})
    assert {one["generator"] for one in facts["plan"]} == makers
    made = [one for one in facts["plan"] if one["to_make"]]
    assert bool(made) == (without != ("cwgan", "fewshot"))


def test_ablations_are_sets_of_modules() -> None:
    assert ablations(["ge"], CONFIG) == (("ge",),)
    every = ablations(["all"], CONFIG)
    assert every[:4] == (("stain",), ("cwgan",), ("fewshot",), ("ge",))
    assert called(every[4]) == "cwgan+fewshot+stain"
    assert ("ge",) not in ablations(["all"], replace(CONFIG, classifier="lwcnn"))
    with pytest.raises(UnknownNameError, match="did you mean 'stain'"):
        ablations(["stian"], CONFIG)


def pictures(folder: Path, types: dict[str, str], sums: str = "") -> Any:
    rows = [
        {"path": f"{source}-{n}.png", "dataset": "own", "source": source, "label": kind,
         "type": kind, "sha256": sums or f"{source}{n}"}
        for source, kind in types.items() for n in range(2)
    ]  # fmt: skip
    return write_manifest(folder / TABLE, manifest_of(rows, folder))


def test_sources_must_differ_and_share_a_type(tmp_path: Path) -> None:
    from smearlab.learn.workflow.hazra_data import typed_pictures

    def before(name: str) -> dict[str, Done]:
        return {name: Done(name, tmp_path, {"named": ["A", "B"]}, "", 0.0, True)}

    pictures(tmp_path, {"A": "basophil", "B": "monocyte"})
    with pytest.raises(DataError, match="A and B share no type of cells12: A shows basophil"):
        typed_pictures(HazraConfig())(tmp_path, before("duplicates"))
    pictures(tmp_path, {"A": "basophil", "B": "basophil"}, sums="ab" * 32)
    with pytest.raises(DataError, match="are also among"):
        without_copies(tmp_path, before("quality"))


def test_copies_that_nobody_looked_for_are_refused(tmp_path: Path) -> None:
    rows = []
    for n, source in enumerate(("A", "B")):
        cv2.imwrite(str(tmp_path / f"{n}.png"), np.full((40, 40, 3), 200 + n, np.uint8))
        rows.append({"path": f"{n}.png", "dataset": "own", "source": source, "type": "monocyte"})
    table = write_manifest(tmp_path / "own.parquet", manifest_of(rows, tmp_path))
    config = replace(CONFIG, sources=("A", "B"))
    with pytest.raises(ManifestError, match="no picture has a group, so the honest protocol"):
        run_hazra(config, Asked(str(table), tmp_path / "out", show=False))


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError, match="two different sources"):
        HazraConfig(sources=("PBC", "PBC"))
    with pytest.raises(UnknownNameError, match="did you mean 'macenko'"):
        HazraConfig(stain="macenco")
    with pytest.raises(UsageError, match="lwcnn has no gather-excite"):
        HazraConfig(classifier="lwcnn", without=("ge",))
    with pytest.raises(UsageError, match="rare types keep at least 1"):
        HazraConfig(rare={"basophil": 0})
    for one_way in ("pix2pix_stain", "stainnet"):
        with pytest.raises(UsageError, match=f"{one_way} leads one way, .* choose w_cyclegan_gp"):
            HazraConfig(stain=one_way)
    for fields in SCALES.values():
        config = HazraConfig(**fields)
        assert config.network
        few = {kind: n for kind, n in config.rare.items() if n < config.few_below}
        assert few, "the few-shot generator has something to do"


def test_stages_follow_from_all_that_a_recipe_says(monkeypatch: pytest.MonkeyPatch) -> None:
    config = HazraConfig()
    rare = {"basophil": 15}

    def told(of: HazraConfig) -> list[dict[str, Any]]:
        recipes = (many_recipe(of), few_recipe(of, rare), classifier_recipe(of))
        return [stain_of(of), *map(said_of, recipes)]

    before = told(config)
    assert told(HazraConfig()) == before
    assert [one["name"] for one in before] == [
        "w_cyclegan_gp", "c_wgan_gp", "few_shot_gan", "senet154_ge",
    ]  # fmt: skip
    for one, other in zip(before, told(replace(config, seed=1)), strict=True):
        assert one != other, "the seed reaches every training"
    # Recipes of a later version, under the same names.
    for table, name in ((STAIN_RECIPES, config.stain), (SYNTHESIS_RECIPES, config.many),
                        (FEW_SHOT_RECIPES, config.few)):  # fmt: skip
        recipe = table[name]
        train = replace(recipe.train, batch_size=3)
        monkeypatch.setitem(table, name, replace(recipe, train=train))  # type: ignore[arg-type]
    later = told(config)
    assert all(one != other for one, other in zip(before[:3], later[:3], strict=True))
    # What is only said of a recipe trains nothing anew.
    monkeypatch.setitem(
        SYNTHESIS_RECIPES,
        config.many,  # type: ignore[arg-type]
        replace(SYNTHESIS_RECIPES[config.many], title="", deviations=("more",)),
    )
    assert told(config) == later


def test_the_experiment_puts_the_thesis_beside(tmp_path: Path) -> None:
    asked = Reproduced("simulated", tmp_path, scale="smoke", show=False, only=("ge",))
    record = reproduce(EXPERIMENTS["hazra_pipeline"], asked, "smearlab reproduce hazra_pipeline")
    lines = {(line.row, line.figure): line for line in record.lines}
    whole, without = (
        lines["the whole pipeline", "accuracy"],
        lines["without gather-excite", "accuracy"],
    )
    assert (whole.reported, without.reported) == (0.984, 0.969)
    assert whole.obtained is not None and whole.n == 30
    for figure in ("accuracy", "sensitivity", "specificity"):
        assert lines["the whole pipeline, basophil", figure].n == 4
    assert lines["the whole pipeline", "specificity"].reported == 0.9821
    assert lines["without gather-excite", "specificity"].reported is None
    assert any(said.startswith("synthetic, for training: basophil 6") for said in record.data)
    assert record.pages == ("hazra_pipeline.html",) and "without stain normalisation" not in {
        row for row, _ in lines
    }


def test_cells_of_another_magnification_are_shown_as_large(tmp_path: Path) -> None:
    rows = []
    for source, side in (("PBC", 100), ("Raabin-WBC", 190)):
        pixels = np.full((400, 400, 3), 240, np.uint8)
        cv2.circle(pixels, (200, 200), side // 2, (60, 20, 90), cv2.FILLED)
        cv2.imwrite(str(tmp_path / f"{source}.png"), pixels)
        rows.append({"path": f"{source}.png", "dataset": "own", "source": source,
                     "type": "monocyte", "split": "train"})  # fmt: skip
    write_manifest(tmp_path / TABLE, manifest_of(rows, tmp_path))
    before = Done("split", tmp_path, {"named": ["PBC", "Raabin-WBC"]}, "", 0.0, True)
    out = tmp_path / "views"
    out.mkdir()
    as_views(HazraConfig(size_px=64))(out, {"split": before})
    views = read_manifest(out / TABLE)
    dark = [(pixels_of(views, row)[..., 1] < 130).sum() for row in range(2)]
    assert dark[0] == pytest.approx(np.pi * 16**2, rel=0.05)
    assert dark[1] == pytest.approx(dark[0], rel=0.05)
