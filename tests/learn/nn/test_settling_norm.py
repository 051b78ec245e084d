"""Instance norm that settles: its own statistics, the running ones, and when which count."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from smearlab.learn.nn.settling_norm import (
    SettlingNorm,
    following,
    own_statistics,
    settling_norms,
)


def pictures() -> Tensor:
    return torch.randn(3, 2, 5, 7, generator=torch.Generator().manual_seed(0)) * 3 + 4


def test_in_training_each_picture_goes_by_its_own() -> None:
    norm, x = SettlingNorm(2), pictures()
    wanted = nn.InstanceNorm2d(2)(x)
    assert torch.equal(norm(x), wanted)
    assert torch.equal(norm.running_mean, torch.zeros(2)), "nobody follows"
    assert not list(norm.parameters())


def test_the_running_statistics_follow_and_count_in_evaluation() -> None:
    norm, x = SettlingNorm(2, momentum=0.25), pictures()
    with following(norm):
        norm(x)
    mean = 0.25 * x.mean((0, 2, 3))
    variance = 0.75 + 0.25 * x.var((2, 3), unbiased=False).mean(0)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    wanted = (x - mean.view(2, 1, 1)) / (variance.view(2, 1, 1) + norm.eps).sqrt()
    torch.testing.assert_close(norm.eval()(x), wanted)
    assert not norm.following


def test_when_settled_training_is_evaluation_and_nothing_follows() -> None:
    norm, x = SettlingNorm(2, momentum=0.25), pictures()
    with following(norm):
        norm(x)
        kept = norm.running_mean.clone()
        norm.settled = True
        settled = norm(2 * x)
    assert torch.equal(norm.running_mean, kept)
    assert torch.equal(settled, norm.eval()(2 * x))


def test_a_settled_answer_does_not_look_at_the_rest_of_the_picture() -> None:
    norm, x = SettlingNorm(2).eval(), pictures()
    assert torch.equal(norm(x)[..., :3], norm(x[..., :3]))
    with own_statistics(norm):
        assert not torch.allclose(norm(x)[..., :3], norm(x[..., :3])), "so that this can fail"
        assert torch.equal(norm(x), nn.InstanceNorm2d(2)(x))
    assert torch.equal(norm(x)[..., :3], norm(x[..., :3]))


def test_all_of_a_network_are_found() -> None:
    network = nn.Sequential(SettlingNorm(2), nn.Sequential(nn.ReLU(), SettlingNorm(3)))
    assert [len(norm.running_mean) for norm in settling_norms(network)] == [2, 3]
