"""Looks: colours that are densities over a background."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from smearlab.datasets.simulated_looks import LOOKS, Look, draw_look, resolve_look
from smearlab.errors import UnknownNameError, UsageError


@pytest.mark.parametrize("name", LOOKS)
def test_a_density_gives_its_colour_back(name: str) -> None:
    look = LOOKS[name]
    for item in fields(Look):
        if item.name == "background":
            continue
        seen = np.array(look.background) * np.exp(-look.density(item.name))
        assert np.allclose(seen, getattr(look, item.name), atol=0.01), item.name


def test_drawn_looks_keep_cells_darker_than_the_ground() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        look = draw_look(rng)
        assert look.density("erythrocyte").sum() > 0.25
        assert look.density("nucleus").sum() > look.density("neutral").sum()
        assert min(look.background) >= 100


def test_own_colours_pass_through() -> None:
    look = LOOKS["pink"]
    assert resolve_look(look, np.random.default_rng(0)) is look
    with pytest.raises(UnknownNameError, match="unknown look 'red'"):
        resolve_look("red", np.random.default_rng(0))


def test_colours_outside_the_range_are_refused() -> None:
    values = {item.name: getattr(LOOKS["pink"], item.name) for item in fields(Look)}
    with pytest.raises(UsageError, match="look colour eosin must be three channels"):
        Look(**{**values, "eosin": (300, 0, 0)})
    with pytest.raises(UsageError, match="at least 40 in every channel"):
        Look(**{**values, "background": (10, 200, 200)})
