"""``smearlab reproduce`` for generators: trained, made, verified, put beside the papers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from smearlab.datasets.manifest.table import read_manifest
from smearlab.errors import UsageError
from smearlab.evaluation.reproductions import Line, Record
from smearlab.learn.recipes import FEW_SHOT_RECIPES, SYNTHESIS_RECIPES
from smearlab.learn.reproduce import c_wgan_gp, few_shot_gan, w_net_dcgan
from smearlab.learn.reproduce.experiment import SCALES, Asked
from smearlab.learn.reproduce.experiments import EXPERIMENTS, reproduce
from smearlab.learn.reproduce.generator_table import GeneratorTable

TABLES = {"c_wgan_gp": c_wgan_gp.TABLE, "w_net_dcgan": w_net_dcgan.TABLE,
          "few_shot_gan": few_shot_gan.TABLE}  # fmt: skip


def smoke(name: str, out: Path, *recipes: str, only: tuple[str, ...] = ()) -> Record:
    """The experiment with some of its recipes, two steps each, on simulated cells."""
    table = replace(TABLES[name], recipes=recipes or TABLES[name].recipes)
    asked = Asked("simulated", out, scale="smoke", show=False, only=only)
    return reproduce(replace(EXPERIMENTS[name], run=table), asked, f"smearlab reproduce {name}")


def found(record: Record) -> dict[tuple[str, str], Line]:
    return {(line.row, line.figure): line for line in record.lines}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_scale_fits_the_recipes(table: GeneratorTable) -> None:
    known = {**SYNTHESIS_RECIPES, **FEW_SHOT_RECIPES}
    for scale in SCALES:
        assert set(table.settings[scale]) <= set(table.recipes)
        assert table.making[scale].of(leading=True).wanted
        for name in table.recipes:
            recipe = known[name].with_settings(list(table.settings_of(name, scale)))
            assert recipe.generator.size_px == recipe.view.size_px


def test_the_thesis_sizes_at_the_scale_of_papers() -> None:
    untold = SYNTHESIS_RECIPES["c_wgan_gp_untold"].with_settings(
        list(c_wgan_gp.PAPER["c_wgan_gp_untold"])
    )
    large = SYNTHESIS_RECIPES["c_wgan_gp_128"]
    for part in ("generator", "critic", "teacher", "view", "train"):
        assert getattr(untold, part) == getattr(large, part), part
    few = FEW_SHOT_RECIPES["few_shot_gan"].with_settings(list(few_shot_gan.PAPER["few_shot_gan"]))
    assert few.view.size_px == 256 and few.train.epochs * few.meta.round_episodes == 20_000


def test_one_recipe_is_put_to_every_check() -> None:
    making = c_wgan_gp.MAKING["cpu"]
    assert set(making.of(leading=True).wanted) - set(making.of(leading=False).wanted) == {
        "cosine", "blind-test", "added",
    }  # fmt: skip
    assert making.config.arms == (0.0, 0.25, 0.5, 1.0, 2.0)
    assert making.each >= 2 * 630, "200 % of what a type has in training"
    assert c_wgan_gp.TABLE.leading in c_wgan_gp.TABLE.recipes
    assert few_shot_gan.MAKING["cpu"].config.against == "test"


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Record]:
    out = tmp_path_factory.mktemp("typed")
    return out / "c_wgan_gp" / "honest-smoke", smoke("c_wgan_gp", out, "c_wgan_gp", "dcgan")


def test_figures_of_the_thesis_stand_beside_ours(typed: tuple[Path, Record]) -> None:
    folder, record = typed
    assert Record.load(folder / "record.json") == record
    lines = found(record)
    for name, figures in (("c_wgan_gp", (57.82, 17.73, 0.21)), ("dcgan", (77.91, 8.44, 0.43))):
        for figure, told in zip(("FID", "IS", "LPIPS"), figures, strict=True):
            line = lines[name, figure]
            assert (line.reported, line.where) == (told, "Tables 17 to 20")
            assert line.obtained is not None and line.n == 24
    answered = lines["c_wgan_gp, made pictures by a classifier of real ones", "precision"]
    assert answered.reported == pytest.approx(0.9793) and answered.n == 24
    real = lines["c_wgan_gp, real test pictures by a classifier of made ones", "accuracy"]
    assert real.reported is None and real.obtained is not None
    assert lines["c_wgan_gp", "parameters"].reported == 9.7e6
    assert lines["c_wgan_gp", "KID"].reported is None
    added = lines["c_wgan_gp, 100 % added", "gain of accuracy"]
    without, both = (lines[f"c_wgan_gp, {n} % added", "accuracy"].obtained for n in (0, 100))
    assert without is not None and both is not None
    assert added.obtained == pytest.approx(both - without) and added.n == 1
    assert lines["c_wgan_gp, basophil, by pixels", "difference of cosines"].n == 3
    for space in ("features", "pixels"):
        assert lines["c_wgan_gp", f"memorised, by {space}"].n == 24


def test_what_is_made_is_kept_and_shown(typed: tuple[Path, Record]) -> None:
    folder, record = typed
    assert record.pages[:2] == ("c_wgan_gp.png", "verified/c_wgan_gp/verification.html")
    assert all((folder / page).is_file() for page in record.pages)
    made = read_manifest(folder / "made" / "c_wgan_gp" / "manifest.parquet")
    assert len(made) == 24 and made.column("synthetic").all()
    # The split of the verification is that of the generator: nothing that it saw is tested on.
    own = read_manifest(folder / "c_wgan_gp-honest" / "manifest.parquet")
    real = read_manifest(folder / "verified" / "real" / "pictures" / "real.parquet")
    assert own.column("split").tolist() == real.column("split").tolist()
    # One classifier of real pictures answers for all recipes.
    alone = [path.name for path in (folder / "verified" / "real" / "runs").glob("added-*-honest")]
    assert alone == ["added-0-seed-0-honest"]


def test_what_is_trained_stays_in_the_table(typed: tuple[Path, Record]) -> None:
    folder, record = typed
    again = smoke("c_wgan_gp", folder.parent.parent, "c_wgan_gp", "cgan", "dcgan", only=("dcgan",))
    assert {line.row for line in again.lines} == {line.row for line in record.lines}
    assert "cgan is not trained yet" in again.findings


def test_nothing_that_is_not_trained_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train it first, --only few_shot_gan"):
        smoke("few_shot_gan", tmp_path, only=("c_wgan_gp",))


def test_the_checks_of_paper_c(tmp_path: Path) -> None:
    record = smoke("w_net_dcgan", tmp_path)
    lines, name = found(record), "w_net_dcgan_conditional"
    first = lines[f"{name}, check 1: made pictures by a network of real ones", "accuracy"]
    second = lines[f"{name}, check 2: real test pictures by a network of made ones", "precision"]
    assert (first.reported, first.where) == (1.0, "Table 5")
    assert (second.reported, second.where) == (0.93, "Table 6")
    third = lines[f"{name}, check 3: basophil, by pixels", "difference of cosines"]
    assert (third.reported, third.where) == (0.07, "Table 7")
    assert lines[name, "parameters"].reported == 2_780_099 + 69_878_401
    alone = lines["w_net_dcgan, check 2: real test pictures by a network of made ones", "accuracy"]
    assert alone.n == second.n, "five networks of one type each, put to the same checks"
    assert not any("not trained" in said for said in record.findings)


def test_recall_of_rare_types_without_and_with(tmp_path: Path) -> None:
    record = smoke("few_shot_gan", tmp_path, "few_shot_gan", "c_wgan_gp")
    lines = found(record)
    for name in ("few_shot_gan", "c_wgan_gp"):
        for kind in few_shot_gan.RARE:
            without, filled, gain = (
                lines[f"{name}, {kind}", figure].obtained
                for figure in ("recall without", "recall with", "gain of recall")
            )
            assert without is not None and filled is not None
            assert gain == pytest.approx(filled - without)
            weighted, over = (
                lines[f"{name}, {kind}", figure].obtained
                for figure in ("recall by weighted loss", "gain over weighted loss")
            )
            assert weighted is not None and over == pytest.approx(filled - weighted)
        assert lines[name, "FID"].n == 9, "three of each rare type"
        assert lines[f"{name}, monocyte", "FID"].n == 3
    told = lines["few_shot_gan", "FID"]
    assert (told.reported, lines["c_wgan_gp", "FID"].reported) == (51.62, None)
    folder = tmp_path / "few_shot_gan" / "honest-smoke"
    held = read_manifest(folder / "few_shot_gan-honest-monocyte" / "manifest.parquet")
    rival = read_manifest(folder / "c_wgan_gp-honest" / "manifest.parquet")
    rare = held.column("type") == "monocyte"
    assert (rare & (held.column("split") == "train")).sum() == 2
    assert sorted(rival.column("path")) == sorted(held.column("path")), "the same few pictures"
