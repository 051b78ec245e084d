"""Red cells that are fit to be cut out, told on the truth of simulated fields."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smearlab.datasets.simulator import SimulatedField, SmearConfig, simulate_field
from smearlab.datasets.whole_red_cells import CutRules, fit_to_cut, square_around
from smearlab.errors import UsageError
from smearlab.pipeline import Analysis

CONFIG = SmearConfig(
    height_px=260, width_px=280, rbc_diameter_px=46, n_rbc=10, n_wbc=1, n_plt=1, touching=0,
    overlap=0, oval=0, gap_px=8, inside=True,
)  # fmt: skip


def truth_of(analysed: SimulatedField) -> Analysis:
    return Analysis(analysed.cells, analysed.field.width_px, analysed.field.height_px)


def test_whole_red_cells_like_their_neighbours_are_fit() -> None:
    truth = simulate_field(5, CONFIG)
    fit = fit_to_cut(truth_of(truth), CutRules())
    assert len(fit) >= 5
    assert {cell.element for cell in fit} == {"RBC"}
    for cell in fit:
        x0, y0, x1, y1 = square_around(cell.bbox, 1.2)
        assert x0 >= 0 and y0 >= 0 and x1 <= 280 and y1 <= 260


def test_cells_of_unusual_size_or_shape_are_left() -> None:
    truth = simulate_field(5, CONFIG)
    fit = fit_to_cut(truth_of(truth), CutRules())
    odd = fit[0].label

    def changed(scale_x: float, scale_y: float) -> tuple[int, ...]:
        cells = []
        for cell in truth.cells:
            if cell.label == odd:
                middle = cell.contour.mean(0)
                contour = (cell.contour - middle) * (scale_x, scale_y) + middle
                cell = replace(
                    cell,
                    contour=contour.astype(np.float32),
                    area_px=cell.area_px * scale_x * scale_y,
                )
            cells.append(cell)
        analysis = Analysis(tuple(cells), 280, 260)
        return tuple(cell.label for cell in fit_to_cut(analysis, CutRules()))

    assert odd in changed(1.0, 1.0)
    assert odd not in changed(0.5, 0.5)
    assert odd not in changed(0.55, 1.8)


def test_cells_that_touch_another_are_left() -> None:
    config = replace(CONFIG, touching=1.0, overlap=0.3, n_wbc=0, n_plt=0, n_rbc=14)
    truth = simulate_field(4, config)
    fit = fit_to_cut(truth_of(truth), CutRules())
    assert len(fit) < 7
    loose = fit_to_cut(truth_of(truth), CutRules(alone=1))
    assert len(loose) > len(fit)


def test_too_few_cells_tell_nothing() -> None:
    truth = simulate_field(5, replace(CONFIG, n_rbc=3))
    assert fit_to_cut(truth_of(truth), CutRules()) == ()
    assert fit_to_cut(truth_of(truth), CutRules(least=2)) != ()


def test_granules_are_no_red_cells() -> None:
    truth = simulate_field(5, CONFIG)
    tiny = tuple(
        replace(cell, contour=(cell.contour * 0.3).astype(np.float32), area_px=cell.area_px * 0.09)
        for cell in truth.cells
    )
    assert fit_to_cut(Analysis(tiny, 280, 260), CutRules(alone=1)) == ()
    assert fit_to_cut(Analysis(tiny, 280, 260), CutRules(alone=1, least_px=0)) != ()
    with pytest.raises(UsageError, match=r"least_px.*-1"):
        CutRules(least_px=-1)
