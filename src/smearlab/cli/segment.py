"""``smearlab segment``: red cells, white cells and platelets on pictures of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from smearlab.cli.analyze import Force, Jobs, MaxPixels, Out, Paths, Quiet, Simulated, UmPerPx
from smearlab.cli.long_work import long_work, shown_progress

if TYPE_CHECKING:
    from smearlab.batch.element_run import ElementRunResult
    from smearlab.elements.segmenter import ElementSegmenter

Elements = Annotated[
    list[str] | None,
    typer.Option(
        "--element",
        metavar="rbc|wbc|plt|all",
        help="What to segment; may be given several times. Without it, all that the model has.",
        show_default=False,
    ),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME|FOLDER",
        help="A shipped segmenter, a bundle folder, a folder with bundles in rbc, wbc and plt, or "
        "the name of one of these in $SMEARLAB_MODELS.",
    ),
]
Samples = Annotated[
    int,
    typer.Option(
        "--samples",
        min=1,
        help="Draws of the network's noise; from 2 on also a map of their spread.",
    ),
]
Noise = Annotated[
    bool,
    typer.Option(
        "--noise/--no-noise",
        help="Keep the network's dropout on for a single draw, too. More samples always do.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the noise.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @app.command("segment")
    def segment(
        paths: Paths,
        out: Out,
        element: Elements = None,
        model: Model = "default",
        samples: Samples = 1,
        noise: Noise = False,
        seed: Seed = 0,
        um_per_px: UmPerPx = None,
        jobs: Jobs = None,
        force: Force = False,
        simulated: Simulated = False,
        max_pixels: MaxPixels = 200_000_000,
        quiet: Quiet = False,
    ) -> None:
        """Segment red cells, white cells and platelets, and measure every cell.

        Writes to DIR: index.html (open it in a browser), cells.csv (size, form, colour and texture
        of every cell), summary.csv, errors.csv, and in the folder pictures for each field and
        element a segmented picture, a mask and the labels of the cells, and all elements on one
        picture. Ctrl-C or a crash loses at most the fields in hand: the same command goes on.

        A picture that cannot be read costs only itself. Exit status: 0 all well, 1 some pictures
        failed or the results could not be written, 2 usage, 130 Ctrl-C.

        Example: smearlab segment slides/*.jpg --element wbc --element plt --out segmented
        """
        with long_work():
            from smearlab.batch.element_run import segment_files
            from smearlab.batch.run import RunOptions

            options = RunOptions(
                um_per_px=um_per_px, max_pixels=max_pixels, simulated=simulated, jobs=jobs
            )
            segmenter = _load(model, element or [], samples, noise, seed)
            with shown_progress(quiet) as progress:
                result = segment_files(
                    paths, out, segmenter, options, force=force, progress=progress
                )
            if not quiet:
                _print_result(result)
        raise typer.Exit(1 if result.errors else 0)


def _load(model: str, words: list[str], samples: int, noise: bool, seed: int) -> ElementSegmenter:
    """The networks that were asked for, made to be shared by threads."""
    import cv2

    from smearlab.elements.models import find_model, read_elements
    from smearlab.elements.segmenter import ElementSegmenter

    cv2.setNumThreads(1)  # the cores belong to the fields that are segmented side by side
    found = find_model(model)
    elements = read_elements(words, found)
    return ElementSegmenter(found, elements, samples=samples, noise=noise, seed=seed)


def _print_result(result: ElementRunResult) -> None:
    """Cells of each element, and where everything lies."""
    from smearlab.types import ELEMENT_NAMES

    for element, n in result.totals.items():
        typer.echo(f"{ELEMENT_NAMES[element]}: {n}")
    if result.errors:
        typer.echo(
            f"{len(result.errors)} of {result.n_inputs} files failed: "
            f"{result.folder / 'errors.csv'}"
        )
    typer.echo(f"Pictures: {result.folder / 'pictures'}")
    typer.echo(f"Page: {result.page}")
