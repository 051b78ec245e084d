"""``smearlab export``: a trained network as a bundle for the bench."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smearlab.cli.plain_errors import said_plainly

if TYPE_CHECKING:
    from rich.table import Table

    from smearlab.learn.export_run import ExportConfig
    from smearlab.learn.models.stain_ways import Way


class WeightKind(StrEnum):
    """How weights are stored."""

    AUTO = "auto"
    HALF = "half"
    FLOAT = "float"


class Direction(StrEnum):
    """Ways between two stains."""

    A_TO_B = "a_to_b"
    B_TO_A = "b_to_a"


class Quantized(StrEnum):
    """Arithmetic of fewer bits."""

    INT8 = "int8"


def export(
    run: Annotated[
        Path, typer.Argument(help="Folder of a finished run of smearlab train.", metavar="RUN")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the bundle.",
            show_default="RUN/bundle, with --quantize RUN/bundle-int8",
        ),
    ] = None,
    quantize: Annotated[
        Quantized | None,
        typer.Option(
            "--quantize",
            help="Weights and activations of eight bits, and what that costs: accuracy, bytes and "
            "time of both.",
        ),
    ] = None,
    weights: Annotated[
        WeightKind,
        typer.Option(
            "--weights",
            help="half: files half as large; float: as trained; auto: half where the bundle still "
            "answers within 1e-4 of the checkpoint, or, of a segmenter, moves no more than one "
            "pixel in 10,000.",
        ),
    ] = WeightKind.AUTO,
    context: Annotated[
        float | None,
        typer.Option(
            "--context",
            help="Side of what the network is shown, over the longer side of the cell's box.",
            show_default="measured on the validation pictures",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of the pictures, if not where they were in training."),
    ] = None,
    direction: Annotated[
        Direction | None,
        typer.Option(
            "--direction",
            help="Of a run from stain A to stain B: the way whose bundle is written.",
            show_default="each way, in --out/a_to_b and --out/b_to_a",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the bundle in --out.")] = False,
) -> None:
    """Write a trained classifier, segmenter, generator, upscaler or stain network as a bundle.

    Needs the 'train' extra.

    The bundle's answers are compared with the checkpoint's on validation
    pictures; probabilities may differ by 1e-4 at most. Temperature and
    threshold come from the run's validation predictions. Use the bundle with
    smearlab analyze … --classifier BUNDLE.

    Exit status: 0 all well, 2 the run cannot be exported; nothing is written
    then.

    Example: smearlab export runs/lwcnn-honest/fold-1 --out lwcnn

    Example: smearlab export runs/rwp_gan-honest/wbc --out model/wbc

    Example: smearlab export runs/c_wgan_gp-honest

    Example: smearlab export runs/w_cyclegan_gp-honest --direction b_to_a
    """
    from rich.console import Console

    from smearlab.errors import UsageError

    try:
        import torch  # noqa: F401
    except ImportError:
        typer.echo("smearlab export needs torch: install smearlab[train]", err=True)
        raise typer.Exit(2) from None
    from smearlab.learn.classifier_run import open_classifier_run
    from smearlab.learn.export_run import ExportConfig, bench_knows, export_run
    from smearlab.learn.generator_record import is_generator_run
    from smearlab.learn.segmentation_record import is_segmenter_run
    from smearlab.learn.stain_record import is_stain_run
    from smearlab.learn.upscale_record import is_upscaler_run

    with said_plainly():
        config = ExportConfig(
            weights=weights.value,
            quantize=None if quantize is None else quantize.value,
            context=context,
            data=data,
        )
        target = out or run / ("bundle-int8" if quantize else "bundle")
        stained = is_stain_run(run)
        held = sorted(target.glob("[ab]_to_[ab]/card.json")) if stained and not direction else []
        if ((target / "card.json").exists() or held) and not force:
            raise UsageError(
                f"{target} holds a bundle already; name another folder, or replace it with --force"
            )
        console = Console()
        if direction is not None and not stained:
            raise UsageError(f"--direction: {run} leads from no stain to another; leave it out")
        if stained:
            for way, card in _export_stain(run, target, direction, config).items():
                console.print(_stain_table(card))
                typer.echo(str(target if direction else target / way))
            return
        if is_segmenter_run(run):
            console.print(_segmenter_table(_export_segmenter(run, target, config)))
            typer.echo(str(target))
            return
        if is_generator_run(run):
            console.print(_generator_table(_export_generator(run, target, config)))
            typer.echo(str(target))
            return
        if is_upscaler_run(run):
            console.print(_upscaler_table(_export_upscaler(run, target, config)))
            typer.echo(str(target))
            return
        card = export_run(open_classifier_run(run), target, config)
        console.print(_table(card))
        if "quantised" in card:
            console.print(_cost(card["quantised"]))
        if not bench_knows(card):
            typer.echo(
                f"note: {', '.join(card['classes'])} are not all types of cells that smearlab "
                "analyze knows; it will refuse the bundle",
                err=True,
            )
        typer.echo(str(target))


def _table(card: dict[str, Any]) -> Table:
    """What was written, in a line each."""
    from rich import box
    from rich.table import Table

    parity, figures = card["parity"], card["metrics"]
    before = ", before int8" if "quantised" in card else ""
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    lines = {
        "network": f"{card['network']}, {card['parameters']:,} parameters",
        "input": f"{card['input_px']} px, {card['context']:g} times the cell's box",
        "learned from": "\n".join(card["data"]),
        "weights": f"{card['weights']}, {card['bytes'] / 1e6:.2f} MB",
        f"difference from checkpoint{before}": f"{parity['largest_difference']:g} at most, on "
        f"{parity['pictures']} pictures ({parity['of']})",
        "temperature, threshold": f"{card['temperature']:g}, {card['threshold']:g} "
        f"({card['tuned_on']} validation pictures)",
        **{f"accuracy of the run, {name}": _share(one) for name, one in figures.items()},
    }
    for name, said in lines.items():
        table.add_row(name, said)
    return table


def _export_segmenter(run: Path, target: Path, config: ExportConfig) -> dict[str, Any]:
    from smearlab.learn.export_segmenters import export_segmenter
    from smearlab.learn.segmenter_run import open_segmenter_run

    _refuse_settings_of_classifiers(config, run, "segmenter")
    return export_segmenter(open_segmenter_run(run), target, config.weights, config.data)


def _refuse_settings_of_classifiers(config: ExportConfig, run: Path, kind: str) -> None:
    from smearlab.errors import UsageError

    if config.quantize or config.context is not None:
        raise UsageError(
            f"--quantize and --context are for classifiers, and {run} is a {kind}; leave them out"
        )


def _export_generator(run: Path, target: Path, config: ExportConfig) -> dict[str, Any]:
    from smearlab.io.bundles import read_card
    from smearlab.learn.export_generators import export_generator
    from smearlab.learn.generator_run import load_generator_run

    _refuse_settings_of_classifiers(config, run, "generator")
    return read_card(export_generator(load_generator_run(run), target, config.weights), "generator")


def _generator_table(card: dict[str, Any]) -> Table:
    """What was written of a generator, in a line each."""
    from rich import box
    from rich.table import Table

    parity = card["parity"]
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    lines = {
        "network": f"{card['network']}, {card['parameters']:,} parameters",
        "makes": ", ".join(card["classes"]),
        "pictures": f"{card['size_px']} px, of latents of {card['latent_size']} numbers",
        "learned from": "\n".join(card["data"]),
        "weights": f"{card['weights']}, {card['bytes'] / 1e6:.2f} MB",
        "difference from checkpoint": f"{parity['largest_difference']:g} of 255 at most, on "
        f"{parity['pictures']} pictures",
    }
    for name, said in lines.items():
        table.add_row(name, said)
    return table


def _export_upscaler(run: Path, target: Path, config: ExportConfig) -> dict[str, Any]:
    from smearlab.learn.export_upscaler import export_upscaler
    from smearlab.learn.upscaler_run import open_upscaler_run

    _refuse_settings_of_classifiers(config, run, "upscaler")
    return export_upscaler(open_upscaler_run(run), target, config.weights, config.data)


def _upscaler_table(card: dict[str, Any]) -> Table:
    """What was written of an upscaler, in a line each."""
    from rich import box
    from rich.table import Table

    parity = card["parity"]
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    lines = {
        "network": f"{card['network']}, {card['parameters']:,} parameters",
        "makes pictures": f"{card['factor']} times as wide and high",
        "learned by": card["learned_by"],
        "learned from": "\n".join(card["data"]),
        "weights": f"{card['weights']}, {card['bytes'] / 1e6:.2f} MB",
        "difference from checkpoint": f"{parity['largest_difference']:g} of 255 at most, on "
        f"{parity['pictures']} pictures ({parity['of']})",
    }
    for name, said in lines.items():
        table.add_row(name, said)
    return table


def _export_stain(
    run: Path, target: Path, direction: Direction | None, config: ExportConfig
) -> dict[str, dict[str, Any]]:
    from smearlab.learn.export_stain import export_stain
    from smearlab.learn.stain_run import open_stain_run

    _refuse_settings_of_classifiers(config, run, "stain network")
    chosen: dict[Direction | None, Way | None]
    chosen = {None: None, Direction.A_TO_B: "a_to_b", Direction.B_TO_A: "b_to_a"}
    way = chosen[direction]
    return export_stain(open_stain_run(run), target, way, config.weights, config.data)


def _stain_table(card: dict[str, Any]) -> Table:
    """What was written of a way from stain to stain, in a line each."""
    from rich import box
    from rich.table import Table

    parity, tiling = card["parity"], card["tiling"]
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    lines = {
        "network": f"{card['network']}, {card['parameters']:,} parameters",
        "leads": f"from {card['from']} to {card['to']}",
        "looks": f"{card['context_px']} px far; sides are multiples of {card['multiple_px']} px",
        "learned from": "\n".join(card["data"]),
        "weights": f"{card['weights']}, {card['bytes'] / 1e6:.2f} MB",
        "difference from checkpoint": f"{parity['largest_difference']:g} of 255 at most, on "
        f"{parity['pictures']} pictures ({parity['of']})",
        "tiles against the whole": f"{tiling['largest_difference']} of 255 at most",
    }
    for name, said in lines.items():
        table.add_row(name, said)
    return table


def _segmenter_table(card: dict[str, Any]) -> Table:
    """What was written of a segmenter, in a line each."""
    from rich import box
    from rich.table import Table

    parity, blend = card["parity"], card["blend"]
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    noise = f", noise of {card['noise']['size']:,} factors" if "noise" in card else ""
    lines = {
        "network": f"{card['network']}, {card['parameters']:,} parameters{noise}",
        "segments": card["element"],
        "input": f"tiles of {blend['tile_px']} px, {card['cell_diameter_px']:g} px a red cell",
        "learned from": "\n".join(card["data"]),
        "weights": f"{card['weights']}, {card['bytes'] / 1e6:.2f} MB",
        "difference from checkpoint": f"{parity['largest_difference']:g} at most, "
        f"{parity['pixels_changed']:.2%} of the pixels change, on {parity['pictures']} tiles "
        f"({parity['of']})",
    }
    for name, said in lines.items():
        table.add_row(name, said)
    return table


def _cost(cost: dict[str, Any]) -> Table:
    """Before and after, side by side."""
    from rich import box
    from rich.table import Table

    before, after = cost["before"], cost["after"]
    table = Table("", "before", cost["to"], box=box.SIMPLE_HEAD)
    table.add_row("accuracy", _share(before), _share(after))
    table.add_row("MB", *(f"{one['bytes'] / 1e6:.2f}" for one in (before, after)))
    table.add_row("ms a cell", *(f"{one['ms_per_cell']:.2f}" for one in (before, after)))
    table.add_row("answers changed", "", f"{cost['answers_changed']} of {after['n']}")
    return table


def _share(entry: dict[str, Any]) -> str:
    value = entry["accuracy"]
    if value["value"] is None:
        return "no pictures"
    return f"{value['value']:.2%} ({value['low']:.2%} to {value['high']:.2%}), n = {entry['n']}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)
