"""``smearlab upscale``: pictures of two or four times the sides."""

from __future__ import annotations

from typing import Annotated

import typer

from smearlab.cli.analyze import Force, MaxPixels, Out, Paths, Quiet, UmPerPx
from smearlab.cli.long_work import long_work, shown_progress

Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="bicubic|RUN|BUNDLE",
        help="bicubic interpolation, the folder of an upscaler's run or bundle, or the name of one "
        "in $SMEARLAB_MODELS.",
    ),
]
Factor = Annotated[
    int | None,
    typer.Option(
        "--factor",
        help="How many times as wide and high; 2 to 8 with bicubic (4). A network has its own.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", min=1, help="Pictures at a time; they share the cores."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @app.command("upscale")
    def upscale(
        paths: Paths,
        out: Out,
        model: Model,
        factor: Factor = None,
        um_per_px: UmPerPx = None,
        jobs: Jobs = 1,
        force: Force = False,
        max_pixels: MaxPixels = 200_000_000,
        quiet: Quiet = False,
    ) -> None:
        """Make pictures of any size larger.

        Writes to DIR: a PNG for each picture in the folder pictures, pictures.csv and errors.csv.
        Where the width of a pixel is known, the PNG says the smaller one. What a network adds was
        learned from other cells: it looks sharp and need not be true. Ctrl-C or a crash loses at
        most the pictures in hand: the same command goes on.

        A picture that cannot be read costs only itself. Exit status: 0 all well, 1 some pictures
        failed or the results could not be written, 2 usage, 130 Ctrl-C.

        Example: smearlab upscale slides/*.jpg --model runs/srgan-honest --out larger
        """
        with long_work():
            from smearlab.batch.run import RunOptions
            from smearlab.batch.upscale_run import upscale_files
            from smearlab.batch.workers import usable_cores
            from smearlab.upscale.upscaler import Upscaler

            options = RunOptions(um_per_px=um_per_px, max_pixels=max_pixels, jobs=jobs)
            upscaler = Upscaler.load(model, factor, threads=max(1, usable_cores() // jobs))
            with shown_progress(quiet) as progress:
                result = upscale_files(
                    paths, out, upscaler, options, force=force, progress=progress
                )
            if not quiet:
                done = result.n_inputs - len(result.errors)
                typer.echo(f"{done} pictures, {upscaler.factor} times as wide: {result.folder}")
                if result.errors:
                    typer.echo(
                        f"{len(result.errors)} of {result.n_inputs} files failed: "
                        f"{result.folder / 'errors.csv'}"
                    )
        raise typer.Exit(1 if result.errors else 0)
