"""Settings that make an upscaler small and quick, by recipe; and runs that follow from them."""

from __future__ import annotations

from pathlib import Path

from smearlab.learn.recipes import UPSCALE_RECIPES
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_upscaler import run_upscaler

_NETWORK = ("network.blocks=1", "network.width=4", "network.up_width=4")
_STEPS = ("train.max_steps=2", "train.workers=0", "train.precision=32-true", "train.batch_size=2")
_VIEW = ("view.high_px=32", "view.patch_px=16")
_CRITIC = ("critic.input_px=16", "critic.width=2", "critic.dense=4", "content.layer=stage0")


def quick_settings(recipe: str) -> list[str]:
    """Settings for ``--set``: two steps of a small network."""
    played = UPSCALE_RECIPES[recipe].critic is not None
    return [*_NETWORK, *_STEPS, *_VIEW, *(_CRITIC if played else ())]


def write_upscaler_run(
    out: Path, recipe: str = "srresnet", type_: str | None = None, *more: str
) -> Path:
    """A finished run on simulated cells."""
    asked = Asked("simulated", out, show=False)
    chosen = UPSCALE_RECIPES[recipe].with_settings([*quick_settings(recipe), *more])
    return run_upscaler(chosen, asked, type_)
