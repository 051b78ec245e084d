"""Settings that make a network of stains small and quick, by recipe; and runs that follow."""

from __future__ import annotations

from pathlib import Path

from smearlab.learn.recipes import STAIN_RECIPES
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_stain import run_stain

_STEPS = ("train.max_steps=2", "train.workers=0", "train.precision=32-true", "train.batch_size=2")
_SIZES = ("view.size_px=16", "judged=4", "judged_px=16")
_NETWORKS = {
    "StainUNetConfig": ("network.widths=2,3",),
    "StainResNetConfig": ("network.width=2", "network.blocks=1"),
    "StainNetConfig": ("network.width=4",),
}


def quick_settings(recipe: str) -> list[str]:
    """Settings for ``--set``: two steps of small networks on pictures of 16 px."""
    chosen = STAIN_RECIPES[recipe]
    network = _NETWORKS[type(chosen.network).__name__]
    critic = () if chosen.critic is None else ("critic.widths=2,3",)
    return [*_STEPS, *_SIZES, *network, *critic]


def write_stain_run(
    out: Path,
    recipe: str = "w_cyclegan_gp",
    *more: str,
    teacher: str | None = None,
    data: str = "simulated",
    stains: tuple[str | None, str | None] = (None, None),
) -> Path:
    """A finished run on simulated cells, which lie in ``OUT/simulated`` for the next."""
    chosen = STAIN_RECIPES[recipe].with_settings([*quick_settings(recipe), *more], stains)
    return run_stain(chosen, Asked(data, out, show=False), teacher)
