"""``benchmarks/adversarial.py`` prints figures that hang together; nothing here asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "adversarial.py"


SMALL = (
    "--recipe c_wgan_gp --size 16 --set generator.width=4 --set critic.width=4 "
    "--set teacher.width=4"
)
FEW_SHOT = "--recipe few_shot_gan --size 16 --set generator.width=2 --set generator.features=3"
UPSCALED = (
    "--recipe srgan --size 32 --set critic.input_px=32 --set network.blocks=1 "
    "--set critic.width=4 --set critic.dense=8"
)
STAINED = "--recipe w_cyclegan_gp --size 32 --set network.widths=4,4 --set critic.widths=4,4"
BATCH = "--batch 2 --threads 1"


def figures(options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options.split()],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["batch"], found["hardware"]["threads"]) == (2, 1)
    return found


@pytest.mark.parametrize(
    ("options", "side"),
    [
        ("--tiny --penalty --spectral", 32),
        (SMALL, 16),
        (FEW_SHOT, 16),
        (UPSCALED, 32),
        (STAINED, 32),
    ],
)
def test_figures_hang_together(options: str, side: int) -> None:
    found = figures(f"{options} {BATCH} --steps 3 --skipped 1")
    assert found["size"] == side
    for other in ("passes", "bare"):  # one step counts, so medians are its own figures
        ratio = found[f"{other}_s"] / found["loop_s"]
        assert found[f"loop_over_{other}"] == pytest.approx(ratio, rel=0.05, abs=0.01)
        assert found[f"loop_over_{other}_cpu"] > 0
    assert found["checkpoint_s"] > 0


def test_the_loop_alone_tells_its_memory() -> None:
    found = figures(f"{SMALL} {BATCH} --steps 2 --skipped 0 --memory")
    assert found["peak_memory_mb"] is None or found["peak_memory_mb"] > 50
    assert found["loop_s"] > 0
    assert "passes_s" not in found


def test_too_few_steps_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--tiny", "--steps", "3"],
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    assert done.returncode == 2
    assert "--steps must be at least 4: 2 are skipped" in done.stderr


def test_a_recipe_without_an_adversary_is_named() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--recipe", "srresnet"],
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    assert done.returncode == 1
    assert "srresnet has no adversary" in done.stderr
