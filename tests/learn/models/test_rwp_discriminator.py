"""RWP-GAN's discriminator: the paper's counts, its patches, and what spectral norms bound."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.rwp_discriminator import RWPDiscriminator, RWPDiscriminatorConfig
from smearlab.learn.train.checkpoints import parameter_count

TINY = RWPDiscriminatorConfig(widths=(4, 6, 8, 8))


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    with torch.device("meta"):
        model = RWPDiscriminator()
        out = model(torch.rand(1, 3, 256, 256), torch.rand(1, 3, 256, 256))
    assert parameter_count(model) == 2_768_641
    assert sum(b.numel() for b in model.buffers()) == 1_792
    assert out.shape == (1, 1, 30, 30)


def test_a_patch_sees_70_pixels() -> None:
    """Without norms, which look everywhere; gradients tell what a logit looks at."""
    torch.manual_seed(0)
    model = RWPDiscriminator(RWPDiscriminatorConfig(widths=(4, 4, 4, 4), norm="none"))
    picture = torch.rand(1, 3, 128, 128, requires_grad=True)
    model(picture, torch.rand(1, 3, 128, 128))[0, 0, 7, 7].backward()
    assert picture.grad is not None
    rows = torch.nonzero(picture.grad.abs().sum((0, 1, 3)))
    assert int(rows.max() - rows.min()) + 1 == 70


def test_it_looks_at_the_picture_and_at_what_is_judged() -> None:
    torch.manual_seed(0)
    model = RWPDiscriminator(TINY).eval()
    picture, judged = torch.rand(2, 1, 3, 64, 64)
    first = model(picture, judged)
    assert not torch.allclose(first, model(1 - picture, judged))
    assert not torch.allclose(first, model(picture, 1 - judged))
    assert not torch.allclose(first, model(judged, picture))


def test_spectral_normalisation_bounds_every_matrix() -> None:
    torch.manual_seed(0)
    config = RWPDiscriminatorConfig(widths=(4, 6, 8, 8), spectral=True)
    model = RWPDiscriminator(config)
    assert parameter_count(model) == parameter_count(RWPDiscriminator(TINY))
    for _ in range(30):  # the power iteration comes close
        model(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64))
    model.eval()
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 5
    for conv in convolutions:
        largest = torch.linalg.matrix_norm(conv.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"widths": (64,)}, "widths needs two or more positive numbers; received"),
        ({"channels_in": 0}, "channels_in must be at least 1; received 0"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RWPDiscriminatorConfig(**given)  # type: ignore[arg-type]
