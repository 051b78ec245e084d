"""``smearlab simulate``: fields and single cells of which everything is known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from smearlab.datasets.simulator import SimulatedField, SmearConfig

#: Pictures from which on a progress bar is shown.
_MANY = 20


def simulate(
    out: Annotated[Path, typer.Option("--out", help="New folder for pictures and truth.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many fields, or cells a type.")] = 3,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the first picture; the next has the next.")
    ] = 1,
    cells: Annotated[
        bool, typer.Option("--cells", help="Single cells in the middle, a folder a type.")
    ] = False,
    look: Annotated[
        str,
        typer.Option("--look", help="Stain: cream, pink, grey, blue, mint, or random a picture."),
    ] = "cream",
    dye: Annotated[
        float, typer.Option("--dye", help="How strongly the dyes took, 0.3 to 2.")
    ] = 1.0,
    size: Annotated[
        str | None,
        typer.Option(
            "--size", metavar="WxH", help="Width and height, px.", show_default="640x480, 360x363"
        ),
    ] = None,
    rbc_diameter_px: Annotated[
        float | None,
        typer.Option(
            "--rbc-diameter-px", help="Mean diameter of a red cell, px.", show_default="76, 68"
        ),
    ] = None,
    rbc: Annotated[
        int | None, typer.Option("--rbc", help="Red cells a picture; else as --coverage says.")
    ] = None,
    wbc: Annotated[
        int | None,
        typer.Option("--wbc", help="Nucleated cells a picture.", show_default="2, 0 beside a cell"),
    ] = None,
    plt: Annotated[
        int | None, typer.Option("--plt", help="Platelets a picture; as suits when left out.")
    ] = None,
    types: Annotated[
        str | None,
        typer.Option("--types", help="Types to draw, with commas; else all."),
    ] = None,
    coverage: Annotated[
        float, typer.Option("--coverage", help="Share that red cells cover, 0 to 0.7.")
    ] = 0.3,
    touching: Annotated[
        float, typer.Option("--touching", help="Share of red cells that touch another, 0 to 1.")
    ] = 0.3,
    overlap: Annotated[
        float, typer.Option("--overlap", help="Greatest overlap of touching cells, 0 to 0.9 radii.")
    ] = 0.35,
    inside: Annotated[
        bool, typer.Option("--inside", help="Keep every cell whole within the field.")
    ] = False,
    blur_px: Annotated[float, typer.Option("--blur-px", help="Blur at best focus, px.")] = 0.7,
    uneven_focus_px: Annotated[
        float, typer.Option("--uneven-focus-px", help="Further blur where focus is worst, px.")
    ] = 0.0,
    noise: Annotated[float, typer.Option("--noise", help="Camera noise, grey levels.")] = 2.0,
    illumination: Annotated[
        float, typer.Option("--illumination", help="Loss of light towards one side, 0 to 0.5.")
    ] = 0.05,
) -> None:
    """Make smear fields, or single cells, of which everything is known.

    Pictures go to DIR/images. What is true of them goes beside them: boxes (YOLO) to DIR/boxes,
    instance masks (16-bit PNG) to DIR/masks, settings, counts and types to DIR/truth.json, a row a
    picture to DIR/manifest.parquet. With --cells a picture holds one cell in its middle, in a
    folder of its type, and its mask shows the cell (128) and its nucleus (255). The same seed
    gives the same bytes. The cells are drawn, not photographed: good for trying out and for
    testing, no substitute for a measurement on real smears.

    Example: smearlab simulate --out fields --n 3 --seed 1 --look random
    """
    from smearlab.errors import UsageError

    settings: dict[str, Any] = {
        "rbc_diameter_px": rbc_diameter_px,
        "n_rbc": rbc,
        "n_wbc": wbc if wbc is not None or cells else 2,
        "n_plt": plt,
        "coverage": coverage,
        "touching": touching,
        "overlap": overlap,
        "inside": inside,
        "look": look,
        "dye": dye,
        "blur_px": blur_px,
        "uneven_focus_px": uneven_focus_px,
        "noise": noise,
        "illumination": illumination,
    }
    try:
        if size is not None:
            settings["width_px"], settings["height_px"] = _size(size)
        given = {name: value for name, value in settings.items() if value is not None}
        names = None if types is None else _names(types)
        lines = (_cells if cells else _fields)(out, n, seed, names, given)
    except UsageError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
    for line in lines:
        typer.echo(line)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("simulate")(simulate)


def _fields(
    out: Path, n: int, seed: int, types: tuple[str, ...] | None, given: dict[str, Any]
) -> list[str]:
    """Write fields; returns what to tell."""
    from smearlab.datasets.simulated_files import write_fields
    from smearlab.datasets.simulator import WBC_TYPES, SmearConfig, simulate_field
    from smearlab.types import CELL_TYPES, ELEMENTS

    config = SmearConfig(**given, wbc_types=WBC_TYPES if types is None else types)
    made = (simulate_field(one, config) for one in range(seed, seed + n))
    truth = write_fields(out, _shown(made, n, "fields"), config)
    totals = {name: sum(field[name] for field in truth["fields"]) for name in ELEMENTS}
    counted = {
        name: sum(field["types"].get(name, 0) for field in truth["fields"]) for name in CELL_TYPES
    }
    listed = ", ".join(f"{count} {name}" for name, count in totals.items())
    lines = [f"{n} simulated fields in {out / 'images'}: {listed}"]
    nucleated = [f"{count} {name}" for name, count in counted.items() if name in WBC_TYPES if count]
    if nucleated:
        lines.append(f"nucleated cells: {', '.join(nucleated)}")
    return [*lines, *_whereabouts(out, "boxes", "masks")]


def _cells(
    out: Path, n: int, seed: int, types: tuple[str, ...] | None, given: dict[str, Any]
) -> list[str]:
    """Write single cells; returns what to tell."""
    from dataclasses import replace

    from smearlab.datasets.simulated_cells import RELATIVE_DIAMETER
    from smearlab.datasets.simulated_files import write_cells
    from smearlab.datasets.simulator import CELL_CONFIG, simulate_cell

    types = tuple(RELATIVE_DIAMETER) if types is None else types
    config: SmearConfig = replace(CELL_CONFIG, **given)
    for name in types:  # a wrong name is told before anything is made
        replace(config, centre=name)
    order = [name for _ in range(n) for name in types]
    made = (simulate_cell(seed + i, name, config) for i, name in enumerate(order))
    write_cells(out, _shown(made, len(order), "cells"))
    listed = ", ".join(f"{order.count(name)} {name}" for name in dict.fromkeys(types))
    lines = [f"{len(order)} simulated cells in {out / 'images'}: {listed}"]
    return [*lines, *_whereabouts(out, "masks")]


def _whereabouts(out: Path, *folders: str) -> list[str]:
    from smearlab.datasets.simulated_files import MANIFEST

    lines = [
        "what is true of them: " + ", ".join(str(out / name) for name in ("truth.json", *folders))
    ]
    if not (out / MANIFEST).exists():
        return [*lines, "no manifest was written: that needs pip install 'smearlab[data]'"]
    return [*lines, f"a row a picture: {out / MANIFEST}"]


def _shown(made: Iterable[SimulatedField], total: int, unit: str) -> Iterable[SimulatedField]:
    """The same pictures, with a progress bar where there are many and somebody looks."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    hidden = total < _MANY or not console.is_terminal
    return track(made, unit, total, console=console, disable=hidden)


def _size(text: str) -> tuple[int, int]:
    from smearlab.errors import UsageError

    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--size must be WIDTHxHEIGHT, e.g. 640x480; received {text!r}")
    return int(width), int(height)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
