"""Figures of segmented elements as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from smearlab.evaluation.tables import figure

#: Ground or None, figure, its name, digits.
_ROWS: tuple[tuple[str | None, str, str, int], ...] = (
    (None, "pcc", "PCC", 4),
    (None, "pce", "PCE", 4),
    ("black", "ssim", "SSIM on black", 4),
    ("black", "psnr", "PSNR on black, dB", 2),
    ("black", "snr", "SNR on black, dB", 2),
    ("black", "mae", "MAE on black", 4),
    ("white", "ssim", "SSIM on white", 4),
    ("white", "psnr", "PSNR on white, dB", 2),
    ("white", "snr", "SNR on white, dB", 2),
    (None, "dice", "Dice", 3),
    (None, "iou", "IoU", 3),
    (None, "boundary_f1", "boundary F1", 3),
    (None, "object_f1_50", "object F1 at IoU 0.5", 3),
    (None, "object_f1_75", "object F1 at IoU 0.75", 3),
    (None, "panoptic_quality", "panoptic quality", 3),
)


def elements_table(result: Mapping[str, Any]) -> Table:
    """Elements and their sources as columns, figures as rows.

    Parameters
    ----------
    result : mapping
        What :func:`smearlab.evaluation.elements.evaluate_elements` returns.

    Returns
    -------
    rich.table.Table
    """
    columns = [
        (f"{element} {source}", figures)
        for element, sources in result["elements"].items()
        for source, figures in sources.items()
    ]
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("")
    for name, _ in columns:
        table.add_column(name, justify="right")
    table.add_row("", *[_sizes(figures) for _, figures in columns], end_section=True)
    for ground, key, label, digits in _ROWS:
        table.add_row(label, *[_cell(figures, ground, key, digits) for _, figures in columns])
    table.add_section()
    for key, label in (("n_true", "cells there"), ("n_found", "cells found")):
        table.add_row(label, *[str(figures.get(key, "–")) for _, figures in columns])
    return table


def _sizes(figures: Mapping[str, Any]) -> str:
    groups = f" of {figures['n_groups']} places" if figures["n_groups"] != figures["n"] else ""
    return f"{figures['n']} fields{groups}"


def _cell(figures: Mapping[str, Any], ground: str | None, key: str, digits: int) -> str:
    ends = figures["intervals"]
    if ground is None:
        return figure(figures.get(key), ends.get(key), digits)
    return figure(figures["on"][ground][key], ends["on"][ground][key], digits)
