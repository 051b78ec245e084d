"""``smearlab train``: the recipes, from data to bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="Name of a recipe; left out, the recipes are listed.", metavar="RECIPE"
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option("--stage", help="Only this stage; may be given again. All when left out."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="Folder with manifest.csv and the public sets, or 'simulated'.",
            envvar="SMEARLAB_DATA",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the runs; a stage goes on where it stopped.")
    ] = Path("runs"),
    bundles: Annotated[
        Path | None,
        typer.Option("--bundles", help="Folder for the bundles; OUT/bundles when left out."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            help="Bundle whose weights the first stage starts from: a folder, or 'default', the "
            "one that ships. So its training goes on with your data.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, as train.epochs=5 or view.size=320; repeatable."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train the networks of a recipe and write them as bundles. Needs the 'train' extra.

    A run that was interrupted goes on from its last epoch and ends with the same weights. The
    bundles can be used at once: smearlab analyze … --segmenter OUT/bundles/NAME.

    Example: smearlab train shipped --data DIR --out runs

    Example: smearlab train bloodcell_net --data simulated --set train.max_steps=2
    """
    from smearlab.errors import SmearlabError, UsageError
    from smearlab.registry import look_up

    try:
        import torch  # noqa: F401
    except ImportError:
        typer.echo("smearlab train needs torch: install smearlab[train]", err=True)
        raise typer.Exit(2) from None
    from smearlab.learn.recipe import override
    from smearlab.learn.recipes import RECIPES
    from smearlab.learn.run_recipe import run_stages

    if recipe is None:
        for known in RECIPES.values():
            names = ", ".join(part.name for part in known.stages)
            typer.echo(f"{known.name}: {known.title} (stages: {names})")
        return
    try:
        chosen = look_up("recipe", RECIPES, recipe)
        parts = [chosen.stage(name) for name in stage] if stage else chosen.stages
        parts = [override(part, settings or []) for part in parts]
        if data is None:
            raise UsageError("say what to train on: --data DIR, or --data simulated")
        folder = None if data == "simulated" else Path(data)
        target = bundles or out / "bundles"
        typer.echo(f"training {', '.join(part.name for part in parts)} in {out}", err=True)
        for bundle in run_stages(chosen, parts, folder, out, target, start=start, show=not quiet):
            typer.echo(str(bundle))
    except (SmearlabError, FloatingPointError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)
