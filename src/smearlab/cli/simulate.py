"""``smearlab simulate``: fields of which every cell is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Option("--out", help="New folder for pictures and truth.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many fields.")] = 3,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the first field; the next has the next.")
    ] = 1,
    look: Annotated[
        str,
        typer.Option("--look", help="Stain: cream, pink, grey, blue, mint, or random per field."),
    ] = "cream",
    size: Annotated[
        str, typer.Option("--size", metavar="WxH", help="Width and height of a field, px.")
    ] = "640x480",
    rbc_diameter_px: Annotated[
        float, typer.Option("--rbc-diameter-px", help="Mean diameter of a red cell, px.")
    ] = 76.0,
    rbc: Annotated[
        int | None, typer.Option("--rbc", help="Red cells a field; as many as suit when left out.")
    ] = None,
    wbc: Annotated[int, typer.Option("--wbc", help="Nucleated cells a field.")] = 2,
    plt: Annotated[
        int | None, typer.Option("--plt", help="Platelets a field; as suits when left out.")
    ] = None,
    types: Annotated[
        str | None,
        typer.Option("--types", help="Nucleated types to draw from, with commas; else all."),
    ] = None,
    touching: Annotated[
        float, typer.Option("--touching", help="Share of red cells that touch another, 0 to 1.")
    ] = 0.3,
    inside: Annotated[
        bool, typer.Option("--inside", help="Keep every cell whole within the field.")
    ] = False,
) -> None:
    """Make smear fields of which every cell is known.

    Pictures go to DIR/images. What is true of them goes beside them: boxes (YOLO) to DIR/boxes,
    instance masks (16-bit PNG) to DIR/masks, settings, counts and types to DIR/truth.json. The
    same seed gives the same bytes. The cells are drawn, not photographed: good for trying out and
    for testing, no substitute for a measurement on real smears.

    Example: smearlab simulate --out fields --n 3 --seed 1 --look random
    """
    from smearlab.datasets.simulated_files import write_fields
    from smearlab.datasets.simulator import WBC_TYPES, SmearConfig, simulate_field
    from smearlab.errors import UsageError
    from smearlab.types import CELL_TYPES, ELEMENTS

    try:
        width_px, height_px = _size(size)
        config = SmearConfig(
            height_px=height_px,
            width_px=width_px,
            rbc_diameter_px=rbc_diameter_px,
            n_rbc=rbc,
            n_wbc=wbc,
            n_plt=plt,
            wbc_types=_names(types) if types is not None else WBC_TYPES,
            touching=touching,
            inside=inside,
            look=look,
        )
        truth = write_fields(
            out, (simulate_field(one, config) for one in range(seed, seed + n)), config
        )
    except UsageError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
    totals = {name: sum(field[name] for field in truth["fields"]) for name in ELEMENTS}
    counted = {
        name: sum(field["types"].get(name, 0) for field in truth["fields"]) for name in CELL_TYPES
    }
    listed = ", ".join(f"{count} {name}" for name, count in totals.items())
    typer.echo(f"{n} simulated fields in {out / 'images'}: {listed}")
    nucleated = [f"{count} {name}" for name, count in counted.items() if name in WBC_TYPES if count]
    if nucleated:
        typer.echo(f"nucleated cells: {', '.join(nucleated)}")
    typer.echo(f"what is true of them: {out / 'truth.json'}, {out / 'boxes'}, {out / 'masks'}")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("simulate")(simulate)


def _size(text: str) -> tuple[int, int]:
    from smearlab.errors import UsageError

    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--size must be WIDTHxHEIGHT, e.g. 640x480; received {text!r}")
    return int(width), int(height)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
