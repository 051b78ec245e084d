"""Validation during a training: the best weights win, plateaus and early stopping act on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from toy_run import CONFIG, OBJECTIVE, Stripes, fresh_model, losses_of

from smearlab.errors import UsageError
from smearlab.learn.train.checkpoints import result_weights
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.supervised import fit

LONG = replace(CONFIG, epochs=6, warmup_share=0.0, schedule="constant")


class Told:
    """A validation whose losses are told beforehand; keeps the weights that it was shown."""

    def __init__(self, *losses: float) -> None:
        self.losses, self.shown = list(losses), list[dict[str, Tensor]]()

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        assert not model.training
        assert not torch.is_grad_enabled()
        self.shown.append({key: value.clone() for key, value in model.state_dict().items()})
        return {"loss": self.losses[len(self.shown) - 1], "accuracy": 0.5}


def held_out(model: nn.Module) -> Mapping[str, float]:
    """The loss of samples that training does not draw."""
    drawn = [Stripes().sample(index, np.random.default_rng(900 + index)) for index in range(10)]
    batch = {
        name: torch.from_numpy(np.stack([one[name] for one in drawn]))
        for name in ("pixels", "target")
    }
    return {name: float(value) for name, value in OBJECTIVE(model, batch).items()}


def train(
    run: Path,
    validate: Callable[[nn.Module], Mapping[str, float]] | None,
    config: TrainConfig = LONG,
    source: Stripes | None = None,
) -> nn.Module:
    return fit(
        fresh_model(), source or Stripes(), OBJECTIVE, config, run, validate=validate, show=False
    )


def equal(weights: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    return weights.keys() == others.keys() and all(
        torch.equal(value, others[name]) for name, value in weights.items()
    )


def lines_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "validation.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_best_weights_are_the_result(ema: float, tmp_path: Path) -> None:
    told = Told(3.0, 1.0, 2.0, 1.5, 1.0, 1.2)
    model = train(tmp_path, told, replace(LONG, ema=ema))
    assert not model.training
    assert equal(model.state_dict(), told.shown[1])
    assert result_weights(tmp_path) == tmp_path / "best.safetensors"
    assert equal(load_file(tmp_path / "best.safetensors"), told.shown[1])
    assert equal(load_file(tmp_path / "model.safetensors"), told.shown[-1])
    assert lines_of(tmp_path)[1] == {
        "step": 6, "epoch": 2, "best": True, "loss": 1.0, "accuracy": 0.5
    }  # fmt: skip
    assert [line["best"] for line in lines_of(tmp_path)] == [True, True] + 4 * [False]
    standing = json.loads((tmp_path / "checkpoint.json").read_text())["standing"]
    assert (standing["best_epoch"], standing["best_loss"]) == (2, 1.0)

    finished = train(tmp_path, Told(), replace(LONG, ema=ema))
    assert equal(finished.state_dict(), told.shown[1]), "a finished run is not trained again"


def test_validation_changes_no_training(tmp_path: Path) -> None:
    train(tmp_path / "with", held_out)
    train(tmp_path / "without", None)
    logs = [(tmp_path / name / "log.jsonl").read_bytes() for name in ("with", "without")]
    assert logs[0] == logs[1]
    assert result_weights(tmp_path / "without") == tmp_path / "without" / "model.safetensors"
    last = [load_file(tmp_path / name / "model.safetensors") for name in ("with", "without")]
    assert equal(*last)


def test_training_ends_early(tmp_path: Path) -> None:
    config = replace(LONG, stop_patience=2, stop_min_delta=0.1)
    told = Told(1.0, 0.5, 0.45, 0.41)
    model = train(tmp_path, told, config)
    assert len(losses_of(tmp_path)) == 4 * 3
    assert equal(model.state_dict(), told.shown[3])
    again = train(tmp_path, Told(), config)
    assert equal(again.state_dict(), told.shown[3])


def test_the_rate_falls_on_a_plateau(tmp_path: Path) -> None:
    config = replace(LONG, schedule="plateau", plateau_factor=0.1, plateau_patience=2)
    train(tmp_path, Told(1.0, 1.0, 1.0, 0.5, 1.0, 1.0), config)
    rates = [json.loads(line)["lr"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rates == pytest.approx(9 * [0.01] + 9 * [0.001])


@pytest.mark.parametrize("stop_after", [24 * 2 + 5, 24 * 4 + 20])
@pytest.mark.parametrize("minutes", [0.0, 1e-9])
def test_an_interrupted_run_ends_the_same(tmp_path: Path, stop_after: int, minutes: float) -> None:
    """The loss rises soon, for the rate is high: best weights, rate and end follow from it."""
    config = replace(
        LONG, lr=0.1, schedule="plateau", plateau_patience=1, plateau_factor=0.5, stop_patience=3
    )
    train(tmp_path / "whole", held_out, config)
    lines = (tmp_path / "whole" / "log.jsonl").read_text().splitlines()
    assert len({json.loads(line)["lr"] for line in lines}) > 1, (
        "nothing is tested if the rate never falls"
    )
    run = tmp_path / "interrupted"
    with pytest.raises(OSError, match="the disk is gone"):
        often = replace(config, checkpoint_minutes=minutes)
        train(run, held_out, often, Stripes(stop_after=stop_after))
    train(run, held_out, config)
    for name in ("log.jsonl", "validation.jsonl", "best.safetensors", "model.safetensors"):
        assert (run / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.mark.parametrize(
    "config", [replace(LONG, schedule="plateau"), replace(LONG, stop_patience=1)]
)
def test_without_validation_nothing_can_follow_it(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="act on the validation loss: give validation data"):
        train(tmp_path / "run", None, config)
    assert not (tmp_path / "run").exists()


def test_validation_must_give_a_finite_loss(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="validate must give 'loss'; it gave accuracy"):
        train(tmp_path / "a", lambda model: {"accuracy": 1.0})
    with pytest.raises(FloatingPointError, match="validation loss nan after epoch 2"):
        train(tmp_path / "b", Told(1.0, float("nan")))
    assert json.loads((tmp_path / "b" / "checkpoint.json").read_text())["epoch"] == 1


def test_a_trial_is_validated_at_its_end(tmp_path: Path) -> None:
    told = Told(1.0, 2.0)
    model = train(tmp_path, told, replace(LONG, max_steps=2))
    assert equal(model.state_dict(), told.shown[0])
    assert len(told.shown) == 1
