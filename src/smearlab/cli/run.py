"""``smearlab run``: a whole system from sources to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from smearlab.cli.long_work import long_work

_ALL = "all"


def run(
    name: Annotated[str, typer.Argument(help="The pipeline: hazra_pipeline.", show_default=False)],
    data: Annotated[
        str,
        typer.Option(
            "--data",
            envvar="SMEARLAB_DATA",
            help="A manifest, a folder with manifest.csv, or 'simulated'.",
            show_default=False,
        ),
    ],
    sources: Annotated[
        tuple[str, str],
        typer.Option("--sources", metavar="A B", help="Two origins of the pictures."),
    ] = ("PBC", "Raabin-WBC"),
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of all stages; they go on in it.")
    ] = Path("hazra"),
    scale: Annotated[
        str,
        typer.Option(
            "--scale", help="'smoke', two steps each; 'cpu', hours on two cores; or 'paper'."
        ),
    ] = "cpu",
    protocol: Annotated[
        str, typer.Option("--protocol", help="'honest', or 'paper', as the thesis did it.")
    ] = "honest",
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            help="Leave out stain, cwgan, fewshot or ge; may be repeated.",
            show_default="nothing",
        ),
    ] = None,
    ablate: Annotated[
        list[str] | None,
        typer.Option(
            "--ablate",
            help="Run again without this module, for the table; may be repeated; 'all' for each of "
            "them and for all but the classifier's.",
            show_default="nothing",
        ),
    ] = None,
    rare: Annotated[
        list[str] | None,
        typer.Option(
            "--rare",
            metavar="TYPE=N",
            help="Cut a type's training pictures down to N; may be repeated.",
            show_default="as the scale has it",
        ),
    ] = None,
    stain: Annotated[
        str | None,
        typer.Option(
            "--stain",
            help="Recipe of a normaliser, or reinhard, macenko, vahadane, histogram.",
            show_default="as the scale has it",
        ),
    ] = None,
    classifier: Annotated[
        str | None,
        typer.Option("--classifier", help="A network.", show_default="as the scale has it"),
    ] = None,
    size_px: Annotated[
        int | None,
        typer.Option("--size-px", help="Side of all pictures.", show_default="as the scale has it"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PART.KEY=VALUE",
            help="A setting of a part's recipe: stain, many, few or classifier, as "
            "many.train.epochs=30; may be repeated.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of splits, draws, trainings.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Run a paper's whole system: from two sources of pictures to a classifier and a report.

    hazra_pipeline (Hazra 2022): import, quality, duplicates, taxonomy, split;
    both sources in one stain; what each type lacks made by C-WGAN-GP or the
    few-shot GAN, for training only; SENet-154-GE, or any classifier; figures of
    real test pictures. DIR/hazra_pipeline.html is the report.

    Each stage is kept in DIR/stages by what it follows from: the same command
    again does only what changed, and goes on where it was stopped.

    Needs the 'train' extra.

    Exit status: 0 all well, 1 pictures or stages are not what they should be, 2
    the call was wrong.

    Example: smearlab run hazra_pipeline --data DIR --sources PBC Raabin-WBC --out hazra

    Example: smearlab run hazra_pipeline --data simulated --scale smoke --ablate all --out tried
    """
    with long_work():
        from smearlab.errors import UsageError

        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise UsageError("smearlab run needs torch: install smearlab[train]") from error
        from smearlab.learn.classifier_recipe import PROTOCOLS
        from smearlab.learn.run_asked import Asked
        from smearlab.learn.workflow.hazra import RESULT, ablations, run_hazra
        from smearlab.learn.workflow.hazra_config import MODULES, HazraConfig
        from smearlab.learn.workflow.hazra_report import write_hazra_report
        from smearlab.learn.workflow.hazra_scales import SCALES
        from smearlab.registry import look_up

        look_up("pipeline", {"hazra_pipeline": None}, name)
        fields: dict[str, Any] = dict(
            look_up("scale", {str(k): v for k, v in SCALES.items()}, scale)
        )
        chosen = {"stain": stain, "classifier": classifier, "size_px": size_px}
        fields |= {key: value for key, value in chosen.items() if value is not None}
        if rare is not None:
            fields["rare"] = _numbers(rare)
        fields["settings"] = _with(fields.get("settings", {}), settings or [])
        modules = {str(one): one for one in MODULES}
        config = HazraConfig(
            sources=sources,
            protocol=look_up("protocol", {str(one): one for one in PROTOCOLS}, protocol),
            seed=seed,
            without=tuple(look_up("module", modules, one) for one in without or ()),
            **fields,
        )
        say = (lambda line: None) if quiet else typer.echo
        asked = Asked(data, out, "honest", show=not quiet, say=say)
        whole = run_hazra(config, asked, ablations(ablate or [], config))
        page = write_hazra_report(out, whole)
        _show(whole)
        typer.echo(f"figures: {out / RESULT}\nreport: {page}")


def _numbers(texts: list[str]) -> dict[str, int]:
    from smearlab.errors import UsageError

    found = {}
    for text in texts:
        kind, _, number = text.partition("=")
        if not kind or not number.isdigit():
            raise UsageError(f"--rare takes TYPE=N, as basophil=26; received {text!r}")
        found[kind] = int(number)
    return found


def _with(known: dict[str, tuple[str, ...]], texts: list[str]) -> dict[str, tuple[str, ...]]:
    """Settings of the scale, then those of the call, which win."""
    from smearlab.errors import UsageError

    found = dict(known)
    for text in texts:
        part, dot, setting = text.partition(".")
        if not dot or "=" not in setting:
            raise UsageError(f"--set takes PART.KEY=VALUE, as many.train.epochs=30; got {text!r}")
        found[part] = (*found.get(part, ()), setting)
    return found


def _show(whole: dict[str, Any]) -> None:
    from rich.console import Console

    from smearlab.evaluation.pipeline_grids import ablation_grids, pipeline_grids

    first = next(iter(whole["runs"]))
    console = Console()
    pipeline_grids(whole, first)["evaluation"][0].show(console)
    if len(whole["runs"]) > 1:
        ablation_grids(whole)[0].show(console)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)
