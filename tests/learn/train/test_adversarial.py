"""The adversarial loop: each step beside a bare one, resuming, what it writes and refuses."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toy_game
from safetensors.torch import load_file
from torch import Tensor, nn
from toy_game import (
    CONFIG,
    DIRAC,
    ZEROS,
    Negatives,
    PointGame,
    Points,
    dirac_game,
    fresh_game,
    lines_of,
    plain_game,
    play,
)

from smearlab.errors import UsageError
from smearlab.learn.losses.adversarial import ADVERSARIAL_LOSSES
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.game import Batch, Judgement

FILES = {
    "config.json",
    "log.jsonl",
    "losses.json",
    "checkpoint.json",
    "checkpoint.safetensors",
    "model.safetensors",
}
FOUR_ZEROS = Points(np.zeros((4, 1)))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twelve steps that nothing disturbed."""
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    play(run)
    return run


def assert_same_end(run: Path, other: Path) -> None:
    """The same bytes of weights and losses; nothing left behind."""
    for name in ("model.safetensors", "log.jsonl", "losses.json"):
        assert (run / name).read_bytes() == (other / name).read_bytes(), name
    ours, theirs = (load_file(path / "checkpoint.safetensors") for path in (run, other))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert {path.name for path in run.iterdir()} == FILES


def bare_dirac(steps: int, config: AdversarialConfig) -> list[tuple[float, float]]:
    """θ and ψ of the Dirac-GAN after each step, as anybody would write it down."""
    theta, psi = torch.tensor([1.0]), torch.tensor([0.5])
    adam = [
        torch.optim.Adam([p.requires_grad_(True)], lr=lr, betas=(0.5, 0.999))
        for p, lr in ((theta, config.lr_generator), (psi, config.lr_critic))
    ]
    sigmoid = torch.nn.functional.softplus
    after = []
    for _ in range(steps):
        # The critic pays log(1 + e^0) for what is real and log(1 + e^{ψθ}) for what is generated.
        of_critic = torch.autograd.grad(sigmoid(psi * theta.detach()), psi)
        if config.penalty == "r1":  # ψ² is the square of its slope
            of_critic = (of_critic[0] + 2 * config.penalty_weight * psi.detach(),)
        psi.grad = of_critic[0].detach()
        if config.steps == "alternating":
            adam[1].step()
        theta.grad = torch.autograd.grad(sigmoid(-psi.detach() * theta), theta)[0]
        if config.steps == "simultaneous":
            adam[1].step()
        adam[0].step()
        after.append((float(theta.detach()), float(psi.detach())))
    return after


@pytest.mark.parametrize("steps", ["alternating", "simultaneous"])
@pytest.mark.parametrize("penalty", ["none", "r1"])
def test_each_step_is_that_of_a_bare_loop(steps: Any, penalty: Any, tmp_path: Path) -> None:
    config = replace(DIRAC, steps=steps, penalty=penalty, penalty_weight=0.3, max_steps=25)
    game = dirac_game()
    fit_adversarial(game, ZEROS, config, tmp_path, show=False)
    theta, psi = bare_dirac(25, config)[-1]
    assert float(game.generator.theta.detach()) == pytest.approx(theta, rel=1e-4)
    assert float(game.critic.weight.detach()) == pytest.approx(psi, rel=1e-4)
    other = replace(config, steps="simultaneous" if steps == "alternating" else "alternating")
    assert bare_dirac(25, other)[-1] != pytest.approx((theta, psi), rel=1e-3)


def test_a_penalised_game_finds_its_equilibrium(tmp_path: Path) -> None:
    """Both parameters of the Dirac-GAN end at 0 with R1, and go round without (Mescheder 2018)."""
    slow = {"betas_generator": (0.0, 0.9), "betas_critic": (0.0, 0.9), "schedule": "linear"}
    config = replace(DIRAC, epochs=12, penalty="r1", penalty_weight=0.5, watch_steps=1000, **slow)
    game = dirac_game()
    fit_adversarial(game, ZEROS, config, tmp_path / "r1", show=False)
    assert abs(float(game.generator.theta.detach())) < 0.05
    assert abs(float(game.critic.weight.detach())) < 0.05
    last = lines_of(tmp_path / "r1")[-1]
    assert last["critic"] == pytest.approx(2 * math.log(2), abs=1e-3)
    assert last["adversarial"] == pytest.approx(math.log(2), abs=1e-3)


def test_the_line_of_a_step_is_what_the_networks_say(tmp_path: Path) -> None:
    """The first step, before anything has moved, beside the losses by hand."""
    config = AdversarialConfig(batch_size=2, max_steps=1, steps="simultaneous", seed=3)
    fit_adversarial(plain_game(), Negatives(), config, tmp_path, show=False)
    (line,) = lines_of(tmp_path)
    order = np.random.default_rng([3, 0]).permutation(toy_game.SAMPLES)
    drawn = [Negatives().sample(int(order[n]), np.random.default_rng([3, 0, n])) for n in range(2)]
    pixels, target = (
        torch.from_numpy(np.stack([one[key] for one in drawn])).permute(0, 3, 1, 2) / 255
        for key in ("pixels", "target")
    )
    game = plain_game()
    fake = game.generator(pixels).detach().requires_grad_(True)
    real_logits, fake_logits = game.critic(pixels, target), game.critic(pixels, fake)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    on_real = bce(real_logits, torch.ones_like(real_logits))
    on_fake = bce(fake_logits, torch.zeros_like(fake_logits))
    adversarial, l1 = bce(fake_logits, torch.ones_like(fake_logits)), (fake - target).abs().mean()
    slopes = torch.autograd.grad(adversarial, fake)[0].flatten(1).norm(dim=1)
    way = (fake - target).flatten(1).norm(dim=1)
    expected = {
        "critic_real": on_real,
        "critic_fake": on_fake,
        "critic": on_real + on_fake,
        "critic_total": on_real + on_fake,
        "adversarial": adversarial,
        "l1": l1,
        "total": adversarial + 10 * l1,
        "accuracy_real": (real_logits > 0).float().mean(),
        "accuracy_fake": (fake_logits < 0).float().mean(),
        "pull": (slopes * way).sum(),
        "spread_real": (target[0] - target[1]).square().mean().sqrt(),
        "spread_fake": (fake[0] - fake[1]).square().mean().sqrt(),
    }
    for name, value in expected.items():
        assert line[name] == pytest.approx(float(value.detach()), rel=1e-4), name
    rates = {"lr_generator": 2e-4, "lr_critic": 2e-4}
    assert line.keys() == expected.keys() | rates.keys() | {"step", "epoch"}
    assert {name: line[name] for name in rates} == rates


def test_critic_steps_take_batches_of_their_own(tmp_path: Path) -> None:
    config = replace(CONFIG, epochs=1)
    source = Negatives()
    play(tmp_path, config, source)
    assert len(lines_of(tmp_path)) == toy_game.SAMPLES // 4
    assert source.drawn == 12
    steps = load_file(tmp_path / "checkpoint.safetensors")
    assert float(steps["adam_critic/0/step"]) == 6
    assert float(steps["adam_generator/0/step"]) == 3


def test_a_lazy_penalty_is_as_heavy_on_the_whole(tmp_path: Path) -> None:
    """In every third update of the critic, three times as heavy; other steps have none."""
    config = replace(CONFIG, critic_steps=1, max_steps=4)
    play(tmp_path, config)
    lines = lines_of(tmp_path)
    assert [("penalty" in line) for line in lines] == [True, False, False, True]
    for line in lines:
        total = line["critic"] + 3 * 1.0 * line.get("penalty", 0)
        assert line["critic_total"] == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_every_loss_in_every_arithmetic(loss: str, precision: Any, tmp_path: Path) -> None:
    config = replace(CONFIG, loss=loss, max_steps=2, precision=precision, clip_norm=1.0)
    play(tmp_path, config)
    assert len(lines_of(tmp_path)) == 2
    weights = load_file(tmp_path / "model.safetensors").values()
    assert all(value.dtype != torch.bfloat16 for value in weights)


def test_the_l1_loss_falls(tmp_path: Path) -> None:
    toy_game.play_plain(tmp_path, epochs=40, watch_steps=1000)
    l1 = [line["l1"] for line in lines_of(tmp_path)]
    assert sum(l1[-9:]) < 0.5 * sum(l1[:9])


@pytest.mark.parametrize("stop_after", [3, 14, 12 * 3 + 1])
def test_a_run_that_failed_goes_on_to_the_same_end(
    uninterrupted: Path, tmp_path: Path, stop_after: int
) -> None:
    run = tmp_path / "run"
    with pytest.raises(OSError, match="the disk is gone"):
        play(run, source=Negatives(stop_after=stop_after))
    source = Negatives()
    play(run, source=source)
    assert_same_end(run, uninterrupted)
    assert source.drawn == 12 * (4 - stop_after // 12), "finished epochs are not done again"


@pytest.mark.parametrize("minutes", ["0", "1e-9"])
def test_a_killed_run_goes_on_to_the_same_end(
    uninterrupted: Path, tmp_path: Path, minutes: str
) -> None:
    """A real process, really killed, at a random moment; then another one goes on."""
    run = tmp_path / "run"
    command = [sys.executable, str(Path(toy_game.__file__)), str(run), minutes]
    moment = random.SystemRandom().randrange(1, 4 * 12 - 1)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(moment):
            assert process.stdout.readline() == "sample\n"
        time.sleep(random.SystemRandom().uniform(0, 0.01))
        process.kill()
    assert process.returncode != 0, "the run was over before it was killed"
    play(run)
    assert_same_end(run, uninterrupted)


def test_power_iterations_and_both_optimisers_are_kept(uninterrupted: Path) -> None:
    names = load_file(uninterrupted / "checkpoint.safetensors").keys()
    assert sum(name.endswith("._u") for name in names) == 2
    assert {name.partition("/")[0] for name in names} == {
        "generator", "critic", "averaged", "adam_generator", "adam_critic",
    }  # fmt: skip


def test_a_finished_run_is_not_touched(uninterrupted: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in uninterrupted.iterdir()}
    source = Negatives()
    generator = play(uninterrupted, source=source)
    assert source.drawn == 0
    assert {path.name: path.stat().st_mtime_ns for path in uninterrupted.iterdir()} == before
    stored = load_file(uninterrupted / "model.safetensors")
    assert stored.keys() == fresh_game().generator.state_dict().keys()
    assert all(torch.equal(stored[key], value) for key, value in generator.state_dict().items())
    assert not generator.training


def test_other_settings_and_networks_are_refused(uninterrupted: Path) -> None:
    with pytest.raises(UsageError, match=r"train.loss was 'bce' and is 'hinge'; train.steps was"):
        play(uninterrupted, replace(CONFIG, loss="hinge", steps="simultaneous"))
    with pytest.raises(UsageError, match=r"another network: generator/\S+ is"):
        fit_adversarial(plain_game(), Negatives(), CONFIG, uninterrupted, show=False)


def test_the_best_epoch_is_the_result(tmp_path: Path) -> None:
    """Of the second of three validations: every second epoch has one, and the last."""
    seen: list[dict[str, Tensor]] = []
    losses = iter([3.0, 1.0, 2.0])

    def validate(generator: nn.Module) -> dict[str, float]:
        assert not generator.training
        seen.append({key: value.clone() for key, value in generator.state_dict().items()})
        return {"loss": next(losses), "dice": 0.5}

    config = replace(CONFIG, epochs=5, validate_every=2)
    generator = play(tmp_path, config, validate=validate)
    lines = lines_of(tmp_path, "validation.jsonl")
    best = [(line["epoch"], line["best"]) for line in lines]
    assert best == [(2, True), (4, True), (5, False)]
    assert all(torch.equal(seen[1][key], value) for key, value in generator.state_dict().items())


def test_the_best_epoch_outlives_an_interruption(tmp_path: Path) -> None:
    losses = iter([1.0, 2.0, 3.0, 4.0, 5.0])

    def validate(generator: nn.Module) -> dict[str, float]:
        return {"loss": next(losses)}

    with pytest.raises(OSError):
        play(tmp_path, source=Negatives(stop_after=2 * 12 + 1), validate=validate)
    best = (tmp_path / "best.safetensors").read_bytes()
    play(tmp_path, validate=validate)
    assert (tmp_path / "best.safetensors").read_bytes() == best
    lines = lines_of(tmp_path, "validation.jsonl")
    assert [line["best"] for line in lines] == [True, False, False, False]
    assert json.loads((tmp_path / "checkpoint.json").read_text())["standing"]["best_epoch"] == 1


def test_the_bar_tells_speed_and_both_sides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(DIRAC, max_steps=2)
    fit_adversarial(dirac_game(), ZEROS, config, tmp_path, show=True)
    told = capsys.readouterr().out
    assert "2/2" in told
    assert "img/s critic 1." in told and "total 0." in told


def test_without_a_loss_the_last_epoch_is_the_result(tmp_path: Path) -> None:
    play(tmp_path, replace(CONFIG, epochs=2), validate=lambda generator: {"dice": 0.5})
    assert not (tmp_path / "best.safetensors").exists()
    lines = lines_of(tmp_path, "validation.jsonl")
    assert [line["dice"] for line in lines] == [0.5, 0.5]
    with pytest.raises(FloatingPointError, match="validation loss nan after epoch 1"):
        play(tmp_path / "nan", validate=lambda generator: {"loss": math.nan})


def test_what_the_log_says_is_written_for_tensorboard(tmp_path: Path) -> None:
    play(tmp_path, replace(CONFIG, max_steps=2, tensorboard=True))
    (file,) = (tmp_path / "tensorboard").iterdir()
    written = file.read_bytes()
    tags = (b"train/l1", b"lr_critic", b"train/penalty")
    assert [written.count(tag) for tag in tags] == [2, 2, 2]


class Spoilt(PointGame):
    """A game whose losses are what they are told to be."""

    def __init__(self, values: list[float], critic: bool = False) -> None:
        dirac = dirac_game()
        super().__init__(dirac.generator, dirac.critic)
        self.values, self.of_critic = values, critic

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        return {} if self.of_critic else {"told": fake.mean() * 0 + self.values.pop(0)}

    def critic_losses(self, batch: Batch, real: Judgement, fake: Judgement) -> dict[str, Tensor]:
        return {"told": fake.logits.mean() * 0 + self.values.pop(0)} if self.of_critic else {}


@pytest.mark.parametrize("critic", [False, True])
def test_a_loss_that_is_no_number_ends_the_run(critic: bool, tmp_path: Path) -> None:
    side = "critic" if critic else "generator"
    with pytest.raises(
        FloatingPointError,
        match=rf"diverged: losses of the {side} are .*nan.* in step 2, epoch 2; lower lr_generator "
        r"\(0.02\) and lr_critic \(0.03\), or look at its samples: .* The last checkpoint",
    ):
        fit_adversarial(Spoilt([0, math.nan], critic), FOUR_ZEROS, DIRAC, tmp_path, show=False)
    assert len(lines_of(tmp_path)) == 1
    assert json.loads((tmp_path / "checkpoint.json").read_text())["step"] == 1


def test_a_loss_that_stays_beyond_all_bounds_ends_the_run(tmp_path: Path) -> None:
    """One spike does not; ten in a row do."""
    values = [0, 2e5, *[0.0] * 5, *[3e5] * 11]
    with pytest.raises(
        FloatingPointError,
        match=r"the loss total is 300000\.\d+ and was beyond loss_limit \(100000.0\) for ten steps "
        "in step 17",
    ):
        fit_adversarial(Spoilt(values), ZEROS, DIRAC, tmp_path, show=False)
    assert len(lines_of(tmp_path)) == 17


def test_the_average_is_that_of_the_generators_weights(tmp_path: Path) -> None:
    raw = []
    for n in (1, 2):
        game = dirac_game()
        fit_adversarial(game, ZEROS, replace(DIRAC, max_steps=n), tmp_path / str(n), show=False)
        raw.append(float(game.generator.theta.detach()))
    averaged = fit_adversarial(
        dirac_game(), ZEROS, replace(DIRAC, max_steps=2, ema=0.1), tmp_path / "ema", show=False
    )
    expected = 0.1 * raw[0] + 0.9 * raw[1]
    assert float(averaged.theta.detach()) == pytest.approx(expected, rel=1e-6)
