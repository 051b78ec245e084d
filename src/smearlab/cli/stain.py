"""``smearlab stain``: fit a normaliser, put pictures into another stain, compare normalisers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smearlab.cli.analyze import Force, MaxPixels, Out, Quiet, UmPerPx
from smearlab.cli.long_work import long_work, shown_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smearlab.report.records import FileError

app = typer.Typer(
    name="stain",
    help="Stain normalisation: one smear made to look as if stained and lit like another.",
    no_args_is_help=True,
)


class Ground(StrEnum):
    """What becomes of the ground."""

    MATCH = "match"
    KEEP = "keep"
    PUBLISHED = "published"


class Estimate(StrEnum):
    """Where the numbers of the source come from."""

    PICTURE = "picture"
    SOURCE = "source"


_PLACE = "a folder, a file, a pattern in quotes, or a manifest (.csv, .parquet)."
_ROOT = typer.Option("--data", help="Folder of a manifest's pictures, if not where it says.")
_MODEL = (
    "a file of smearlab stain fit, the folder of a stain bundle, the name of either in "
    "$SMEARLAB_MODELS, or romanowsky, which ships."
)


@app.command("fit")
def fit(
    source: Annotated[str, typer.Argument(help=f"Pictures to be normalised: {_PLACE}")],
    target: Annotated[str, typer.Argument(help=f"Pictures they shall look like: {_PLACE}")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL.json", help="File to write.")],
    method: Annotated[
        str, typer.Option("--method", help="vahadane, macenko, reinhard or histogram.")
    ] = "vahadane",
    ground: Annotated[
        Ground,
        typer.Option(
            "--ground",
            help="match: the ground gets the target's colour. keep: it keeps its own. published: "
            "the ground is not looked at, as the methods were published.",
        ),
    ] = Ground.MATCH,
    estimate: Annotated[
        Estimate,
        typer.Option(
            "--estimate",
            help="picture: the stains of each picture are measured. source: all have those of "
            "SOURCE, so that pictures of one smear keep their differences.",
        ),
    ] = Estimate.PICTURE,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Pictures of each side that are measured.")
    ] = 40,
    data: Annotated[Path | None, _ROOT] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    quiet: Quiet = False,
) -> None:
    """Fit a reference-based normaliser: learn how TARGET is stained.

    Two stains make a blood smear: azure, which makes nuclei purple, and eosin,
    which makes red cells pink. vahadane and macenko find both in
    the target and carry each over; reinhard and histogram carry over colours
    as a whole, and go wrong where the mix of cells differs. Networks are
    trained instead: smearlab train w_cyclegan_gp.

    The target needs white cells and red cells. SOURCE and TARGET may share no
    picture, also no altered copy. Prints how near the colours of SOURCE come
    to those of TARGET. Exit status: 0 all well, 1 a file could not be read or
    written, 2 the call was wrong.

    Example: smearlab stain fit smears/pink smears/cream --out cream.json
    """
    with long_work():
        from smearlab.batch.stain_fit import FitOptions, fit_files
        from smearlab.errors import UsageError

        options = FitOptions(method, ground.value, estimate.value, most)
        if out.exists() and not force:
            raise UsageError(f"{out} exists; name another file, or replace it with --force")
        result = fit_files(source, target, out, options, data)
        if not quiet:
            _print_figures(result.figures)
            typer.echo(f"model: {out}")
        _say_unread(result.unread)
    raise typer.Exit(1 if result.unread else 0)


@app.command("apply")
def apply(
    model: Annotated[str, typer.Argument(help=f"Normaliser: {_MODEL}")],
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Pictures, folders of pictures, or patterns."),
    ],
    out: Out,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Also draw some before and after, in DIR/sheet.png.")
    ] = False,
    um_per_px: UmPerPx = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Pictures at a time; they share the cores.")
    ] = 1,
    force: Force = False,
    max_pixels: MaxPixels = 200_000_000,
    quiet: Quiet = False,
) -> None:
    """Put pictures of any size into another stain, without seams.

    Writes to DIR: a PNG for each picture in the folder pictures, pictures.csv
    and errors.csv. A blank or nearly blank picture comes back as it was;
    pictures.csv says which and why. Ctrl-C or a crash loses at most the
    pictures in hand: the same command goes on. A picture that cannot be read
    costs only itself. Exit status: 0 all well, 1 some pictures failed or the
    results could not be written, 2 usage, 130 Ctrl-C.

    Example: smearlab stain apply cream.json slides/*.jpg --out normalised --sheet
    """
    with long_work():
        from smearlab.batch.run import RunOptions
        from smearlab.batch.stain_apply import normalise_files
        from smearlab.batch.workers import usable_cores
        from smearlab.stain.models import load_normaliser

        options = RunOptions(um_per_px=um_per_px, max_pixels=max_pixels, jobs=jobs)
        normaliser = load_normaliser(model, max(1, usable_cores() // jobs))
        with shown_progress(quiet) as progress:
            result = normalise_files(
                paths, out, normaliser, options, sheet=sheet, force=force, progress=progress
            )
        if not quiet:
            typer.echo(f"{len(result.pictures)} pictures by {normaliser.name}: {result.folder}")
            if result.errors:
                typer.echo(
                    f"{len(result.errors)} of {result.n_inputs} files failed: "
                    f"{result.folder / 'errors.csv'}"
                )
    raise typer.Exit(1 if result.errors else 0)


@app.command("compare")
def compare(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help=f"Each {_MODEL}")],
    source: Annotated[str, typer.Option("--source", help=f"Pictures to be normalised: {_PLACE}")],
    target: Annotated[str, typer.Option("--target", help=f"What they are to look like: {_PLACE}")],
    out: Out,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Pictures of each side that are measured.")
    ] = 20,
    data: Annotated[Path | None, _ROOT] = None,
    quiet: Quiet = False,
) -> None:
    """Compare normalisers on the same pictures.

    Colour difference of ground and nucleus to the target's (CIEDE2000),
    structure that is kept (SSIM of lightness and of what azure takes up, Dice
    of the nucleus), ground that is kept, and speed. Writes to DIR: report.html,
    table.md, figures.json, and sheet.png with real pictures beside each
    model's. Measure on other pictures than the models were fitted to. Exit
    status: 0 all well, 1 a file could not be read or written, 2 usage.

    Example: smearlab stain compare cream.json reinhard.json --source new/pink --target new/cream
    --out compared
    """
    with long_work():
        from smearlab.batch.stain_compare import compare_normalisers
        from smearlab.batch.workers import usable_cores
        from smearlab.stain.models import load_normaliser

        threads = usable_cores()
        normalisers = [load_normaliser(model, threads) for model in models]
        result = compare_normalisers(normalisers, source, target, out, most, data)
        if not quiet:
            from rich.console import Console

            result.grid.show(Console())
            typer.echo(f"report: {result.folder / 'report.html'}")
        _say_unread(result.unread)
    raise typer.Exit(1 if result.unread else 0)


def _print_figures(figures: Any) -> None:
    """Colours before and after, on the pictures that the model was fitted to."""
    for name, words in (("ground_de00", "ground"), ("nucleus_de00", "nucleus")):
        before, after = (figures[when][name] for when in ("before", "after"))
        if before["value"] is not None:
            typer.echo(
                f"{words}: CIEDE2000 to the target {before['value']:.1f} before, "
                f"{after['value']:.1f} after (n {after['n']})"
            )
    if figures["unchanged"]:
        typer.echo(f"{figures['unchanged']} of {figures['n']} pictures came back as they were")


def _say_unread(unread: Sequence[FileError]) -> None:
    for one in unread:
        typer.echo(f"not read: {one.path}: {one.reason}", err=True)


def register(main: typer.Typer) -> None:
    """Add the group of commands."""
    main.add_typer(app, name="stain")
