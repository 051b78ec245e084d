"""The game without pairs: what is generated, judged and lost in either half, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.games.unpaired import UnpairedPictures
from smearlab.learn.models.patch_critic import PatchCriticConfig
from smearlab.learn.models.stain_unet import StainUNet, StainUNetConfig
from smearlab.learn.models.stain_ways import WAYS, StainCritics, StainWays
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.run_folder import read_log


class Gain(nn.Module):
    """Every value times a number that is learned."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x


class Brightness(nn.Module):
    """One logit a picture: its mean times a number."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x.mean((1, 2, 3))


def critics(of_b: float = 1.0, of_a: float = 10.0) -> StainCritics:
    both = StainCritics(PatchCriticConfig((1, 1)))
    both.of_b, both.of_a = Brightness(of_b), Brightness(of_a)  # type: ignore[assignment]
    return both


def game(**weights: float) -> UnpairedPictures:
    """A to B halves, B to A doubles and a half more."""
    ways = StainWays({"a_to_b": Gain(0.5), "b_to_a": Gain(2.5)})
    return UnpairedPictures(ways, critics(), **weights)


def batch(a: int = 204, b: int = 51, side: int = 4) -> dict[str, Tensor]:
    def flat(level: int, px: int) -> Tensor:
        return torch.full((2, px, px, 3), level, dtype=torch.uint8)

    return {"pixels_a": flat(a, 4), "pixels_b": flat(b, side)}


def test_what_is_generated_judged_and_lost() -> None:
    """A is 0.8, B is 0.2: made 0.4 and 0.5, back 1.0 and 0.25, kept 0.1 and 2.0."""
    played = game()
    prepared = played.prepare(batch())
    real, fake = played.real(prepared), played.generate(prepared)

    def levels(x: Tensor) -> list[float]:
        return [float(one) for one in x.detach().mean((1, 2, 3))]

    assert levels(prepared["pixels"]) == pytest.approx([0.8, 0.8, 0.2, 0.2])
    assert levels(real) == pytest.approx([0.2, 0.2, 0.8, 0.8]), "B, then A: as they are judged"
    assert levels(fake) == pytest.approx([0.4, 0.4, 0.5, 0.5])
    judged = played.judge(prepared, fake)
    assert judged.logits.detach().tolist() == pytest.approx([0.4, 0.4, 5, 5])
    losses = played.generator_losses(prepared, fake, judged)
    values = {name: float(value.detach()) for name, value in losses.items()}
    # cycle: |1.0 - 0.8| and |0.25 - 0.2|; identity: |0.1 - 0.2| and |2.0 - 0.8|; their means
    assert values == pytest.approx({"cycle": 0.125, "identity": 0.65})
    assert played.weights == {"cycle": 10.0, "identity": 5.0}, "as CycleGAN has them"


def test_without_its_weight_the_identity_is_not_computed() -> None:
    played = game(cycle_weight=1, identity_weight=0)
    prepared = played.prepare(batch())
    fake = played.generate(prepared)
    losses = played.generator_losses(prepared, fake, played.judge(prepared, fake))
    assert set(losses) == set(played.weights) == {"cycle"}


class Flat:
    """A is 0.8 everywhere and B 0.2."""

    def __len__(self) -> int:
        return 4

    def sample(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        levels = {"pixels_a": 204, "pixels_b": 51}
        return {key: np.full((8, 8, 3), level, np.uint8) for key, level in levels.items()}


def test_the_loop_plays_it(tmp_path: Path) -> None:
    """The losses of a step are those of the formulas; both ways and both critics learn."""
    played = game(cycle_weight=2, identity_weight=1)
    config = AdversarialConfig(
        epochs=1, batch_size=2, max_steps=1, loss="wasserstein", lr_generator=0.01, lr_critic=0.01
    )
    before = {name: value.clone() for name, value in played.generator.state_dict().items()}
    fit_adversarial(played, Flat(), config, tmp_path, show=False)
    (line,) = read_log(tmp_path, 1)
    assert line["cycle"] == pytest.approx(0.125) and line["identity"] == pytest.approx(0.65)
    # means over both halves: fake 0.4 and 10 · 0.5, real 0.2 and 10 · 0.8
    assert line["critic"] == pytest.approx((0.4 + 5) / 2 - (0.2 + 8) / 2, rel=1e-5)
    total = line["adversarial"] + 2 * line["cycle"] + line["identity"]
    assert line["total"] == pytest.approx(total, rel=1e-5)
    after = played.generator.state_dict()
    assert all(not torch.equal(after[name], before[name]) for name in before), "passes, too"


def test_the_penalty_is_that_of_both_critics(tmp_path: Path) -> None:
    """A logit that is a mean times s has a slope of s / √n at each of n values."""
    played, n = game(), 8 * 8 * 3
    played.critic = critics(n**0.5 * 2, n**0.5 * 4)  # norms of 2 and 4
    config = AdversarialConfig(
        epochs=1, batch_size=2, max_steps=1, loss="wasserstein", penalty="interpolates"
    )
    fit_adversarial(played, Flat(), config, tmp_path, show=False)
    (line,) = read_log(tmp_path, 1)
    assert line["penalty"] == pytest.approx((1 + 9) / 2, rel=1e-4)


class Noise:
    def __init__(self, stop_after: int | None = None) -> None:
        self.left = stop_after

    def __len__(self) -> int:
        return 6

    def sample(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        if self.left is not None:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
        keys = ("pixels_a", "pixels_b")
        return {key: rng.integers(0, 256, (8, 8, 3)).astype(np.uint8) for key in keys}


def test_a_resumed_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Also where norms settle between the checkpoint and the end."""
    config = AdversarialConfig(
        epochs=3, batch_size=2, loss="least_squares", ema=0.9, checkpoint_minutes=0
    )

    def play(run: Path, source: Noise) -> bytes:
        torch.manual_seed(0)
        ways = StainWays({way: StainUNet(StainUNetConfig((2, 3))) for way in WAYS})
        ways.settling.after = 5
        played = UnpairedPictures(ways, critics())
        fit_adversarial(played, source, config, run, show=False)
        assert next(iter(ways.way("a_to_b").decoder))[1].settled  # type: ignore[arg-type,index]
        return (run / "model.safetensors").read_bytes()

    whole = play(tmp_path / "whole", Noise())
    with pytest.raises(KeyboardInterrupt):
        play(tmp_path / "cut", Noise(stop_after=9))
    assert play(tmp_path / "cut", Noise()) == whole


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(UsageError, match="weight of identity must be at least 0; received -1"):
        game(identity_weight=-1)
    with pytest.raises(UsageError, match="needs generators of both ways; received a_to_b"):
        UnpairedPictures(StainWays({"a_to_b": Gain(1.0)}), critics())
    with pytest.raises(UsageError, match="pixels_b is missing, there is pixels_a"):
        game().prepare({"pixels_a": batch()["pixels_a"]})
    with pytest.raises(UsageError, match=r"one shape; received \[2, 4, 4, 3\] and \[2, 8, 8, 3\]"):
        game().prepare(batch(side=8))
