"""A training that diverges stops, says so, and spoils no checkpoint."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import toy_run
from safetensors.torch import load_file
from torch import Tensor, nn
from toy_run import CONFIG, Stripes, fresh_model, train

from smearlab.learn.train.sampling import samples_of_step
from smearlab.learn.train.supervised import fit


def nan_loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    losses = dict(toy_run.OBJECTIVE(model, batch))
    return {"loss": losses["loss"] * math.nan, "accuracy": losses["accuracy"]}


def steep_loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Finite, but its gradient is not: √x at 0."""
    x = (batch["pixels"].permute(0, 3, 1, 2) / 255).float()
    return {"loss": (model(x) * 0).abs().sqrt().sum()}


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (nan_loss, r"training diverged: \{'loss': nan, 'accuracy': .*lower train.lr \(0.01\)"),
        (steep_loss, r"training diverged: gradient norm (nan|inf) at \{'loss': 0.0\}"),
    ],
)
def test_a_run_that_diverges_stops_and_says_so(
    objective: toy_run.Objective, message: str, tmp_path: Path
) -> None:
    model = fresh_model()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(FloatingPointError, match=f"{message}.*has no checkpoint yet"):
        fit(model, Stripes(), objective, CONFIG, tmp_path, show=False)
    assert not (tmp_path / "model.safetensors").exists()
    trained = dict(model.named_parameters())
    assert all(torch.equal(before[name], value) for name, value in trained.items())


class Brittle(nn.Module):
    """Has no gradient where bf16 is computed with, as kernels of some processors now and then."""

    def __init__(self, body: nn.Module, broken: bool) -> None:
        super().__init__()
        self.body, self.broken = body, broken

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            y: Tensor = self.body(x.float())
        return y * (math.nan if self.broken and self.training else 1.0)


class Watched(Brittle):
    """The same, by whether it was called in bf16."""

    def forward(self, x: Tensor) -> Tensor:
        self.broken = torch.is_autocast_enabled("cpu")
        return super().forward(x)


def test_what_bf16_cannot_do_32_bits_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mixed = replace(CONFIG, precision="bf16-mixed", max_steps=2)
    fit(Watched(fresh_model(), True), Stripes(), toy_run.OBJECTIVE, mixed, tmp_path, show=False)
    said = [one.message for one in caplog.records if "again in 32 bits" in one.message]
    assert [one.split(":")[0] for one in said] == ["step 1 in bf16", "step 2 in bf16"]
    assert "'loss': nan" in said[0]
    losses = [
        json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()
    ]
    assert len(losses) == 2 and all(map(math.isfinite, losses))


def test_what_32_bits_cannot_do_either_has_diverged(tmp_path: Path) -> None:
    mixed = replace(CONFIG, precision="bf16-mixed", max_steps=2)
    with pytest.raises(FloatingPointError, match=r"training diverged: \{'loss': nan.* in step 1"):
        fit(Brittle(fresh_model(), True), Stripes(), toy_run.OBJECTIVE, mixed, tmp_path, show=False)


class Named(Stripes):
    """Stripes that have names."""

    def describe(self, index: int) -> str:
        return f"stripe-{index}.png"


def test_a_loss_that_is_no_number_names_its_samples_and_keeps_the_checkpoint(
    tmp_path: Path,
) -> None:
    """One sample spoils the first batch that it is in, in the second epoch."""
    spoilt = samples_of_step(toy_run.SAMPLES, CONFIG, 4)
    steps = 0

    def objective(model: nn.Module, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        nonlocal steps
        steps += 1
        return (nan_loss if steps == 5 else toy_run.OBJECTIVE)(model, batch)

    names = ", ".join(f"stripe-{index}.png" for index in spoilt)
    with pytest.raises(
        FloatingPointError, match=rf"in step 5, epoch 2; .* look at its samples: {names}\. The last"
    ):
        fit(fresh_model(), Named(), objective, CONFIG, tmp_path, show=False)
    assert json.loads((tmp_path / "checkpoint.json").read_text())["step"] == 3
    weights = load_file(tmp_path / "model.safetensors")
    assert all(bool(torch.isfinite(value).all()) for value in weights.values())
    train(tmp_path / "same", replace(CONFIG, max_steps=3))
    same = load_file(tmp_path / "same" / "model.safetensors")
    assert all(torch.equal(weights[name], value) for name, value in same.items())


def test_weights_that_are_no_numbers_never_replace_a_checkpoint(tmp_path: Path) -> None:
    """The last step of the second epoch has a finite loss, and a gradient nobody looks at."""
    config, steps = replace(CONFIG, clip_norm=0.0), 0

    def objective(model: nn.Module, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        nonlocal steps
        steps += 1
        return (steep_loss if steps == 6 else toy_run.OBJECTIVE)(model, batch)

    with pytest.raises(
        FloatingPointError,
        match=r"\S+ is not finite after step 6; lower train.lr \(0.01\), or set train.clip_norm",
    ):
        fit(fresh_model(), Stripes(), objective, config, tmp_path, show=False)
    assert json.loads((tmp_path / "checkpoint.json").read_text())["step"] == 3
    train(tmp_path / "same", replace(config, max_steps=3))
    for name in ("model", "checkpoint"):
        kept, same = (
            load_file(run / f"{name}.safetensors") for run in (tmp_path, tmp_path / "same")
        )
        assert all(torch.equal(kept[key], value) for key, value in same.items())
