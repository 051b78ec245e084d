"""What is told from the steps of a game: known answers, and one game that really collapses."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toy_game import PointGame, Points, dirac_game, lines_of

from smearlab.errors import RunError
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.adversarial_watch import (
    FINDINGS,
    GameWarning,
    Watch,
    critic_accuracy,
    critic_verdict,
    diversity,
    exploded,
    likeness,
    pull,
    spread,
)
from smearlab.learn.train.loss_table import loss_table, write_loss_table

ANALYTIC = torch.tensor([3.0, 1.0, -1.0, 0.2])


def test_accuracy_by_hand() -> None:
    real, fake = critic_accuracy(ANALYTIC, torch.tensor([-2.0, 0.1]), 0.0)
    assert (float(real), float(fake)) == (0.75, 0.5)
    real, fake = critic_accuracy(ANALYTIC, torch.tensor([-2.0, 0.1]), 0.5)
    assert (float(real), float(fake)) == (0.5, 1.0)


def test_accuracy_of_pairs_is_counted_one_by_one() -> None:
    rng = torch.Generator().manual_seed(0)
    real = torch.randint(0, 6, (3, 1, 5, 5), generator=rng).float()
    fake = torch.randint(0, 6, (2, 1, 5, 5), generator=rng).float()
    pairs = [
        1.0 if r > f else 0.5 if r == f else 0.0
        for r in real.flatten().tolist()
        for f in fake.flatten().tolist()
    ]
    for share in critic_accuracy(real, fake, None):
        assert float(share) == pytest.approx(sum(pairs) / len(pairs))


def test_pull_is_slope_times_distance() -> None:
    """Loss −mean ⟨w, x⟩: each of n pictures has the slope w / n."""
    w = torch.tensor([3.0, 4.0])
    fake, real = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    assert float(pull(-w.expand(2, 2) / 2, fake, real)) == pytest.approx(5 / 2 * 2)


def test_spread_by_hand() -> None:
    pictures = torch.zeros(3, 3, 4, 4)
    pictures[1] = 0.5
    pictures[2] = 1
    assert float(spread(pictures)) == pytest.approx((0.5 + 1 + 0.5) / 3)
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert float(spread(points)) == pytest.approx(5 / math.sqrt(2))


def test_large_pictures_are_shrunk_first() -> None:
    """Blocks of 4×4 are of one value, so shrinking 64×64 to 16×16 loses nothing."""
    small = torch.rand(4, 3, 16, 16)
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    torch.testing.assert_close(spread(large), spread(small))


def test_a_batch_of_one_has_levels() -> None:
    figures = diversity(torch.full((1, 3, 2, 2), 0.25), torch.full((1, 3, 2, 2), 0.75))
    assert {name: float(value) for name, value in figures.items()} == {
        "level_real": 0.25,
        "level_fake": 0.75,
    }


def test_likeness_by_hand() -> None:
    lines = [{"spread_real": 1.0, "spread_fake": 0.2}, {"spread_real": 3.0, "spread_fake": 0.4}]
    assert likeness(lines) == pytest.approx(0.15)
    levels = [{"level_real": 0.2, "level_fake": 0.5}, {"level_real": 0.6, "level_fake": 0.51}]
    assert likeness(levels) == pytest.approx(0.025)
    assert math.isnan(likeness([{"spread_real": 0.0, "spread_fake": 0.0}]))
    assert math.isnan(likeness([{"total": 1.0}]))


@pytest.mark.parametrize(
    ("real", "fake", "pulled", "verdict"),
    [
        (1.0, 1.0, 1e-5, "critic_won"),
        (1.0, 1.0, 0.5, None),  # the generator still learns
        (0.9, 1.0, 1e-5, None),
        (1.0, 0.0, 1e-5, "critic_lost"),
        (0.0, 1.0, 1e-5, "critic_lost"),
        (0.5, 0.5, 1e-5, None),  # an equilibrium
        (0.0, 0.0, 1e-5, "critic_lost"),
        (1.0, 0.0, 0.5, None),
    ],
)
def test_verdicts(real: float, fake: float, pulled: float, verdict: str | None) -> None:
    line = {"accuracy_real": real, "accuracy_fake": fake, "pull": pulled}
    assert critic_verdict([line] * 5) == verdict
    assert (
        critic_verdict([line] * 4 + [{**line, "accuracy_real": 0.5, "accuracy_fake": 0.5}]) is None
    )
    assert critic_verdict([]) is None
    assert critic_verdict([{"total": 1.0}]) is None


def test_only_ten_in_a_row_explode() -> None:
    assert exploded([1, *[-3.0] * 10], 2.5)
    assert not exploded([*[3.0] * 9], 2.5)
    assert not exploded([*[3.0] * 5, 1, *[3.0] * 9], 2.5)


def test_the_watch_waits_for_two_windows_and_tells_until_it_is_over() -> None:
    alike = {"spread_real": 1.0, "spread_fake": 0.0}
    watch = Watch(5)
    found = [watch.add({"step": n, **alike}) for n in range(1, 15)]
    assert found == [[]] * 9 + [["mode_collapse"]] * 5
    other = {"spread_real": 1.0, "spread_fake": 1.0}
    assert watch.add({"step": 15, **other}) == []


def test_a_watch_that_takes_over_finds_the_same() -> None:
    rng = random.Random(0)
    lines = [
        {
            "step": n,
            "spread_real": 1.0,
            "spread_fake": rng.choice([0.0, 0.3]),
            "accuracy_real": 1.0,
            "accuracy_fake": 1.0,
            "pull": rng.choice([0.0, 1.0]),
        }
        for n in range(1, 200)
    ]
    whole = Watch(3)
    found = [whole.add(line) for line in lines]
    assert {kind for one in found for kind in one} == {"mode_collapse", "critic_won"}
    later = Watch(3, lines[:100])
    assert [later.add(line) for line in lines[100:]] == found[100:]


def ring(n: int = 512) -> Points:
    """Eight spots on a circle."""
    rng = np.random.default_rng(0)
    angle = rng.integers(0, 8, n) * np.pi / 4
    centres = 2 * np.stack([np.cos(angle), np.sin(angle)], 1)
    return Points(centres + rng.normal(0, 0.05, (n, 2)))


def plane_game() -> PointGame:
    def layers(out: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2),
            nn.Linear(32, out),
        )  # fmt: skip

    torch.manual_seed(0)
    return PointGame(layers(2), layers(1))


def played(run: Path, **settings: Any) -> nn.Module:
    config = AdversarialConfig(epochs=100, batch_size=32, watch_steps=50, **settings)
    return fit_adversarial(plane_game(), ring(), config, run, show=False)


def test_a_game_that_collapses_is_named(tmp_path: Path) -> None:
    """A generator a hundred times as fast as its critic runs to where the critic likes it best."""
    with pytest.warns(GameWarning, match=r"mode_collapse in \d+ steps, from \d+ to 200: generated"):
        generator = played(tmp_path, lr_generator=1e-2, lr_critic=1e-4, max_steps=200)
    made = generator(torch.randn(300, 2)).detach()
    assert float(made.std(0).max()) < 0.3  # the spots lie 4 apart
    marked = [line["step"] for line in lines_of(tmp_path) if "warnings" in line]
    assert marked[-1] == 200
    table = json.loads((tmp_path / "losses.json").read_text())["warnings"]["mode_collapse"]
    assert table == {
        "steps": len(marked),
        "first_step": marked[0],
        "last_step": 200,
        "means": FINDINGS["mode_collapse"],
    }
    with pytest.warns(GameWarning):  # whoever takes the finished generator is told again
        played(tmp_path, lr_generator=1e-2, lr_critic=1e-4, max_steps=200)


def test_a_game_that_goes_well_is_not_complained_about(tmp_path: Path) -> None:
    """The same networks with R1 and equal rates; a warning would be an error here."""
    penalty: dict[str, Any] = {"penalty": "r1", "penalty_weight": 0.1}
    generator = played(tmp_path, lr_generator=2e-3, lr_critic=2e-3, max_steps=200, **penalty)
    assert float(generator(torch.randn(300, 2)).detach().std(0).min()) > 0.5
    assert json.loads((tmp_path / "losses.json").read_text())["warnings"] == {}


@pytest.mark.parametrize(
    ("asleep", "at", "answer", "verdict"),
    [
        (-50.0, 100.0, -9.0, "critic_won in 3 steps, from 6 to 8: the critic tells"),
        (-500.0, 100.0, 9.0, "critic_lost in 3 steps, from 6 to 8: the critic answers"),
        (-500.0, 100.0, -9.0, "critic_lost in 3 steps, from 6 to 8: the critic answers"),
    ],
)
def test_a_critic_whose_slope_has_died_is_named(
    asleep: float, at: float, answer: float, verdict: str, tmp_path: Path
) -> None:
    """Its rectifier is shut for generated points, and in the last two for real ones as well."""
    critic = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        shut = ((critic[0], [[1.0, 0.0]], [asleep]), (critic[2], [[1.0]], [answer]))
        for layer, weight, bias in shut:
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    points = Points(np.tile([at, 0.0], (64, 1)))
    config = AdversarialConfig(batch_size=16, watch_steps=3, max_steps=8)
    game = PointGame(plane_game().generator, critic)
    with pytest.warns(GameWarning, match=verdict):
        fit_adversarial(game, points, config, tmp_path, show=False)


def test_batches_of_one_are_watched_from_step_to_step(tmp_path: Path) -> None:
    """A generator that makes one point, whatever the noise."""
    points = Points(np.random.default_rng(0).normal(0, 1, (64, 1)))
    config = AdversarialConfig(batch_size=1, watch_steps=4, max_steps=10)
    with pytest.warns(GameWarning, match="mode_collapse in 3 steps, from 8 to 10: generated"):
        fit_adversarial(dirac_game(), points, config, tmp_path, show=False)


def test_the_table_by_hand(tmp_path: Path) -> None:
    won: dict[str, Any] = {"warnings": ["critic_won"]}
    lines = [
        {"step": 1, "epoch": 0, "lr_critic": 0.1, "total": 4.0, "penalty": 2.0, "pull": 0.5},
        {"step": 2, "epoch": 0, "lr_critic": 0.1, "total": -1.0, "pull": 0.1, **won},
        {"step": 3, "epoch": 1, "lr_critic": 0.1, "total": 3.0, "pull": 0.3, **won},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "log.jsonl").write_text(text + '{"step": 4, "tot')
    table = loss_table(tmp_path)
    assert table["steps"] == 3
    assert table["losses"] == {
        "total": {"min": -1.0, "mean": 2.0, "max": 4.0, "steps": 3},
        "penalty": {"min": 2.0, "mean": 2.0, "max": 2.0, "steps": 1},
    }
    assert table["figures"]["pull"]["mean"] == pytest.approx(0.3)
    found = {"steps": 2, "first_step": 2, "last_step": 3, "means": FINDINGS["critic_won"]}
    assert table["warnings"] == {"critic_won": found}
    assert write_loss_table(tmp_path) == json.loads((tmp_path / "losses.json").read_text())


def test_a_folder_without_a_log_has_no_table(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"log.jsonl has no line"):
        loss_table(tmp_path)
