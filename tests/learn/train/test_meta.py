"""The meta loop: its outer step beside one written down, resuming, what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from toy_game import Negatives, fresh_game

from smearlab.errors import DataError, RunError, UnknownNameError, UsageError
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.checkpoints import load_networks
from smearlab.learn.train.episodes import Episodes, Inner, MetaConfig
from smearlab.learn.train.game import Batch, Game, Judgement
from smearlab.learn.train.meta import fit_meta
from smearlab.learn.train.sampling import Sample


class Point(nn.Module):
    """A number that learns."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value]))


def value_of(point: nn.Module) -> float:
    """What it has learnt."""
    return float(next(point.parameters()).detach())


class Valley(Game):
    """The generator's loss is (θ − a)² with a of the task; ψ follows from the Wasserstein loss."""

    def __init__(self) -> None:
        self.theta, self.psi = Point(0.0), Point(0.0)
        super().__init__(self.theta, self.psi, weights={"adversarial": 0.0, "valley": 1.0})

    def real(self, batch: Batch) -> Tensor:
        return batch["at"].float()

    def generate(self, batch: Batch) -> Tensor:
        return self.theta.value.expand(len(batch["at"]), 1)

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        return Judgement(pictures * self.psi.value)

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        return {"valley": (fake - batch["at"].float()).square().mean()}


class At:
    """A task: its samples all lie at one place."""

    def __init__(self, at: float, samples: int = 5, stop_after: int | None = None) -> None:
        self.at, self.samples, self.left = at, samples, stop_after

    def __len__(self) -> int:
        return self.samples

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        if self.left == 0:
            raise OSError("the disk is gone")
        self.left = None if self.left is None else self.left - 1
        return {"at": np.array([self.at], np.float32)}

    def describe(self, index: int) -> str:
        return f"file {index}"


INNER = AdversarialConfig(
    epochs=1, batch_size=2, loss="wasserstein", lr_generator=0.1, lr_critic=0.05
)
TASKS = {"left": At(-1.0), "right": At(3.0)}


class Adapting:
    """Inner loops of both networks, as anybody would write them down."""

    def __init__(self, inner: Inner) -> None:
        self.inner = inner
        self.t, self.p = (torch.zeros(1, requires_grad=True) for _ in range(2))
        self.begin()

    def begin(self) -> None:
        """Take fresh Adam."""
        self.critic = torch.optim.Adam([self.p], lr=0.05, betas=(0.5, 0.999))
        self.generator = torch.optim.Adam([self.t], lr=0.1, betas=(0.5, 0.999))

    def adapted(self, theta: float, psi: float, at: float, steps: int) -> tuple[float, float]:
        """W of both."""
        if self.inner == "fresh":
            self.begin()
        t, p = self.t, self.p
        nn.init.constant_(t, theta)
        nn.init.constant_(p, psi)
        for _ in range(steps):
            self.critic.zero_grad()
            (p * t.detach() - p * at).sum().backward()
            self.critic.step()
            self.generator.zero_grad()
            (t - at).square().sum().backward()
            self.generator.step()
        return float(t.detach()), float(p.detach())


@pytest.mark.parametrize("inner", ["kept", "fresh"])
def test_the_outer_step_goes_part_of_the_way_to_the_adapted_weights(
    inner: Inner, tmp_path: Path
) -> None:
    meta = MetaConfig(shots=4, inner_steps=3, inner=inner, lr_outer=0.25, round_episodes=6)
    config = replace(INNER, schedule="linear")
    game, loops = Valley(), Adapting(inner)
    fit_meta(game, TASKS, config, meta, tmp_path, show=False)
    episodes, theta, psi, moved = Episodes(TASKS, meta, config), 0.0, 0.0, []
    for episode in range(6):
        at = TASKS[episodes.task(episode)[0]].at
        w_theta, w_psi = loops.adapted(theta, psi, at, 3)
        rate = 0.25 * (1 - episode / 6)
        length = max((theta**2 + psi**2) ** 0.5, 1e-12)
        moved.append(((w_theta - theta) ** 2 + (w_psi - psi) ** 2) ** 0.5 / length)
        theta, psi = theta + rate * (w_theta - theta), psi + rate * (w_psi - psi)
    assert value_of(game.generator) == pytest.approx(theta, rel=1e-4)
    assert value_of(game.critic) == pytest.approx(psi, rel=1e-4)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["moved"] for line in lines[1:]] == pytest.approx(moved[1:], rel=1e-3)
    assert lines[3]["lr_outer"] == pytest.approx(0.125)
    assert lines[3]["lr_generator"] == 0.1
    assert json.loads((tmp_path / "config.json").read_text())["asked"]["tasks"] == ["left", "right"]


def test_adam_takes_the_way_back_as_its_gradient(tmp_path: Path) -> None:
    """Its first step has the length of the rate, whatever the way; towards the task."""
    meta = MetaConfig(shots=2, inner_steps=2, outer="adam", lr_outer=0.01, round_episodes=1)
    game = Valley()
    fit_meta(game, {"right": At(3.0)}, INNER, meta, tmp_path, show=False)
    assert value_of(game.generator) == pytest.approx(0.01, rel=1e-4)
    assert value_of(game.critic) == pytest.approx(0.01, rel=1e-4)


#: All that could make a resumed run differ: Adam outside, chance, batch norm and spectral norm.
CONFIG = AdversarialConfig(
    epochs=2, batch_size=2, critic_steps=2, penalty="interpolates", penalty_every=3, ema=0.9,
    lr_generator=0.01, lr_critic=0.01, schedule="linear", seed=5, watch_steps=2,
)  # fmt: skip
META = MetaConfig(
    shots=3, inner_steps=2, outer="adam", lr_outer=0.01, betas_outer=(0.5, 0.9), round_episodes=3
)


def play(run: Path, stop_after: int | None = None, workers: int = 0, inner: Inner = "kept") -> None:
    tasks = {"one": Negatives(), "two": Negatives(stop_after)}
    config, meta = replace(CONFIG, workers=workers), replace(META, inner=inner)
    fit_meta(fresh_game(), tasks, config, meta, run, show=False)


@pytest.mark.parametrize(("inner", "stop_after"), [("kept", 3), ("kept", 20), ("fresh", 20)])
def test_a_resumed_run_ends_as_an_uninterrupted_one(
    inner: Inner, stop_after: int, tmp_path: Path
) -> None:
    play(tmp_path / "whole", inner=inner)
    with pytest.raises(OSError, match="the disk is gone"):
        play(tmp_path / "cut", stop_after, inner=inner)
    play(tmp_path / "cut", inner=inner)
    for name in ("model.safetensors", "log.jsonl", "losses.json"):
        whole, cut = ((tmp_path / run / name).read_bytes() for run in ("whole", "cut"))
        assert whole == cut, name
    whole, cut = (load_file(tmp_path / run / "checkpoint.safetensors") for run in ("whole", "cut"))
    assert whole.keys() == cut.keys()
    assert all(torch.equal(value, cut[name]) for name, value in whole.items())
    kept = {name.partition("/")[0] for name in whole}
    inner_adam = {"adam_generator", "adam_critic"} if inner == "kept" else set()
    assert kept == {"generator", "critic", "averaged", "adam_outer"} | inner_adam


def test_workers_draw_the_same(tmp_path: Path) -> None:
    play(tmp_path / "here")
    play(tmp_path / "there", workers=1)
    here, there = ((tmp_path / run / "log.jsonl").read_bytes() for run in ("here", "there"))
    assert here == there


def test_meta_weights_are_taken_over(tmp_path: Path) -> None:
    play(tmp_path)
    game, other = fresh_game(), fresh_game()
    load_networks(tmp_path, game.networks)
    kept = load_file(tmp_path / "checkpoint.safetensors")
    for name, network in game.networks.items():
        for key, value in network.state_dict().items():
            assert torch.equal(value, kept[f"{name}/{key}"])
    some = game.critic.state_dict()
    assert any(not torch.equal(v, some[k]) for k, v in other.critic.state_dict().items())
    with pytest.raises(UsageError, match=r"is of another network: generator/"):
        load_networks(tmp_path, Valley().networks)
    with pytest.raises(RunError, match="has no checkpoint to begin with"):
        load_networks(tmp_path / "nowhere", game.networks)


def test_an_episode_shows_every_shot_as_often() -> None:
    config = replace(INNER, batch_size=2)
    episodes = Episodes({"a": At(0, 20)}, MetaConfig(shots=4, inner_steps=4), config)
    first = [episodes.describe(item) for item in range(episodes.samples)]
    assert sorted(first) == sorted(2 * [f"a: file {shot}" for shot in episodes.task(0)[1]])
    assert len(set(episodes.task(0)[1])) == 4
    assert episodes.task(0) != episodes.task(1)
    other = Episodes({"a": At(0, 20)}, MetaConfig(shots=4), replace(config, seed=1))
    assert other.task(0) != episodes.task(0)


def test_a_class_with_fewer_pictures_than_shots_is_named(tmp_path: Path) -> None:
    tasks = {"left": At(0.0), "smudge cell": At(1.0, samples=3)}
    meta = MetaConfig(shots=4)
    said = r"smudge cell has 3 pictures, fewer than the 4 shots of an episode: take fewer shots"
    with pytest.raises(DataError, match=said):
        fit_meta(Valley(), tasks, INNER, meta, tmp_path / "run", show=False)
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="meta-training needs tasks"):
        Episodes({}, meta, INNER)


def test_divergence_names_episode_task_and_shots(tmp_path: Path) -> None:
    meta = MetaConfig(shots=1, inner_steps=2, round_episodes=3)
    said = r"in episode 1 on far; lower lr_generator \(0.1\).*its shots: file \d"
    with pytest.raises(FloatingPointError, match=said):
        fit_meta(Valley(), {"far": At(float("inf"))}, INNER, meta, tmp_path, show=False)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"shots": 0}, UsageError, "shots must be at least 1; received 0"),
        ({"inner_steps": 0}, UsageError, "inner_steps must be at least 1; received 0"),
        ({"outer": "adamm"}, UnknownNameError, "unknown outer step 'adamm'; did you mean 'adam'"),
        ({"lr_outer": 1.5}, UsageError, r"lr_outer must lie within \(0, 1\]"),
        ({"lr_outer": 0.0}, UsageError, r"lr_outer must lie within \(0, 1\]"),
        ({"inner": "adam"}, UnknownNameError, "unknown state of inner Adam 'adam'"),
        ({"betas_outer": (0.0, 1.0)}, UsageError, r"betas_outer must be two numbers"),
    ],
)
def test_impossible_settings_are_refused(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        MetaConfig(**given)
