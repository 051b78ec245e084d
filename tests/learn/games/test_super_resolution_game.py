"""The game of SRGAN: what is generated, judged and lost, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.games.super_resolution import SuperResolution
from smearlab.learn.objectives import Upscaling
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.run_folder import read_log


class Doubled(nn.Module):
    """Every pixel four times, times a number that is learned."""

    def __init__(self, gain: float = 0.5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x.repeat_interleave(2, 2).repeat_interleave(2, 3)


class Brightness(nn.Module):
    """One logit a picture: its mean, times a number that is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x.mean((1, 2, 3))


class Red(nn.Module):
    """A feature map: three times the red channel."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 1, 1, bias=False)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor([3.0, 0.0, 0.0]).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)  # type: ignore[no-any-return]


def batch(small: int, large: int, side: int = 8) -> dict[str, Tensor]:
    def flat(level: int, px: int) -> Tensor:
        return torch.full((2, px, px, 3), level, dtype=torch.uint8)

    return {"pixels": flat(small, 4), "target": flat(large, side)}


def test_what_is_generated_judged_and_lost() -> None:
    game = SuperResolution(Doubled(), Brightness(), Red())
    prepared = game.prepare(batch(51, 204))
    real, fake = game.real(prepared), game.generate(prepared)
    assert float(real.mean()) == pytest.approx(0.8) and real.shape == (2, 3, 8, 8)
    assert float(fake.detach().mean()) == pytest.approx(0.1) and fake.shape == real.shape
    judged = game.judge(prepared, real)
    assert judged.logits.detach().tolist() == pytest.approx([0.8, 0.8])
    losses = game.generator_losses(prepared, fake, game.judge(prepared, fake))
    values = {name: float(value.detach()) for name, value in losses.items()}
    assert values == pytest.approx({"content": 9 * 0.49, "pixels": 0.49})
    assert game.weights == {"content": 1.0, "adversarial": 1e-3, "pixels": 0.0}


class Flat:
    """Small grey pictures of 0.4 and large ones of 0.4."""

    def __len__(self) -> int:
        return 4

    def sample(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        grey = {"pixels": (2, 2, 3), "target": (4, 4, 3)}
        return {key: np.full(shape, 102, np.uint8) for key, shape in grey.items()}


def test_the_loop_plays_it_and_the_features_stay(tmp_path: Path) -> None:
    """The total is the paper's: content + 10⁻³ adversarial, −log D(G)."""
    features = Red()
    game = SuperResolution(Doubled(), Brightness(), features)
    config = AdversarialConfig(
        epochs=1, batch_size=2, max_steps=2, lr_generator=0.01, precision="32-true"
    )
    fit_adversarial(game, Flat(), config, tmp_path, show=False)
    first = read_log(tmp_path, 2)
    line = dict(next(iter(first)))
    assert line["content"] == pytest.approx(9 * 0.04, rel=1e-4)
    assert line["total"] == pytest.approx(line["content"] + 1e-3 * line["adversarial"], rel=1e-5)
    assert features.layer.weight.flatten().tolist() == [3.0, 0.0, 0.0]


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(UsageError, match="weight of content must be at least 0; received -1"):
        SuperResolution(Doubled(), Brightness(), Red(), content_weight=-1)
    game = SuperResolution(Doubled(), Brightness(), Red())
    with pytest.raises(UsageError, match="target is missing, there is pixels"):
        game.prepare({"pixels": batch(0, 0)["pixels"]})
    with pytest.raises(UsageError, match=r"\[2, 3, 8, 8\].*\[2, 3, 16, 16\]: one factor"):
        game.generate(game.prepare(batch(0, 0, 16)))


def test_pixels_alone_are_what_srresnet_learns_by() -> None:
    given = batch(51, 204)
    for loss, value in (("mse", 0.49), ("l1", 0.7)):
        found = Upscaling(loss)(Doubled(), given)["loss"]  # type: ignore[arg-type]
        assert float(found.detach()) == pytest.approx(value)
    with pytest.raises(UnknownNameError, match="loss of pixels 'l2'"):
        Upscaling("l2")  # type: ignore[arg-type]
