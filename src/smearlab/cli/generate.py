"""``smearlab generate``: pictures of cells out of a trained generator."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smearlab.cli.long_work import long_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from smearlab.synthesis.generator import End, Generator
    from smearlab.synthesis.pictures import MadePictures

_SHEET, _WAYS = "sheet.png", "interpolation.png"


def generate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN_OR_BUNDLE...",
            help="Run of a generator, its bundle, or a name in $SMEARLAB_MODELS; several where "
            "each makes types of its own.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="Folder for the pictures; goes on if begun."),
    ],
    kinds: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE=N", help="N pictures of a type; may be repeated."),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option("--all", metavar="N", min=1, help="N pictures of every other type."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other pictures.")] = 0,
    truncation: Annotated[
        float | None,
        typer.Option(
            "--truncation",
            help="Draw no number of a latent farther from 0: more typical, less varied.",
            show_default="none",
        ),
    ] = None,
    sheet: Annotated[
        bool, typer.Option("--sheet", help=f"Write DIR/{_SHEET}, too: some pictures of each type.")
    ] = False,
    interpolate: Annotated[
        list[str] | None,
        typer.Option(
            "--interpolate",
            metavar="A:B",
            help=f"Write DIR/{_WAYS}, too: the way from A to B, each TYPE or TYPE=INDEX; may be "
            "repeated.",
        ),
    ] = None,
    publish: Annotated[
        Path | None,
        typer.Option(
            "--publish",
            metavar="FOLDER",
            help="Write a data set for others, too: pictures, card, manifest, checksums.",
        ),
    ] = None,
    verified: Annotated[
        Path | None,
        typer.Option(
            "--verified",
            metavar="FOLDER",
            help="With --publish: put the figures that smearlab verify left here on the card.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            help="Compute runs with torch on this device, as 'cuda'; needs the 'train' extra.",
            show_default="their bundles on the processor",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, help="Of the network.", show_default="one a core"),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Make pictures of single cells with a trained generator.

    Writes to DIR a PNG file for each picture, in a folder for each type, and
    DIR/manifest.parquet, which marks them as synthetic, with model, seed and
    latent. A picture follows from model, seed, type and index: the same call
    gives the same bytes, and more pictures leave the first as they are.
    Interrupted, the same command goes on.

    Exit status: 0 all well, 1 the bundle or the disk fails, 2 the call was
    wrong, 130 Ctrl-C.

    Example: smearlab generate runs/c_wgan_gp-honest --type basophil=500 --seed 1
    --out synthetic --sheet
    """
    with long_work():
        from smearlab.batch.workers import usable_cores
        from smearlab.errors import UsageError
        from smearlab.evaluation.verification_result import read_verification
        from smearlab.synthesis.latents import check_truncation
        from smearlab.synthesis.pictures import make_pictures
        from smearlab.synthesis.publishing import refuse_published
        from smearlab.synthesis.sheets import check_ways
        from smearlab.synthesis.wanted import makers_of, read_wanted

        _refuse_without_pyarrow()
        cores = threads or usable_cores()
        opened = [_opened(model, device, cores) for model in models]
        types = list(dict.fromkeys(kind for model in opened for kind in model.types))
        wanted = read_wanted(kinds or [], every, types)
        pairs = [_ends(text, types) for text in interpolate or []]
        if not wanted and not pairs:
            raise UsageError(
                "say how many pictures: --type TYPE=N, or --all N; there are the types "
                f"{', '.join(types)}"
            )
        shown = {end.type: 0 for pair in pairs for end in pair}
        makers = makers_of([*{**wanted, **shown}], opened)
        check_ways(pairs, makers)
        check_truncation(truncation)
        if verified is not None and publish is None:
            raise UsageError("--verified goes with --publish: it puts figures on the card")
        told = None if verified is None else read_verification(verified)
        if publish is not None:
            refuse_published(publish, sum(wanted.values()))
        with _bar(sum(wanted.values()), quiet) as advance:
            made = make_pictures(
                wanted,
                makers,
                out,
                seed=seed,
                truncation=truncation,
                models=opened,
                threads=cores,
                advance=advance,
            )
        say = (lambda line: None) if quiet else typer.echo
        _tell(made, out, say)
        _draw(made, pairs, makers, out, seed, truncation, sheet, say)
        if publish is not None:
            _publish(made, opened, publish, seed, truncation, told, say)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate")(generate)


def _opened(model: str, device: str | None, threads: int) -> Generator:
    """A bundle by ONNX Runtime, or a run by torch."""
    from smearlab.errors import UsageError
    from smearlab.synthesis.generator import Generator

    if device is None:
        return Generator.load(model, threads)
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UsageError("--device needs torch: install smearlab[train]") from error
    from smearlab.learn.generator_on_device import device_generator
    from smearlab.learn.generator_run import load_generator_run

    return device_generator(load_generator_run(Path(model)), device)


def _refuse_without_pyarrow() -> None:
    from smearlab.errors import UsageError

    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise UsageError("manifests need pyarrow: install smearlab[data]") from error


def _ends(text: str, types: list[str]) -> tuple[End, End]:
    """The ends of ``A:B``."""
    from smearlab.errors import UsageError
    from smearlab.synthesis.wanted import read_end

    start, colon, end = text.partition(":")
    if not colon:
        raise UsageError(
            f"--interpolate takes A:B, as {types[0]}=0:{types[0]}=1; received {text!r}"
        )
    return read_end(start, types), read_end(end, types)


@contextlib.contextmanager
def _bar(total: int, quiet: bool) -> Iterator[Callable[[], None]]:
    from smearlab.cli.data.terminal import progress

    if quiet or not total:
        yield lambda: None
        return
    with progress("pictures", total) as advance:
        yield advance


def _tell(made: MadePictures, out: Path, say: Callable[[str], Any]) -> None:
    if not len(made.manifest):
        return
    before = len(made.wanted) - made.new
    there = f", {before} of them there before" if before else ""
    say(f"{len(made.wanted)} pictures{there}: {out / 'manifest.parquet'}")
    if len(made.manifest) > len(made.wanted):
        say(f"with those of earlier calls the manifest has {len(made.manifest)}")


def _draw(
    made: MadePictures,
    pairs: list[tuple[End, End]],
    makers: dict[str, Generator],
    out: Path,
    seed: int,
    truncation: float | None,
    sheet: bool,
    say: Callable[[str], Any],
) -> None:
    """The sheets that were asked for."""
    from smearlab.synthesis.sheets import sheet_of, ways

    if sheet:
        _write(out / _SHEET, sheet_of(made.wanted), say)
    if pairs:
        _write(out / _WAYS, ways(pairs, makers, seed, truncation), say)


def _write(path: Path, pixels: NDArray[Any], say: Callable[[str], Any]) -> None:
    import io

    from PIL import Image

    from smearlab.batch.folder import writing
    from smearlab.io.atomic import write_bytes

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    with writing(path.parent):
        write_bytes(path, buffer.getvalue())
    say(f"{path}")


def _publish(
    made: MadePictures,
    opened: list[Generator],
    target: Path,
    seed: int,
    truncation: float | None,
    verified: dict[str, Any] | None,
    say: Callable[[str], Any],
) -> None:
    from smearlab.synthesis.publishing import publish

    used = set(made.wanted.column("source"))
    models = [model for model in opened if model.name in used]
    publish(made.wanted, models, target, seed=seed, truncation=truncation, verified=verified)
    say(f"data set: {target}")
    if any(not model.card.get("data") for model in models):
        typer.echo(
            "note: the model's card does not say what it learned from; find out under which "
            f"licence before you give {target} to others",
            err=True,
        )
