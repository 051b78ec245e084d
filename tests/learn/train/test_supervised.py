"""The supervised loop: it learns, it can be interrupted anywhere, it stops when it diverges."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import toy_run
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from toy_run import CONFIG, Stripes, fresh_model, losses_of, same_weights, train

from smearlab.errors import RunError, UsageError
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.train import progress
from smearlab.learn.train.sampling import Sample
from smearlab.learn.train.supervised import fit

FILES = {
    "config.json",
    "log.jsonl",
    "checkpoint.json",
    "checkpoint.safetensors",
    "model.safetensors",
}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four epochs that nothing disturbed."""
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    train(run)
    return run


def assert_same_end(run: Path, other: Path) -> None:
    """The same bytes of weights, the same log; nothing left behind."""
    assert (run / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert (run / "log.jsonl").read_text() == (other / "log.jsonl").read_text()
    assert {path.name for path in run.iterdir()} == FILES


def test_it_learns(tmp_path: Path) -> None:
    config = replace(CONFIG, epochs=12)
    model = train(tmp_path, config)
    losses = losses_of(tmp_path)
    assert len(losses) == 36
    assert sum(losses[-6:]) < 0.6 * sum(losses[:6])
    assert not model.training
    fresh, right = Stripes(), 0
    for index in range(40):
        sample = fresh.sample(index, toy_run.np.random.default_rng(1000 + index))
        pixels = torch.from_numpy(sample["pixels"])[None].permute(0, 3, 1, 2) / 255
        right += int(model(pixels).argmax()) == index % 2
    assert right >= 36


def test_the_log_has_a_line_a_step(uninterrupted: Path) -> None:
    lines = [json.loads(line) for line in (uninterrupted / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert [line["epoch"] for line in lines] == [n // 3 for n in range(12)]
    assert all(math.isfinite(line["loss"]) and 0 <= line["accuracy"] <= 1 for line in lines)
    assert all(0 < line["lr"] <= CONFIG.lr for line in lines)


def test_a_run_holds_no_pickle(uninterrupted: Path) -> None:
    assert {path.name for path in uninterrupted.iterdir()} == FILES
    for path in uninterrupted.iterdir():
        data = path.read_bytes()
        if path.suffix == ".safetensors":
            size = int.from_bytes(data[:8], "little")
            assert isinstance(json.loads(data[8 : 8 + size]), dict)
            assert load_file(path)
        else:
            for line in data.decode().splitlines() if path.suffix == ".jsonl" else [data.decode()]:
                json.loads(line)


def test_the_weights_are_those_of_the_model_that_comes_back(tmp_path: Path) -> None:
    model = train(tmp_path, replace(CONFIG, epochs=1))
    stored = load_file(tmp_path / "model.safetensors")
    assert stored.keys() == model.state_dict().keys()
    assert all(torch.equal(stored[key], value) for key, value in model.state_dict().items())
    assert stored.keys() == fresh_model().state_dict().keys()


@pytest.mark.parametrize("stop_after", [3, 30, 24 * 3 + 1])
def test_a_run_that_failed_goes_on_to_the_same_end(
    uninterrupted: Path, tmp_path: Path, stop_after: int
) -> None:
    run = tmp_path / "run"
    with pytest.raises(OSError, match="the disk is gone"):
        train(run, source=Stripes(stop_after=stop_after))
    source = Stripes()
    train(run, source=source)
    assert_same_end(run, uninterrupted)
    assert source.drawn == 24 * (4 - stop_after // 24), "finished epochs are not done again"


@pytest.mark.parametrize("minutes", ["0", "1e-9"])
def test_a_killed_run_goes_on_to_the_same_end(
    uninterrupted: Path, tmp_path: Path, minutes: str
) -> None:
    """A real process, really killed, at a random moment; then another one goes on.

    Its checkpoints are of whole epochs, or of every step.
    """
    run = tmp_path / "run"
    command = [sys.executable, str(Path(toy_run.__file__)), str(run), minutes]
    moment = random.SystemRandom().randrange(1, 4 * 24 - 1)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(moment):
            assert process.stdout.readline() == "sample\n"
        time.sleep(random.SystemRandom().uniform(0, 0.01))
        process.kill()
    assert process.returncode != 0, "the run was over before it was killed"
    train(run)
    assert_same_end(run, uninterrupted)


def test_a_checkpoint_inside_an_epoch_saves_its_steps(uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    often = replace(CONFIG, checkpoint_minutes=1e-9)
    with pytest.raises(OSError, match="the disk is gone"):
        train(run, often, Stripes(stop_after=24 + 8 + 3))
    assert json.loads((run / "checkpoint.json").read_text())["step"] == 4
    source = Stripes()
    train(run, source=source)  # how often checkpoints are written may change
    assert source.drawn == 4 * 24 - 4 * 8
    assert_same_end(run, uninterrupted)


def test_a_checkpoint_of_a_version_that_counted_epochs_is_taken_up(
    uninterrupted: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with pytest.raises(OSError):
        train(run, source=Stripes(stop_after=24 * 2 + 1))
    path = run / "checkpoint.safetensors"
    with safe_open(path, framework="pt") as stream:
        facts = json.loads(stream.metadata()["facts"])
    kept = {key: facts[key] for key in ("epoch", "seconds")}
    kept |= {key: facts["optimizers"]["optimizer"][key] for key in ("groups", "plain")}
    for group in kept["groups"]:
        del group["lr_scale"]
    save_file(load_file(path), path, metadata={"facts": json.dumps(kept)})
    asked = json.loads((run / "config.json").read_text())
    for key in ("accumulate", "momentum", "stop_patience", "checkpoint_minutes"):
        del asked["asked"]["train"][key]
    (run / "config.json").write_text(json.dumps(asked))
    source = Stripes()
    train(run, source=source)
    assert source.drawn == 2 * 24
    assert_same_end(run, uninterrupted)


def test_a_kill_between_two_files_of_a_checkpoint_costs_nothing(
    uninterrupted: Path, tmp_path: Path
) -> None:
    """Weights of the next epoch beside a checkpoint of the last, half-written files, a torn log."""
    run = tmp_path / "run"
    with pytest.raises(OSError):
        train(run, source=Stripes(stop_after=24 * 3 + 5))
    shutil.copy(uninterrupted / "model.safetensors", run)
    shutil.copy(uninterrupted / "checkpoint.json", run)
    shutil.copy(run / "checkpoint.safetensors", run / ".checkpoint.safetensors.0123456789ab.part")
    with (run / "log.jsonl").open("a") as log:
        log.write('{"step": 11, "epoch": 3}\n{"step": 12, "ep')
    (run / "model.safetensors").unlink()
    train(run)
    assert_same_end(run, uninterrupted)


def test_a_checkpoint_is_never_newer_than_the_weights(tmp_path: Path) -> None:
    """Else a kill between the two, in the last epoch, would leave old weights for good."""
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(IsADirectoryError):
        train(tmp_path)
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_finished_run_is_not_touched(uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.iterdir()}
    source = Stripes()
    model = train(run, source=source)
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.iterdir()}
    assert after == before
    assert source.drawn == 0
    stored = load_file(run / "model.safetensors")
    assert all(torch.equal(stored[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("steps", [2, 3, 5])
def test_a_trial_ends_early_and_again_at_the_same_place(tmp_path: Path, steps: int) -> None:
    config = replace(CONFIG, max_steps=steps)
    first = train(tmp_path, config)
    weights = (tmp_path / "model.safetensors").read_bytes()
    assert len(losses_of(tmp_path)) == steps
    again = train(tmp_path, config)
    assert (tmp_path / "model.safetensors").read_bytes() == weights
    assert len(losses_of(tmp_path)) == steps
    assert same_weights(first, again)


def test_a_trial_follows_the_schedule_of_the_whole(uninterrupted: Path, tmp_path: Path) -> None:
    train(tmp_path, replace(CONFIG, max_steps=5))
    assert losses_of(tmp_path) == losses_of(uninterrupted)[:5]


def test_another_configuration_is_refused(uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    with pytest.raises(
        UsageError,
        match=r"another configuration \(differs in train\): train.lr was 0.01 and is 0.02; "
        r"train.optimizer was 'adamw' and is 'sgd'\. Choose another",
    ):
        train(run, replace(CONFIG, lr=0.02, optimizer="sgd"))
    with pytest.raises(
        UsageError, match=r"\(differs in view\): view.size was 'not there' and is 3"
    ):
        fit(
            fresh_model(),
            Stripes(),
            toy_run.OBJECTIVE,
            CONFIG,
            run,
            describe={"view": {"size": 3}},
            show=False,
        )
    assert_same_end(run, uninterrupted)


def test_another_network_is_refused(uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    other = CellTypes(CellTypesConfig(classes=3, widths=(8, 8), blocks=(1,), turns=1))
    with pytest.raises(
        UsageError, match=r"another network: \S+ is \[2(, 8)?\] in it and \[3(, 8)?\] here"
    ):
        fit(other, Stripes(), toy_run.OBJECTIVE, CONFIG, run, show=False)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_damaged_checkpoint_is_named(uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    path = run / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"checkpoint.safetensors cannot be read"):
        train(run)


def test_weights_are_averaged_as_their_text_says(tmp_path: Path) -> None:
    """Step by step beside runs that ended after one, two and three steps without averaging."""
    raw = [
        train(tmp_path / f"raw{n}", replace(CONFIG, max_steps=n, ema=0.0)).state_dict()
        for n in (1, 2, 3)
    ]
    averaged = train(tmp_path / "averaged", replace(CONFIG, max_steps=3, ema=0.22)).state_dict()
    for key, value in averaged.items():
        if not value.is_floating_point():
            assert torch.equal(value, raw[2][key])
            continue
        expected = raw[0][key]
        for kept, new in ((2 / 11, raw[1]), (0.22, raw[2])):  # 3/12 is above what was asked for
            expected = kept * expected + (1 - kept) * new[key]
        torch.testing.assert_close(value, expected, msg=key)
    assert not same_weights(
        train(tmp_path / "averaged", replace(CONFIG, max_steps=3, ema=0.22)),
        train(tmp_path / "raw3", replace(CONFIG, max_steps=3, ema=0.0)),
    )


def test_the_log_is_readable_while_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert progress._FLUSH_SECONDS <= 5
    monkeypatch.setattr(progress, "_FLUSH_SECONDS", 0)
    seen = []

    class Watched(Stripes):
        def sample(self, index: int, rng: toy_run.np.random.Generator) -> Sample:
            seen.append((self.drawn // 8, len(losses_of(tmp_path))))
            return super().sample(index, rng)

    train(tmp_path, source=Watched())
    assert seen[-1] == (11, 11)
    assert all(steps == lines for steps, lines in seen)


def test_what_the_log_says_is_written_for_tensorboard(tmp_path: Path) -> None:
    config = replace(CONFIG, tensorboard=True)
    with pytest.raises(OSError):
        train(tmp_path, config, Stripes(stop_after=24 + 1))
    train(tmp_path, config)
    files = sorted((tmp_path / "tensorboard").iterdir(), key=lambda path: path.stat().st_mtime)
    counts = [path.read_bytes().count(b"train/loss") for path in files]
    assert sum(counts) >= 12
    assert len(counts) == 2


def test_the_bar_is_drawn_only_when_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = replace(CONFIG, max_steps=1)
    fit(fresh_model(), Stripes(), toy_run.OBJECTIVE, config, tmp_path / "a", show=False)
    assert "training" not in capfd.readouterr().out
    fit(fresh_model(), Stripes(), toy_run.OBJECTIVE, config, tmp_path / "b", show=True)
    drawn = capfd.readouterr().out
    assert "1/1" in drawn
    assert re.search(r"\d+ img/s loss \d\.\d{3}", drawn)
