"""``smearlab card``: what a bundle says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def card(
    bundle: Annotated[
        str, typer.Argument(help="Shipped name ('default') or folder of a bundle.")
    ] = "default",
    kind: Annotated[
        str, typer.Option("--kind", help="segmenter, classifier, generator, upscaler or stain.")
    ] = "segmenter",
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="NAME=FILE",
            help="Write the figures of a JSON made by smearlab evaluate to the card; repeatable.",
        ),
    ] = None,
) -> None:
    """Show the card of a model bundle, or add measured figures to it.

    Example: smearlab card

    Example: smearlab card runs/bundles/cell_types --kind classifier --add pbc_val=cells.json
    """
    import json

    from smearlab.errors import SmearlabError, UsageError
    from smearlab.evaluation.card_metrics import add_metrics
    from smearlab.io.bundles import find_bundle, read_card
    from smearlab.registry import SHIPPED_BUNDLES, look_up

    try:
        look_up("kind of bundle", SHIPPED_BUNDLES, kind)
        folder = find_bundle(kind, bundle)
        for entry in add or []:
            name, equals, file = entry.partition("=")
            if not equals:
                raise UsageError(f"--add takes NAME=FILE; received {entry!r}")
            try:
                result = json.loads(Path(file).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise UsageError(f"{file} cannot be read as JSON: {error}") from error
            add_metrics(folder, kind, name, result)
        typer.echo(json.dumps(read_card(folder, kind), indent=1, ensure_ascii=False))
    except SmearlabError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("card")(card)
