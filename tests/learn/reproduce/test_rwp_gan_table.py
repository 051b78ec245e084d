"""RWP-GAN's tables: from training to record and pictures, and what is said of the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from smearlab.datasets.element_pairs import load_pair, simulated_pairs
from smearlab.errors import UnknownNameError, UsageError
from smearlab.evaluation.elements import evaluate_elements
from smearlab.evaluation.reproductions import Line, Record
from smearlab.learn.classifier_recipe import PROTOCOLS
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.reproduce import rwp_gan
from smearlab.learn.reproduce.element_distances import (
    FIGURES,
)
from smearlab.learn.reproduce.element_figures import Measured, Measurement, _identity
from smearlab.learn.reproduce.element_lines import (
    figure_lines,
    findings,
    kinds_of,
    lacking_fields,
)
from smearlab.learn.reproduce.element_sheets import chosen_fields
from smearlab.learn.reproduce.experiment import SCALES, Asked, Scale, is_asked
from smearlab.learn.reproduce.experiments import EXPERIMENTS, reproduce
from smearlab.learn.run_segmenter import pairs_of
from smearlab.types import ELEMENTS

SAMPLES = ("view.size=32", "view.cell_px=24", "data.judged_tiles=2", "data.per_picture=1")
SMALL = (*SAMPLES, "train.precision=32-true", "train.max_steps=2", "train.workers=0")
PLAYED = (*SMALL, "network.widths=4,4,6,6,6", "network.input_px=32", "critic.widths=4,4,4")
#: Networks small enough for a test; one rival less.
TABLE = rwp_gan.SegmenterTable(
    recipes=("rwp_gan", "unet_bce_dice"),
    own={"rwp_gan": PLAYED, "unet_bce_dice": (*SMALL, "train.batch_size=2", "network.widths=4,6")},
    beside={"a model elsewhere": "nowhere_to_be_found"},
    of_one={},
    sampled={"rwp_gan": 2},
)
SMALL_EXPERIMENT = replace(EXPERIMENTS["rwp_gan"], run=TABLE)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reproduced")


@pytest.fixture(scope="module")
def record(out: Path) -> Record:
    asked = Asked("simulated", out, scale="smoke", show=False)
    return reproduce(SMALL_EXPERIMENT, asked, "smearlab reproduce rwp_gan")


def lines_of(record: Record, row: str) -> dict[str, Line]:
    return {line.figure: line for line in record.lines if line.row == row}


def test_reported_stands_beside_obtained_for_every_element(record: Record) -> None:
    reported = SEGMENTATION_RECIPES["rwp_gan"].reported["test pictures (Table 2)"]
    for element in ELEMENTS:
        lines = lines_of(record, f"{element} (simulated), rwp_gan")
        for figure, told in reported[element].items():
            assert (lines[figure].reported, lines[figure].where) == (told, "Table 2")
            assert lines[figure].obtained is not None
            assert (lines[figure].n, lines[figure].of) == (2, "fields")
        assert lines["PCC"].obtained + lines["PCE"].obtained == pytest.approx(1)
        for figure in ("Dice", "IoU", "boundary F1", "MAE on black", "panoptic quality"):
            assert lines[figure].reported is None
        plain = lines_of(record, f"{element} (simulated), unet_bce_dice")
        assert plain.keys() == lines.keys()
        assert all(line.reported is None for line in plain.values())


def test_losses_and_times_of_table_1(record: Record, out: Path) -> None:
    run = out / "rwp_gan" / "honest-smoke" / "rwp_gan-honest" / "wbc"
    losses = json.loads((run / "losses.json").read_text())["losses"]
    lines = lines_of(record, "WBC, rwp_gan")
    assert lines["loss, discriminator, max"].obtained == losses["critic"]["max"]
    assert lines["loss, discriminator, max"].reported == 2.8275466
    assert lines["loss, l1, mean"].obtained == losses["l1"]["mean"]
    assert lines["loss, generator total, min"].n == 2
    assert lines["training, min"].reported == 120
    told = json.loads((run / "summary.json").read_text())
    assert lines["training, pictures/s"].obtained == told["images_per_s"] > 0
    assert lines["training, pictures/s"].reported is None
    plain = {"training, min", "training, pictures/s"}
    assert set(lines_of(record, "WBC, unet_bce_dice")) == plain


def test_the_mean_of_what_was_drawn_stands_beside_table_3(record: Record) -> None:
    reported = SEGMENTATION_RECIPES["rwp_gan"].reported["generated pictures (Table 3)"]
    own = [
        lines_of(record, f"{element} (simulated), rwp_gan, drawn beside targets")
        for element in ELEMENTS
    ]
    mean = lines_of(record, "mean of 3 elements, rwp_gan, drawn beside targets")
    assert list(mean) == list(FIGURES)
    for figure, line in mean.items():
        assert (line.reported, line.where) == (reported[figure], "Table 3")
        assert line.obtained == pytest.approx(np.mean([one[figure].obtained for one in own]))
        assert (line.n, own[0][figure].n) == (6, 2)
        assert own[0][figure].reported is None
    assert own[0]["PSI"].low <= own[0]["PSI"].obtained <= own[0]["PSI"].high
    rows = {line.row for line in record.lines if line.row.endswith("drawn beside targets")}
    assert not [row for row in rows if ", rwp_gan, " not in row]  # others played no game


def test_the_record_says_what_it_is_of(record: Record) -> None:
    said = " ".join([*record.data, *record.deviations, *record.findings])
    assert "WBC: learnt from 6 pairs of simulated" in said
    assert "in the place of ALL-IDB1" in said
    assert "rwp_gan takes 2 steps of 1 pictures at most, in the place of 350/350/500 epochs" in said
    assert "WD of Table 3 is the sliced Wasserstein distance" in said
    assert "PLT: a model elsewhere is left out: unknown model 'nowhere_to_be_found'" in said
    assert record.seconds > 0


def test_recipes_depart_from_the_paper_only_where_they_do(tmp_path: Path) -> None:
    table = rwp_gan.SegmenterTable()
    said = {
        (name, protocol): " ".join(
            table.recipe(name, "WBC", Asked("simulated", tmp_path, protocol)).deviations
        )
        for name in ("rwp_gan", "pix2pix", "unet_bce_dice")
        for protocol in PROTOCOLS
    }
    for (name, protocol), words in said.items():
        assert ("gradient penalty" in words) == (name == "rwp_gan")
        assert ("noise is off" in words) == (name != "unet_bce_dice")
        assert ("honest protocol: places" in words) == (protocol == "honest")
        assert "ALL-IDB is given out on request only" in words


def test_fields_that_could_not_be_measured_are_counted(tmp_path: Path) -> None:
    files = simulated_pairs(3, "WBC")
    gone = replace(files[2], source="all_idb1", image=tmp_path / "gone.png", target=tmp_path / "t")
    measurement = Measurement("shipped", "default", "WBC", tmp_path)
    for _ in range(2):  # measured, then read again
        found = measurement.run([*files[:2], gone])
        (said,) = lacking_fields("WBC", {"shipped": found})
        assert said.startswith("WBC: shipped is measured without 1 of 3 fields; the first, ")
        assert gone.name in said
    assert found.sources["simulated"]["n"] == 2
    assert not list(lacking_fields("WBC", {"shipped": measurement.run(files[:2])}))


def test_changed_targets_are_measured_anew(tmp_path: Path) -> None:
    image = tmp_path / "field.png"
    file = replace(simulated_pairs(1, "WBC")[0], image=image)
    image.write_bytes(b"one")
    before = _identity(file)
    image.write_bytes(b"another")
    assert _identity(file) != before


def test_what_is_refused_at_once_leaves_no_folder(tmp_path: Path) -> None:
    asked = Asked(str(tmp_path / "nowhere"), tmp_path / "out", scale="smoke", show=False)
    with pytest.raises(UsageError):
        reproduce(SMALL_EXPERIMENT, asked, "smearlab")
    assert not list((tmp_path / "out").glob("*"))


def test_pictures_show_field_target_and_what_was_drawn(record: Record, out: Path) -> None:
    assert record.pages == ("rbc.png", "wbc.png", "plt.png")
    sheet = cv2.imread(str(out / "rwp_gan" / "honest-smoke" / "wbc.png"))
    assert sheet.shape[1] == 5 * 256 + 4 * 6, "field, target, two networks, the mean of one"
    rows = sheet[44:300, :256], sheet[44:300, 262:518]
    assert rows[0].mean() > 100, "a light field"
    assert 0 < rows[1].mean() < rows[0].mean(), "little of it is the element"


def test_what_is_done_is_passed_over(record: Record, out: Path) -> None:
    folder = out / "rwp_gan" / "honest-smoke"
    kept = [*folder.rglob("*.safetensors"), *folder.rglob("*.onnx"), *folder.glob("figures/*")]
    assert len(kept) > 15
    before = {path: path.stat().st_mtime_ns for path in kept}
    asked = Asked("simulated", out, scale="smoke", show=False)
    assert reproduce(SMALL_EXPERIMENT, asked, "again").lines == record.lines
    assert {path: path.stat().st_mtime_ns for path in kept} == before


def test_one_part_can_be_trained_by_itself(tmp_path: Path) -> None:
    asked = Asked("simulated", tmp_path, scale="smoke", show=False, only=("plt", "unet_bce_dice"))
    record = reproduce(SMALL_EXPERIMENT, asked, "smearlab")
    assert {line.row.split(" ")[0].strip(",") for line in record.lines} == {"PLT"}
    assert {"RBC: not trained yet", "PLT: rwp_gan is not trained yet"} <= set(record.findings)
    with pytest.raises(UnknownNameError, match="did you mean 'wbc'"):
        reproduce(SMALL_EXPERIMENT, replace(asked, only=("wbcs",)), "smearlab")
    assert not is_asked(("rwp_gan",), "pix2pix", TABLE.recipes)


def test_an_element_that_is_not_trained_here_stays_in_the_record(tmp_path: Path) -> None:
    """As when the folder of the runs is lost, and the record is kept."""
    out = tmp_path / "first"
    asked = Asked("simulated", out, scale="smoke", show=False, only=("plt", "unet_bce_dice"))
    first = reproduce(SMALL_EXPERIMENT, asked, "smearlab first")
    kept = Path("rwp_gan") / "honest-smoke" / "record.json"
    elsewhere = tmp_path / "second" / kept
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes((out / kept).read_bytes())
    asked = replace(asked, folder=tmp_path / "second", only=("wbc", "unet_bce_dice"))
    both = reproduce(SMALL_EXPERIMENT, asked, "smearlab second")
    assert Record.load(elsewhere) == both
    assert {line.row[:3] for line in both.lines} == {"WBC", "PLT"}
    assert [line for line in both.lines if line.row.startswith("PLT")] == list(first.lines)
    assert any("PLT: of an earlier run on" in said for said in both.data)
    assert "PLT: not trained yet" not in both.findings


@pytest.mark.parametrize("scale", SCALES)
def test_every_recipe_can_be_built_at_every_scale(scale: Scale, tmp_path: Path) -> None:
    table = rwp_gan.EXPERIMENTS[0].run
    asked = Asked("simulated", tmp_path, scale=scale)
    for name in table.names[: -len(ELEMENTS)]:
        recipe = rwp_gan.SegmenterTable().recipe(name, "PLT", asked)
        short = recipe.train.max_steps is not None or recipe.train.epochs < 10
        assert short == (scale != "paper")
        assert recipe.train.epochs == 500 or short


def test_a_network_with_noise_is_measured_by_a_mean_of_draws_too(record: Record) -> None:
    for element in ELEMENTS:
        once = lines_of(record, f"{element} (simulated), rwp_gan")
        mean = lines_of(record, f"{element} (simulated), rwp_gan (mean of 2)")
        assert mean.keys() == once.keys()
        assert mean["SSIM"].reported is None
        assert mean["SSIM"].obtained != once["SSIM"].obtained
        assert mean["SSIM"].n == once["SSIM"].n
    assert not lines_of(record, "WBC (simulated), unet_bce_dice (mean of 2)")


def test_a_scale_says_what_it_spares(tmp_path: Path) -> None:
    asked, table = Asked("simulated", tmp_path, scale="cpu"), rwp_gan.SegmenterTable()
    three = ("rwp_gan", "pix2pix", "unet_bce_dice")
    said = table._scaled_down(asked, {"PLT": three, "WBC": (*three, "rwp_gan_masks")})
    assert said[1:3] == [
        "scale cpu: rwp_gan takes 1 sample of each picture, one a step, with falling rates and the "
        "penalty in one step in 4, in the place of 350/350/500 epochs",
        "scale cpu: pix2pix takes 1 sample of each picture, one a step, with falling rates, in the "
        "place of 350/350/500 epochs",
    ]
    assert "unet_bce_dice takes 100 steps of 4 pictures at most, in the place of" in said[3]
    assert "rwp_gan_masks takes 16 samples of each picture" in said[4]
    assert said[5].startswith("scale cpu: rwp_gan of PLT with view.cell_px=128, ")
    assert said[7] == "scale cpu: unet_bce_dice of PLT with view.on_element=1.0"


def test_a_scale_says_nothing_of_what_is_not_trained(tmp_path: Path) -> None:
    asked = Asked("simulated", tmp_path, scale="cpu")
    said = rwp_gan.SegmenterTable()._scaled_down(asked, {"RBC": ("rwp_gan",)})
    assert len(said) == 2 and "rwp_gan takes 1 sample of each picture" in said[1]


class Made:
    """Finds the true mask, moved by some pixels."""

    def __init__(self, pairs: Mapping[str, Any], by: int) -> None:
        self.pairs, self.by = pairs, by

    def segment(self, field: Any, elements: Any) -> Any:
        pair = self.pairs[field.name]
        mask = np.roll(pair.target, self.by, axis=1)
        cut = np.where(mask[..., None], pair.pixels, np.uint8(0))
        found = SimpleNamespace(mask=mask, segmented=cut, generated=None, labels=None)
        return dict.fromkeys(elements, found)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Measured]:
    """Three segmenters of known order, on eight fields said to have masks."""
    files = [replace(file, source="bccd_masks") for file in simulated_pairs(8, "WBC")]
    pairs = {file.name: load_pair(replace(file, source="simulated")) for file in files}
    found = {}
    for name, by in (("rwp_gan", 5), ("pix2pix", 9), ("unet_bce_dice", 2)):
        result = evaluate_elements(
            Made(pairs, by), files, lambda file: pairs[file.name], resamples=100
        )
        measurement = Measurement(name, "none", "WBC", tmp_path_factory.getbasetemp())
        found[name] = Measured(result["elements"]["WBC"], 0.0, measurement)
    return found


def test_findings_name_the_best_and_say_that_the_gan_loses(measured: dict[str, Measured]) -> None:
    said = list(findings("WBC", measured, "rwp_gan", "unet_bce_dice"))
    assert said[0].startswith("WBC (masks): best by Dice is unet_bce_dice with 0.9")
    dice = {name: one.sources["bccd_masks"]["dice"] for name, one in measured.items()}
    by = dice["rwp_gan"] - dice["unet_bce_dice"]
    assert f"Dice of rwp_gan minus that of unet_bce_dice is {by:+.3f}" in said[1]
    assert said[1].endswith("8 fields of 8 places): rwp_gan loses to the plain U-Net")
    better = list(findings("WBC", measured, "unet_bce_dice", "pix2pix"))
    assert better[1].endswith("unet_bce_dice is better than pix2pix")
    assert list(findings("WBC", measured, "rwp_gan", "rwp_gan"))[1].endswith(
        "the fields do not tell which is better"
    )


def test_what_was_asked_is_answered(measured: dict[str, Measured]) -> None:
    figures = measured["rwp_gan"].sources["bccd_masks"]

    def said(**changed: float) -> str:
        one = replace(measured["rwp_gan"], sources={"bccd_masks": {**figures, **changed}})
        return list(findings("WBC", {"rwp_gan": one}, "rwp_gan", "none"))[-1]

    assert said(pcc=0.995, dice=0.9299).endswith(
        "asked of rwp_gan: PCC 0.9950 reaches 0.995, Dice 0.9299 is below 0.93"
    )
    assert said(pcc=0.99, dice=0.94).endswith(
        "PCC 0.9900 is below 0.995, Dice 0.9400 reaches 0.93"
    )  # fmt: skip


def test_the_same_is_asked_of_the_network_that_learned_from_masks_alone(
    measured: dict[str, Measured],
) -> None:
    both = dict.fromkeys(("rwp_gan", "rwp_gan_masks"), measured["rwp_gan"])
    said = [
        one.split(": ")[1:3]
        for one in findings("WBC", both, "rwp_gan", "none", also=["rwp_gan_masks"])
        if "asked of" in one
    ]
    assert [first for first, _ in said] == ["asked of rwp_gan", "asked of rwp_gan_masks"]
    assert not [
        one for one in findings("WBC", both, "rwp_gan", "none") if "of rwp_gan_masks" in one
    ]


def test_masks_are_of_white_cells_alone(tmp_path: Path) -> None:
    table = rwp_gan.SegmenterTable()
    assert "rwp_gan_masks" in table.names
    of = {element: table._of(element) for element in ELEMENTS}
    assert [one for one in ELEMENTS if "rwp_gan_masks" in of[one]] == ["WBC"]
    asked = Asked("simulated", tmp_path, scale="smoke", only=("rwp_gan_masks",))
    assert list(table._runs("RBC", asked)) == []
    assert table.recipe("rwp_gan_masks", "WBC", asked).data.truths == ("mask",)


def test_the_paper_stands_beside_masks_not_boxes(measured: dict[str, Measured]) -> None:
    one = measured["rwp_gan"]
    figures = one.sources["bccd_masks"]
    both = replace(one, sources={"boxes": figures, "bccd_masks": figures, "bbbc041seg": figures})
    reported = SEGMENTATION_RECIPES["rwp_gan"].reported
    lines = list(figure_lines("WBC", {"rwp_gan": both}, reported, "rwp_gan"))
    assert {line.row for line in lines if line.reported is not None} == {"WBC (masks), rwp_gan"}
    distant = [line.figure for line in lines if "bbbc041seg" in line.row]
    assert distant[0] == "Dice" and "object F1" in distant
    assert kinds_of({"rwp_gan": both}) == ["bccd_masks", "boxes", "bbbc041seg"]


def test_real_red_cells_are_measured_by_boxes_and_by_masks(data_dir: Path, tmp_path: Path) -> None:
    table = rwp_gan.SegmenterTable()
    asked = Asked(str(data_dir), tmp_path, scale="smoke", show=False)
    pairs = pairs_of(table.recipe("rwp_gan", "RBC", asked).data, "RBC", asked.data, "honest")
    tested = table._tested("RBC", pairs, asked)
    assert [file.source for file in tested] == ["boxes"] * 2 + ["bbbc041seg"] * 2
    assert {file.part for file in tested} == {"test"}
    everything = table._tested("RBC", pairs, replace(asked, scale="paper"))
    assert len(everything) == len(pairs.part("test")) + 20
    some = table._tested("RBC", pairs, replace(asked, scale="cpu"))
    most = rwp_gan.FIELDS["cpu"]
    assert [file.source for file in some] == ["boxes"] * most + ["bbbc041seg"] * 20
    boxed = [file for file in everything if file.source == "boxes"]
    places = [boxed.index(file) for file in some[:most]]
    apart = len(boxed) // most
    assert places[0] == 0 and set(np.diff(places)) <= {apart, apart + 1}


def test_few_fields_are_shown_once_each() -> None:
    assert chosen_fields([]) == {}
    assert chosen_fields([{"name": "a", "dice": 0.5}]) == {"a": "best"}
    two = [{"name": "a", "dice": 0.5}, {"name": "b", "dice": 0.7}]
    assert chosen_fields(two) == {"b": "best", "a": "worst"}


def test_nothing_trained_is_said(tmp_path: Path) -> None:
    class Nothing(rwp_gan.SegmenterTable):
        def _parts(self, asked: Asked) -> Any:
            return iter(())

    with pytest.raises(UsageError, match="nothing of this table is trained yet"):
        Nothing()(Asked("simulated", tmp_path, scale="smoke"))
