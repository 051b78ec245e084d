"""A run becomes a bundle that answers as its checkpoint does, or nothing at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from scipy.special import softmax
from small_classifier_run import write_run

from smearlab.errors import RunError, SmearlabError, UnknownNameError, UsageError
from smearlab.evaluation.runs import Predictions, RunSummary
from smearlab.io.bundles import Bundle, read_card
from smearlab.learn.classifier_run import evenly, open_classifier_run, views
from smearlab.learn.export import TypesGraph
from smearlab.learn.export_proof import PARITY, accuracy, answers_of, write_proven
from smearlab.learn.export_run import ExportConfig, bench_knows, export_run, known_names
from smearlab.learn.models.classifiers import build_classifier
from smearlab.learn.objectives import image_batch
from smearlab.learn.quantize import quantized
from smearlab.learn.timing import ms_per_cell
from smearlab.metrics.calibration import temperature
from smearlab.metrics.intervals import clopper_pearson
from smearlab.pipeline import Analyzer
from smearlab.types import CELL_TYPES, UNIDENTIFIED, Field
from tiny_bundles import draw_discs, write_segmenter

CONTEXT = 1.5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("small"))


def export(run: Path, out: Path, **given: Any) -> dict[str, Any]:
    config = ExportConfig(**{"context": CONTEXT, **given})
    return export_run(open_classifier_run(run), out, config)


def checkpoint_probabilities(run: Path, pixels: NDArray[np.uint8], heat: float) -> NDArray[Any]:
    """Straight from the weight file, without anything of the export."""
    model = build_classifier("lwcnn", 3).eval()
    model.load_state_dict(load_file(run / "model.safetensors"))
    with torch.inference_mode():
        logits = model(image_batch(torch.from_numpy(pixels))).double().numpy()
    return np.asarray(softmax(logits / heat, axis=1))


def test_the_bundle_answers_as_the_checkpoint(run: Path, tmp_path: Path) -> None:
    card = export(run, tmp_path)
    pixels = views(open_classifier_run(run).samples("test"), 6)
    found = Bundle(tmp_path, "classifier").run(pixels=pixels)["probabilities"]
    wanted = checkpoint_probabilities(run, pixels, card["temperature"])
    np.testing.assert_allclose(found, wanted, atol=PARITY)
    assert wanted.std(axis=0).max() > 1e-3, "answers that are all the same prove nothing"
    assert card["parity"]["largest_difference"] <= PARITY
    assert (card["parity"]["pictures"], card["parity"]["of"]) == (6, "validation")


def test_the_card_tells_what_the_run_was(run: Path, tmp_path: Path) -> None:
    card = export(run, tmp_path)
    assert card == read_card(tmp_path, "classifier")
    assert card["classes"] == ["immature granulocyte", "neutrophil", "lymphocyte"]
    assert (card["network"], card["input_px"], card["context"]) == ("lwcnn", 64, CONTEXT)
    kept = Predictions.load(run, "val")
    heat = temperature(kept.logits.astype(np.float64), kept.targets)
    assert card["temperature"] == pytest.approx(heat, abs=1e-4)
    assert card["tuned_on"] == len(kept.targets) == 6
    test = Predictions.load(run, "test")
    right = (test.logits.argmax(1) == test.targets).mean()
    assert card["metrics"]["test"]["accuracy"]["value"] == pytest.approx(right, abs=1e-5)
    assert card["metrics"]["test"]["n"] == card["metrics"]["test"]["n_groups"] == 6
    assert card["training"]["recipe"] == "small"
    assert card["bytes"] == (tmp_path / "model.onnx").stat().st_size


def test_intervals_of_the_card_count_groups() -> None:
    """Three sources of ten copies each: two all right, one all wrong."""
    answers = np.eye(2, dtype=np.float32)[[0] * 20 + [1] * 10]
    targets, sources = np.zeros(30, np.int64), np.repeat(["a", "b", "c"], 10)
    apart = accuracy(answers, targets, np.arange(30).astype(str))
    assert (apart["n"], apart["n_groups"], apart["accuracy"]["value"]) == (30, 30, 0.66667)
    ends = [round(end, 5) for end in clopper_pearson(20, 30)]
    assert [apart["accuracy"]["low"], apart["accuracy"]["high"]] == ends
    tied = accuracy(answers, targets, sources)
    assert (tied["n_groups"], tied["accuracy"]["low"], tied["accuracy"]["high"]) == (3, 0.0, 1.0)
    one = accuracy(answers, targets, np.array(["a"] * 30))["accuracy"]
    assert one == {"value": 0.66667, "low": 0.0, "high": 1.0}


def test_the_card_names_what_was_learned_from(run: Path, tmp_path: Path) -> None:
    assert export(run, tmp_path / "a")["data"] == ["set (no licence is known)"]
    summary = RunSummary.load(run)
    other = changed(run, tmp_path / "run", weights="0123456789abcdef")
    replace(summary, datasets=("pbc", "bccd4", "simulated")).save(other)
    config = {"context": CONTEXT, "data": run.parent / "pictures"}
    card = export(other, tmp_path / "b", **config)
    pbc, bccd4, drawn, given = card["data"]
    assert pbc.endswith("(pbc, CC BY 4.0)") and bccd4.endswith("(bccd4, MIT (derived from BCCD))")
    assert drawn == "simulated cells (smearlab simulate)"
    assert "0123456789abcdef" in given
    assert card["data_use"]["pbc"] == "anything, with attribution"
    assert "10.1016/j.dib.2020.105474" in card["attribution"][0]
    replace(summary, datasets=("pbc",)).save(other)
    (tmp_path / "pretrained").mkdir()  # beside the fold, as a run with a training before has it
    replace(summary, datasets=("zheng",)).save(tmp_path / "pretrained")
    before, own = export(other, tmp_path / "c", **config)["data"]
    assert "zheng" in before and "GPL-3" in before
    assert own == pbc


def test_rounded_weights_are_kept_where_they_cost_nothing(run: Path, tmp_path: Path) -> None:
    sizes = {kind: export(run, tmp_path / kind, weights=kind) for kind in ("half", "float")}
    assert sizes["half"]["bytes"] < 0.6 * sizes["float"]["bytes"]
    rounded = sizes["half"]["parity"]["largest_difference"]
    assert 0 < rounded < 0.05
    assert sizes["float"]["parity"]["largest_difference"] < 1e-5
    auto = export(run, tmp_path / "auto")
    assert auto["weights"] == ("half" if rounded <= PARITY else "float")
    exact = tmp_path / "exact"  # weights that half floats hold as they are
    shutil.copytree(run.parent, exact)
    path = exact / "run" / "model.safetensors"
    save_file({k: v.half().float() for k, v in load_file(path).items()}, path)
    assert export(exact / "run", tmp_path / "b")["weights"] == "half"


def test_the_bench_runs_it(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "types")
    segmenter = write_segmenter(tmp_path / "cells")
    analyzer = Analyzer.load(str(segmenter), str(tmp_path / "types"))
    field = Field(draw_discs([(60, 60, "WBC"), (120, 60, "RBC")]), "drawn")
    types = {cell.type for cell in analyzer.analyze(field).cells}
    assert types <= {*CELL_TYPES, UNIDENTIFIED}
    answer, confidence, shares = analyzer.classify_cell_image(field)
    assert set(shares) == {"immature granulocyte", "neutrophil", "lymphocyte"}
    assert 0 < confidence <= 1
    assert answer in {*shares, UNIDENTIFIED}


def test_eight_bits_and_what_they_cost(run: Path, tmp_path: Path) -> None:
    card = export(run, tmp_path, quantize="int8", weights="float")
    cost = card["quantised"]
    assert card["weights"] == "int8"
    assert card["name"] == "small_int8"
    assert cost["after"]["bytes"] == card["bytes"] < 0.4 * cost["before"]["bytes"]
    pixels = views(open_classifier_run(run).samples("val"), 6)
    targets = Predictions.load(run, "val").targets
    found = Bundle(tmp_path, "classifier").run(pixels=pixels)["probabilities"]
    wanted = checkpoint_probabilities(run, pixels, card["temperature"])
    for kind, answers in (("before", wanted), ("after", found)):
        right = (answers.argmax(1) == targets).mean()
        assert cost[kind]["accuracy"]["value"] == pytest.approx(right, abs=1e-5)  # as rounded
    assert cost["before"]["n"] == cost["after"]["n"] == 6
    assert cost["answers_changed"] == int((found.argmax(1) != wanted.argmax(1)).sum())
    assert 0 < cost["largest_difference"] < 0.25
    assert cost["largest_difference"] == pytest.approx(np.abs(found - wanted).max(), abs=1e-3)
    assert all(cost[kind]["ms_per_cell"] > 0 for kind in ("before", "after"))


def test_how_much_is_shown_is_measured(run: Path, tmp_path: Path) -> None:
    """Discs of 33 to 37 px in squares of 72 px, as the segmenter boxes them."""
    card = export(run, tmp_path, context=None)
    assert card["context"] == pytest.approx(72 / 35, rel=0.15)


def test_equalised_pictures_are_equalised_at_the_bench(tmp_path: Path) -> None:
    run = write_run(tmp_path / "small", clip_limit=2.0)
    card = export(run, tmp_path / "bundle")
    assert card["clahe"] == {"clip_limit": 2.0}
    plain = dict(card)
    del plain["clahe"]
    (tmp_path / "plain").mkdir()
    shutil.copy(tmp_path / "bundle" / "model.onnx", tmp_path / "plain")
    (tmp_path / "plain" / "card.json").write_text(json.dumps(plain))
    segmenter = str(write_segmenter(tmp_path / "cells"))
    pixels = views(open_classifier_run(run).samples("val"), 1)[0]  # equalised already
    field = Field(pixels, "view")
    shares = [
        Analyzer.load(segmenter, str(tmp_path / name)).classify_cell_image(field)[2]
        for name in ("bundle", "plain")
    ]
    assert max(abs(shares[0][k] - shares[1][k]) for k in shares[0]) > 1e-4


def test_names_the_bench_does_not_know_are_kept(tmp_path: Path) -> None:
    run = write_run(tmp_path / "small", labels=("healthy", "blast", "other"))
    card = export(run, tmp_path / "bundle")
    assert card["classes"] == ["healthy", "blast", "other"]
    assert not bench_knows(card)
    answers = answers_of(tmp_path / "bundle" / "model.onnx")
    assert answers(views(open_classifier_run(run).samples("val"), 2)).shape == (2, 3)
    assert known_names(("SNE", "BNE")) == ("SNE", "BNE")


class _Faulty(TypesGraph):
    """Its graph is traced with other weights than it answers with."""

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        (shares,) = super().forward(pixels)
        return (shares if torch.onnx.is_in_onnx_export() else shares.flip(1),)


def test_a_bundle_that_answers_otherwise_is_not_written(run: Path, tmp_path: Path) -> None:
    model = open_classifier_run(run).network()
    card = {"network": "lwcnn", "input_px": 64}
    with pytest.raises(SmearlabError, match=r"does not answer as its network .* more than 0.0001"):
        write_proven(tmp_path, _Faulty(model).eval(), card, None, "float")


def test_pictures_that_are_gone(run: Path, tmp_path: Path) -> None:
    lost = tmp_path / "lost"
    shutil.copytree(run.parent, lost)
    (lost / "pictures").rename(tmp_path / "elsewhere")
    card = export(lost / "run", tmp_path / "bundle")
    assert card["parity"]["of"] == "random numbers"
    with pytest.raises(UsageError, match=r"int8 needs pictures .* name their folder with --data"):
        export(lost / "run", tmp_path / "no", quantize="int8")
    with pytest.raises(UsageError, match=r"6 of 6 val pictures .* or say it with --context"):
        export(lost / "run", tmp_path / "no", context=None)
    with pytest.raises(RunError, match=r"pictures of .* are not there"):
        export(lost / "run", tmp_path / "no", data=tmp_path)
    assert not (tmp_path / "no").exists()
    found = export(lost / "run", tmp_path / "yes", data=tmp_path / "elsewhere", quantize="int8")
    assert found["parity"]["of"] == "validation"
    with pytest.raises(UsageError, match="there are none"):
        quantized(tmp_path / "bundle" / "model.onnx", np.empty((0, 64, 64, 3), np.uint8))


def changed(run: Path, copy: Path, **asked: Any) -> Path:
    shutil.copytree(run, copy)
    config = json.loads((copy / "config.json").read_text())
    config["asked"] |= asked
    (copy / "config.json").write_text(json.dumps(config))
    return copy


def test_what_is_no_run_of_a_network_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is no finished run, summary\.json is missing"):
        open_classifier_run(tmp_path)
    with pytest.raises(UnknownNameError, match="unknown network 'lwcn'; did you mean 'lwcnn'"):
        open_classifier_run(changed(run, tmp_path / "a", network="lwcn"))
    with pytest.raises(UsageError, match="measured features, not a network"):
        open_classifier_run(changed(run, tmp_path / "b", kind="classical"))
    with pytest.raises(RunError, match=r"config\.json cannot be read"):
        open_classifier_run(changed(run, tmp_path / "c", view={}))
    with pytest.raises(UsageError, match=r"holds 2 folds.*fold-1"):
        for name in ("fold-1", "fold-2"):
            shutil.copytree(run, tmp_path / "folds" / name)
        open_classifier_run(tmp_path / "folds")
    other = open_classifier_run(changed(run, tmp_path / "d", network="w_net"))
    with pytest.raises(UsageError, match=r"model\.safetensors is of another network"):
        other.network()
    (tmp_path / "d" / "model.safetensors").unlink()
    with pytest.raises(RunError, match=r"model\.safetensors cannot be read"):
        other.network()
    (tmp_path / "d" / "model.safetensors").write_bytes(b"half a file")
    with pytest.raises(RunError, match=r"model\.safetensors cannot be read"):
        other.network()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"context": 0.0}, "context must be above 0; received 0.0"),
        ({"weights": "halves"}, "did you mean 'half'"),
        ({"quantize": "int4"}, "did you mean 'int8'"),
    ],
)
def test_settings_are_checked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ExportConfig(**given)


def test_times_take_turns() -> None:
    order: list[str] = []
    calls = {name: (lambda pixels, name=name: order.append(name)) for name in "ab"}
    pixels = np.zeros((4, 8, 8, 3), np.uint8)
    times = ms_per_cell(calls, pixels, rounds=2)
    assert order == ["a", "b"] * 3
    assert set(times) == {"a", "b"}
    with pytest.raises(UsageError, match="received 0 rounds, 4 cells"):
        ms_per_cell(calls, pixels, rounds=0)
    assert evenly(5, 9) == [0, 1, 2, 3, 4]
    assert evenly(0, 3) == []
