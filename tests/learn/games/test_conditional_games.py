"""Games of typed pictures: who knows the type, who says it, who learns it, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.games.conditional import (
    AuxiliaryTypes,
    ReadableCodes,
    SeparateClassifier,
    TypedPictures,
)
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.sampling import Sample

TYPES = 3


class Painter(nn.Module):
    """A grey level a type; the latents are not looked at."""

    latent_size = 2

    def __init__(self, classes: int = TYPES) -> None:
        super().__init__()
        self.classes = classes
        self.levels = nn.Parameter(torch.arange(1.0, classes + 1) / 10)

    def forward(self, latent: Tensor, types: Tensor) -> Tensor:
        return (types @ self.levels)[:, None, None, None].expand(-1, 3, 4, 4)


class Brightness(nn.Module):
    """The mean level as the logit, and as many answers as asked: its multiples."""

    def __init__(self, answers: int = 0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1 + answers))

    def forward(self, pictures: Tensor, types: Tensor | None = None) -> Tensor:
        level = pictures.flatten(1).mean(1, keepdim=True)
        return level * self.factor * torch.arange(1.0, len(self.factor) + 1)


class Types(Brightness):
    """A classifier: logits of the types alone."""

    def __init__(self) -> None:
        super().__init__(TYPES - 1)


def batch(*targets: int) -> dict[str, Tensor]:
    n = len(targets)
    pixels = torch.full((n, 4, 4, 3), 51, dtype=torch.uint8)
    return {"pixels": pixels, "target": torch.tensor(targets)}


def test_generated_pictures_have_the_types_of_the_real_ones() -> None:
    game = TypedPictures(Painter(), Brightness())
    prepared = game.prepare(batch(2, 0))
    assert torch.equal(prepared["types"], torch.tensor([[0.0, 0, 1], [1, 0, 0]]))
    assert prepared["latent"].shape == (2, 2)
    assert torch.allclose(game.real(prepared), torch.full((2, 3, 4, 4), 0.2))
    fake = game.generate(prepared)
    assert torch.allclose(fake[:, 0, 0, 0], torch.tensor([0.3, 0.1]))
    judged = game.judge(prepared, fake)
    assert torch.allclose(judged.logits, torch.tensor([[0.3], [0.1]]))
    assert judged.further["answers"].shape == (2, 0)
    assert game.generator_losses(prepared, fake, judged) == {}


def test_a_generator_of_one_type_takes_any_number_for_it() -> None:
    game = TypedPictures(Painter(1), Brightness())
    prepared = game.prepare(batch(7, 2))
    assert torch.equal(prepared["types"], torch.ones(2, 1))


def test_latents_are_drawn_anew_from_torchs_chance() -> None:
    game = TypedPictures(Painter(), Brightness())
    torch.manual_seed(3)
    first, second = (game.prepare(batch(0, 1))["latent"] for _ in range(2))
    assert not torch.equal(first, second)
    torch.manual_seed(3)
    assert torch.equal(game.prepare(batch(0, 1))["latent"], first)


def entropy(logits: Tensor, target: Tensor) -> float:
    """By hand."""
    chosen = logits[torch.arange(len(target)), target]
    return float((logits.exp().sum(1).log() - chosen).mean())


def test_an_auxiliary_critic_says_types_to_both_sides() -> None:
    game = AuxiliaryTypes(Painter(), Brightness(TYPES), types_weight=4.0)
    prepared = game.prepare(batch(2, 0))
    fake = game.generate(prepared)
    of_real, of_fake = game.judge(prepared, game.real(prepared)), game.judge(prepared, fake)
    steps = torch.tensor([2.0, 3, 4])
    on_real = entropy(0.2 * steps.repeat(2, 1), prepared["target"])
    on_fake = entropy(torch.tensor([[0.3], [0.1]]) * steps, prepared["target"])
    found = game.critic_losses(prepared, of_real, of_fake)
    assert {name: value.item() for name, value in found.items()} == pytest.approx(
        {"types_real": 4 * on_real, "types_fake": 4 * on_fake}
    )
    assert game.weights == {"types": 4.0}
    assert game.generator_losses(prepared, fake, of_fake)["types"].item() == pytest.approx(on_fake)


def test_a_separate_classifier_learns_from_real_pictures_alone() -> None:
    classifier = Types()
    game = SeparateClassifier(Painter(), Brightness(), classifier, types_weight=0.5)
    assert game.weights == {"types": 0.5} and game.further == {"classifier": classifier}
    prepared = game.prepare(batch(2, 0))
    fake = game.generate(prepared)
    steps = torch.tensor([1.0, 2, 3])
    own = game.further_losses(prepared, fake.detach())
    assert own["classifier"].item() == pytest.approx(
        entropy(0.2 * steps.repeat(2, 1), prepared["target"])
    )
    taught = game.generator_losses(prepared, fake, game.judge(prepared, fake))["types"]
    assert taught.item() == pytest.approx(
        entropy(torch.tensor([[0.3], [0.1]]) * steps, prepared["target"])
    )
    taught.backward()
    painter = game.generator
    assert isinstance(painter, Painter) and painter.levels.grad is not None


def test_codes_are_drawn_evenly_and_read_by_an_ally() -> None:
    reader = Types()
    game = ReadableCodes(Painter(), Brightness(), reader, information_weight=2.0)
    assert game.allies == {"reader": reader} and game.weights == {"information": 2.0}
    torch.manual_seed(0)
    prepared = game.prepare(batch(*[0] * 3000))
    shares = prepared["types"].mean(0)
    assert torch.allclose(shares, torch.full((3,), 1 / 3), atol=0.03)  # whatever is real
    fake = game.generate(prepared)
    found = game.generator_losses(prepared, fake, game.judge(prepared, fake))["information"]
    logits = fake[:, 0, 0, :1] * torch.tensor([1.0, 2, 3])
    assert found.item() == pytest.approx(
        entropy(logits.detach(), prepared["target"]) - math.log(3), rel=1e-4
    )


class Discs:
    """Noisy pictures whose level tells the type."""

    def __len__(self) -> int:
        return 12

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        level = 60 * (index % TYPES) + rng.integers(0, 30, (4, 4, 3))
        return {"pixels": level.astype(np.uint8), "target": np.int64(index % TYPES)}


@pytest.mark.parametrize("kind", ["typed", "auxiliary", "classifier", "codes"])
def test_the_loop_plays_them(kind: str, tmp_path: Path) -> None:
    """Every network that shall learn does, and every loss is in the log."""
    torch.manual_seed(0)
    game: TypedPictures
    if kind == "auxiliary":
        game = AuxiliaryTypes(Painter(), Brightness(TYPES))
    elif kind == "classifier":
        game = SeparateClassifier(Painter(), Brightness(), Types())
    elif kind == "codes":
        game = ReadableCodes(Painter(), Brightness(), Types())
    else:
        game = TypedPictures(Painter(), Brightness())
    before = {k: v.clone() for n in game.networks.values() for k, v in _weights(n).items()}
    config = AdversarialConfig(
        epochs=1, batch_size=2, critic_steps=2, loss="wasserstein", penalty="interpolates"
    )
    fit_adversarial(game, Discs(), config, tmp_path, show=False)
    after = {k: v for n in game.networks.values() for k, v in _weights(n).items()}
    assert all(not torch.equal(before[name], after[name]) for name in before)
    line = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    wanted = {
        "typed": set(),
        "auxiliary": {"types", "critic_types_real", "critic_types_fake"},
        "classifier": {"types", "classifier"},
        "codes": {"information"},
    }[kind]
    assert wanted <= line.keys()
    assert line["total"] == pytest.approx(
        line["adversarial"] + sum(line[name] for name in {"types", "information"} & wanted)
    )


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {f"{id(network)}.{key}": value for key, value in network.state_dict().items()}


def test_what_cannot_be_played_is_refused() -> None:
    game = TypedPictures(Painter(), Brightness())
    with pytest.raises(UsageError, match="target is missing, there is pixels"):
        game.prepare({"pixels": batch(0)["pixels"]})
    with pytest.raises(UsageError, match="type number 3, and the generator knows 3 types, 0 to 2"):
        game.prepare(batch(0, 3))
    with pytest.raises(UsageError, match="type number -1"):
        game.prepare(batch(-1, 1))
    prepared = dict(game.prepare(batch(0)))
    prepared["pixels"] = torch.zeros(1, 3, 8, 8)
    with pytest.raises(
        UsageError, match=r"makes pictures of \[3, 4, 4\], and real ones are \[3, 8"
    ):
        game.generate(prepared)
    silent = AuxiliaryTypes(Painter(), Brightness())
    prepared = dict(silent.prepare(batch(0)))
    with pytest.raises(UsageError, match="which of 3 types a picture shows; it gives 0 answers"):
        silent.judge(prepared, silent.real(prepared))


def test_negative_weights_are_refused() -> None:
    with pytest.raises(UsageError, match=r"types_weight must be at least 0; received -1"):
        AuxiliaryTypes(Painter(), Brightness(TYPES), types_weight=-1)
    with pytest.raises(UsageError, match="types_weight"):
        SeparateClassifier(Painter(), Brightness(), Types(), types_weight=math.nan)
    with pytest.raises(UsageError, match="information_weight"):
        ReadableCodes(Painter(), Brightness(), Types(), information_weight=-0.1)
