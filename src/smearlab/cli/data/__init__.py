"""``smearlab data``: archives into one table, and what may be done with it."""

from __future__ import annotations

import importlib

import typer

#: Modules beside this one that add commands.
PARTS = ("archives", "duplicates", "erythrocytes", "segment", "tables")

app = typer.Typer(
    name="data",
    help="Public and own picture sets: import, check, merge, find duplicates, split honestly.",
    no_args_is_help=True,
)
for _name in PARTS:
    importlib.import_module(f"{__name__}.{_name}").register(app)


def register(main: typer.Typer) -> None:
    """Add the group of commands."""
    main.add_typer(app, name="data")
