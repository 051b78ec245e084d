"""Games of few pictures: what is encoded, judged and added up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from smearlab.errors import UsageError
from smearlab.learn.games.few_shot import EncodedPictures, NoisePictures
from smearlab.learn.models.few_shot_gan import FewShotConfig, FewShotCritic, FewShotGenerator
from smearlab.learn.models.figr import FIGRConfig, FIGRCritic, FIGRGenerator
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.sampling import Sample

TINY = FewShotConfig(16, 2, features=3, noise=4)
PIXELS = torch.arange(2 * 16 * 16 * 3).reshape(2, 16, 16, 3).remainder(256).to(torch.uint8)


def encoded(**given: float) -> EncodedPictures:
    torch.manual_seed(0)
    return EncodedPictures(FewShotGenerator(TINY), FewShotCritic(TINY), **given)  # type: ignore[arg-type]


def test_every_picture_is_made_again_twice() -> None:
    game = encoded()
    batch = game.prepare({"pixels": PIXELS})
    assert batch["noise"].shape == (4, 4)
    real, fake = game.real(batch), game.generate(batch)
    assert real.shape == fake.shape == (4, 3, 16, 16)
    assert torch.equal(real[:2], real[2:])
    assert torch.equal(real[0], PIXELS[0].permute(2, 0, 1) / 255)
    losses = game.generator_losses(batch, fake, game.judge(batch, fake))
    apart = (fake[:2] - fake[2:]).abs().flatten(1).mean(1)
    asked = (batch["noise"][:2] - batch["noise"][2:]).abs().mean(1)
    assert losses.keys() == {"encoder_l1", "mode_seeking"}
    assert torch.allclose(losses["mode_seeking"], -(apart / asked).mean())
    two = [F.l1_loss(fake[part], batch["pixels"]) for part in (slice(2), slice(2, 4))]
    assert torch.allclose(losses["encoder_l1"], (two[0] + two[1]) / 2)


def test_a_critic_is_judged_by_what_it_rebuilds_of_what_it_saw() -> None:
    config = FewShotConfig(64, 2, features=0, noise=4, rebuilds=True)
    torch.manual_seed(0)
    generator, critic = FewShotGenerator(config), FewShotCritic(config)
    game = NoisePictures(generator, critic, ("cutout",))
    batch = game.prepare({"pixels": torch.full((2, 64, 64, 3), 255, dtype=torch.uint8)})
    judged = game.judge(batch, game.real(batch))
    assert float(judged.further["seen"].min()) == 0.5  # the square that was cut out
    small = F.avg_pool2d(judged.further["seen"], 2)
    wanted = F.l1_loss(judged.further["rebuilt"], small)
    assert torch.allclose(game.critic_losses(batch, judged, judged)["rebuilt"], wanted)


def test_a_critic_that_rebuilds_nothing_has_no_further_loss() -> None:
    config = FIGRConfig(8, 2, 3)
    game = NoisePictures(FIGRGenerator(config), FIGRCritic(config))
    judged = game.judge({}, torch.rand(2, 3, 8, 8))
    assert judged.further == {}
    assert game.critic_losses({}, judged, judged) == {}
    assert game.prepare({"pixels": PIXELS})["noise"].shape == (2, 3)


class Flat:
    """Pictures of one colour, which a generator finds soon."""

    def __len__(self) -> int:
        return 240

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        return {"pixels": np.full((16, 16, 3), 230 - index % 8, np.uint8)}


def test_it_learns_what_the_pictures_look_like(tmp_path: Path) -> None:
    game = encoded(mode_weight=0.0, l1_weight=10.0)
    config = AdversarialConfig(
        epochs=1, batch_size=4, max_steps=60, lr_generator=0.01, lr_critic=1e-3
    )
    fit_adversarial(game, Flat(), config, tmp_path, show=False)
    pictures = torch.full((1, 3, 16, 16), 0.9)
    made = game.generator.train().make(torch.randn(8, 4), pictures)  # type: ignore[operator]
    assert float(made.detach().mean()) == pytest.approx(0.89, abs=0.08)


def test_impossible_games_are_refused() -> None:
    with pytest.raises(UsageError, match="mode_weight must be at least 0; received -1"):
        encoded(mode_weight=-1)
    without = FewShotConfig(16, 2, features=0)
    with pytest.raises(UsageError, match="needs a generator with features above 0"):
        EncodedPictures(FewShotGenerator(without), FewShotCritic(without))
