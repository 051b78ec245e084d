"""What a game may have: losses by name, allies, further networks, fixed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from toy_game import DIRAC, ZEROS, PointGame, Points, dirac_game, lines_of

from smearlab.errors import UsageError
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.adversarial_steps import RESERVED
from smearlab.learn.train.game import Batch, Game, Judgement


class Named(PointGame):
    """A game with a loss of any name."""

    called = "penalty"

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        return {self.called: fake.mean()}


def test_names_of_a_games_losses_are_checked(tmp_path: Path) -> None:
    dirac = dirac_game()
    game = Named(dirac.generator, dirac.critic)
    for name in (*sorted(RESERVED), "lr_mine"):
        game.called = name
        with pytest.raises(UsageError, match=f"cannot be called '{name}'"):
            fit_adversarial(game, ZEROS, DIRAC, tmp_path / name, show=False)
    with pytest.raises(UsageError, match="weights for content, and no such loss; its losses are"):
        other = PointGame(dirac.generator, dirac.critic, weights={"content": 2.0})
        fit_adversarial(other, ZEROS, DIRAC, tmp_path / "weights", show=False)
    with pytest.raises(UsageError, match=r"called \['critic'\]: rename one"):
        PointGame(dirac.generator, dirac.critic, further={"critic": nn.Linear(1, 1)})
    for name in ("averaged", "adam_critic", "a/b"):
        with pytest.raises(UsageError, match=f"cannot be called '{name}': take letters"):
            PointGame(dirac.generator, dirac.critic, allies={name: nn.Linear(1, 1)})


class Labelled(Game):
    """All that a game can have: classes, an ally, a separate classifier, fixed features."""

    def __init__(self) -> None:
        torch.manual_seed(3)
        super().__init__(
            nn.Linear(4, 2),
            nn.Linear(2, 3),
            weights={"adversarial": 0.5, "content": 2.0},
            allies={"guesser": nn.Linear(2, 2)},
            further={"classifier": nn.Linear(2, 2)},
            fixed={"features": nn.Linear(2, 3)},
        )

    def prepare(self, batch: Batch) -> Batch:
        labels = torch.nn.functional.one_hot(batch["label"], 2).float()
        return {**batch, "hot": labels, "z": torch.randn(len(labels), 2)}

    def real(self, batch: Batch) -> Tensor:
        return batch["point"]

    def generate(self, batch: Batch) -> Tensor:
        made: Tensor = self.generator(torch.cat([batch["z"], batch["hot"]], 1))
        return made

    def judge(self, batch: Batch, pictures: Tensor) -> Judgement:
        found = self.critic(pictures)
        return Judgement(found[:, :1], {"classes": found[:, 1:]})

    def generator_losses(self, batch: Batch, fake: Tensor, judged: Judgement) -> dict[str, Tensor]:
        cross_entropy = torch.nn.functional.cross_entropy
        content = self.fixed["features"](fake) - self.fixed["features"](batch["point"])
        return {
            "classes": cross_entropy(judged.further["classes"], batch["label"]),
            "taught": cross_entropy(self.further["classifier"](fake), batch["label"]),
            "information": cross_entropy(self.allies["guesser"](fake), batch["label"]),
            "content": content.square().mean(),
        }

    def critic_losses(self, batch: Batch, real: Judgement, fake: Judgement) -> dict[str, Tensor]:
        cross_entropy = torch.nn.functional.cross_entropy
        return {"classes": cross_entropy(real.further["classes"], batch["label"])}

    def further_losses(self, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
        logits = self.further["classifier"](batch["point"])
        return {"classifier": torch.nn.functional.cross_entropy(logits, batch["label"])}


def test_a_game_may_have_further_networks(tmp_path: Path) -> None:
    """Each learns from what is its own, and from nothing else."""
    game, before = Labelled(), Labelled()
    points = Points(np.random.default_rng(0).normal([[2, 0], [0, 2]] * 16, 0.3))
    config = AdversarialConfig(epochs=40, batch_size=8, lr_further=0.02, watch_steps=1000)
    fit_adversarial(game, points, config, tmp_path, show=False)
    for name, network in game.networks.items():
        old = before.networks[name].state_dict()
        assert not torch.equal(network.state_dict()["weight"], old["weight"]), name
    features = game.fixed["features"].state_dict()
    assert torch.equal(features["weight"], before.fixed["features"].state_dict()["weight"])
    names = {n.partition("/")[0] for n in load_file(tmp_path / "checkpoint.safetensors")}
    assert names == {
        "generator", "critic", "averaged", "guesser", "classifier",
        "adam_generator", "adam_critic", "adam_classifier",
    }  # fmt: skip
    first, last = (lines_of(tmp_path)[n] for n in (0, -1))
    assert last["classifier"] < 0.5 * first["classifier"]
    total = 0.5 * last["adversarial"] + 2 * last["content"]
    total += last["classes"] + last["taught"] + last["information"]
    assert last["total"] == pytest.approx(total, rel=1e-5)
    assert last["critic_total"] == pytest.approx(last["critic"] + last["critic_classes"], rel=1e-5)


def test_a_further_network_needs_a_loss(tmp_path: Path) -> None:
    dirac = dirac_game()
    game = PointGame(dirac.generator, dirac.critic, further={"classifier": nn.Linear(1, 1)})
    with pytest.raises(UsageError, match="networks classifier and losses none"):
        fit_adversarial(game, ZEROS, DIRAC, tmp_path, show=False)


def test_two_losses_cannot_have_one_name(tmp_path: Path) -> None:
    class Twice(Labelled):
        def generator_losses(self, *given: Any) -> dict[str, Tensor]:
            return {**super().generator_losses(*given), "classifier": given[1].mean()}

    with pytest.raises(UsageError, match="a further network are called 'classifier'"):
        points = Points(np.ones((8, 2)))
        fit_adversarial(Twice(), points, AdversarialConfig(batch_size=2), tmp_path, show=False)
