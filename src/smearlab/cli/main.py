"""The ``smearlab`` command: one file a command, heavy imports inside the command."""

from __future__ import annotations

import typer

from smearlab.cli import (
    analyze,
    card,
    compare,
    data,
    evaluate,
    export,
    generate,
    reproduce,
    run,
    segment,
    simulate,
    stain,
    train,
    upscale,
    verify,
)

app = typer.Typer(
    name="smearlab",
    help="Read pictures of peripheral blood smears: find, split, type and count the cells. "
    "Research use only.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
analyze.register(app)
segment.register(app)
evaluate.register(app)
compare.register(app)
card.register(app)
simulate.register(app)
train.register(app)
export.register(app)
generate.register(app)
upscale.register(app)
stain.register(app)
verify.register(app)
reproduce.register(app)
run.register(app)
data.register(app)
