"""Networks of the few-shot GAN: sizes, what they look at, what a latent means."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from smearlab.errors import UsageError
from smearlab.learn.models.few_shot_gan import FewShotConfig, FewShotCritic, FewShotGenerator
from smearlab.learn.train.checkpoints import parameter_count

TINY = FewShotConfig(16, 2, features=3, noise=4)


@pytest.mark.parametrize(
    ("size", "encoder", "decoder", "critic", "skips"),
    [
        (256, 855_584, 4_451_251, 1_447_809, ["128", "256"]),
        (128, 855_584, 4_937_763, 1_185_537, ["64", "128"]),
        (64, 855_584, 4_769_539, 923_265, ["64"]),
    ],
)
def test_sizes(size: int, encoder: int, decoder: int, critic: int, skips: list[str]) -> None:
    config = FewShotConfig(size)
    with torch.device("meta"):
        generator, judge = FewShotGenerator(config), FewShotCritic(config)
        made = generator.make(torch.rand(4, 128), torch.rand(2, 3, size, size))
        logits, rebuilt = judge(made)
    assert generator.encoder is not None
    assert parameter_count(generator.encoder) == encoder
    assert parameter_count(generator.decoder) == decoder
    assert parameter_count(judge) == critic
    assert list(generator.decoder.skips) == skips
    assert (made.shape, logits.shape, rebuilt) == ((4, 3, size, size), (4, 1), None)


def test_pictures_follow_from_what_was_encoded_and_from_noise() -> None:
    torch.manual_seed(0)
    model = FewShotGenerator(TINY).eval()
    pictures, noise = torch.rand(2, 3, 16, 16), torch.randn(2, 4)
    made = model.make(torch.cat([noise, noise]), pictures)
    assert torch.allclose(made[:2], made[2:])  # the next two vectors go with the same pictures
    assert not torch.equal(made[:2], model.make(noise, 1 - pictures))
    assert not torch.equal(made[:2], model.make(-noise, pictures))
    assert torch.equal(made, made.clamp(0, 1))


def test_a_latent_mixes_the_shots() -> None:
    torch.manual_seed(0)
    model = FewShotGenerator(FewShotConfig(16, 2, features=3, noise=4, shots=5))
    model.shots.random_(0, 256)
    model.eval()
    assert (model.latent_size, model.classes) == (9, 1)
    noise, one_hot = torch.randn(1, 4), torch.eye(5)[2:3]
    found = model(torch.cat([noise, 40 * one_hot], 1), torch.ones(1, 1))
    assert torch.allclose(found, model.make(noise, model.shots[2:3].float() / 255), atol=1e-5)
    between = model(torch.cat([noise, 40 * (torch.eye(5)[:1] + one_hot)], 1))
    mixed = (model.encoded[:1] + model.encoded[2:3]) / 2
    wanted = model.decoder(torch.cat([mixed, noise], 1))
    assert torch.allclose(between, wanted, atol=1e-5)


def test_shots_are_encoded_anew_when_weights_have_changed() -> None:
    torch.manual_seed(0)
    model = FewShotGenerator(FewShotConfig(16, 2, features=3, noise=4, shots=2))
    model.shots.random_(0, 256)
    before = model.eval().encoded
    assert model.encoder is not None
    with torch.no_grad():
        model.encoder.head.bias.add_(1)
    assert torch.allclose(model.train().eval().encoded, before + 1, atol=1e-5)
    assert set(model.state_dict()) - set(FewShotGenerator(TINY).state_dict()) == {"shots"}


def test_without_features_there_is_noise_alone() -> None:
    model = FewShotGenerator(FewShotConfig(16, 2, features=0, noise=4)).eval()
    assert model.encoder is None
    noise = torch.randn(2, 4)
    assert torch.equal(model(noise), model.make(noise, torch.rand(2, 3, 16, 16)))


@pytest.mark.parametrize(("features", "bounded"), [(0, 8), (3, 6)])
def test_the_critic_is_spectrally_normalised_and_its_lower_layers_are_told(
    features: int, bounded: int
) -> None:
    torch.manual_seed(0)
    critic = FewShotCritic(FewShotConfig(64, 2, features))
    for _ in range(30):  # the power iteration comes close
        critic(torch.rand(1, 3, 64, 64))
    critic.eval()
    layers = [m for m in critic.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.weight.shape[-1] for layer in layers[:-1]] == [3, 4, 3, 4, 3, 4, 3]
    assert [is_parametrized(layer) for layer in layers] == [n < bounded for n in range(8)]
    for layer in layers[:bounded]:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1, abs=0.03)
    assert critic.lower_layers(3) == list(critic.layers[:3])
    with pytest.raises(UsageError, match="this critic has 6 lower layers; received 9 to freeze"):
        critic.lower_layers(9)


def test_the_critic_sees_all_pixels_equally_often() -> None:
    critic = FewShotCritic(FewShotConfig(128, 2))
    for layer in critic.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if is_parametrized(layer):
                remove_parametrizations(layer, "weight")
            nn.init.constant_(layer.weight, 0.01)
            nn.init.zeros_(layer.bias)
    pictures = torch.full((1, 3, 128, 128), 0.9, requires_grad=True)
    critic(pictures)[0].sum().backward()
    assert pictures.grad is not None
    inner = pictures.grad[0, 0, 48:80, 48:80]  # padding is beyond their reach
    assert float(inner.std()) < 1e-3 * float(inner.mean())


def test_a_critic_rebuilds_what_it_saw() -> None:
    critic = FewShotCritic(FewShotConfig(64, 2, features=0, rebuilds=True))
    logits, rebuilt = critic(torch.rand(2, 3, 64, 64))
    assert rebuilt is not None
    assert (logits.shape, rebuilt.shape) == ((2, 1), (2, 3, 32, 32))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size_px": 48}, "size_px must be one of 16, 32, 64, 128, 256; received 48"),
        ({"width": 1}, "width must be at least 2; received 1"),
        ({"noise": 0}, "noise must be at least 1; received 0"),
        ({"size_px": 32, "rebuilds": True}, "needs size_px of at least 64; received 32"),
        ({"features": 0, "shots": 3}, "only a generator with features keeps shots"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        FewShotConfig(**given)
