"""``smearlab verify``: what synthetic pictures are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from smearlab.cli.long_work import long_work
from smearlab.cli.result_files import refuse_unwritable, write_figures
from smearlab.errors import UsageError


def verify(
    synthetic: Annotated[
        Path | None,
        typer.Argument(
            help="Synthetic pictures: the folder that smearlab generate wrote, or a manifest.",
            show_default=False,
        ),
    ] = None,
    real: Annotated[
        str | None,
        typer.Option(
            "--real",
            help="Real pictures: a manifest, a folder, or 'simulated'.",
            metavar="MANIFEST",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the results; checks that are done stay.")
    ] = Path("verified"),
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="figures, neighbours, cosine, blind-test, real-on-synthetic, synthetic-on-real, "
            "added or balanced; may be repeated.",
            show_default="all; balanced where a type lacks pictures",
        ),
    ] = None,
    taxonomy: Annotated[
        str,
        typer.Option("--taxonomy", help="Of the real pictures; 'given' for the column type."),
    ] = "given",
    crop_px: Annotated[
        int,
        typer.Option(
            "--crop-px",
            min=0,
            help="Side of the middle square of real pictures that the synthetic ones show; 0: all.",
        ),
    ] = 200,
    network: Annotated[
        str, typer.Option("--network", help="Classifier that is trained.")
    ] = "lwcnn",
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, help="On the real training pictures.")
    ] = 30,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Trainings of each share in 'added'.")
    ] = 3,
    share: Annotated[
        list[float] | None,
        typer.Option(
            "--share",
            help="Synthetic pictures that are added, % of the real ones; may be repeated.",
            show_default="0, 25, 50, 100, 200",
        ),
    ] = None,
    balance_to: Annotated[
        int,
        typer.Option(
            "--balance-to",
            min=0,
            metavar="N",
            help="Training pictures of each type in 'balanced'; 0: as many as the commonest has.",
        ),
    ] = 0,
    features: Annotated[
        str, typer.Option("--features", help="Classifier bundle whose features are compared.")
    ] = "default",
    inception: Annotated[
        Path | None,
        typer.Option("--inception", help="Weights of Inception-v3, whose features are compared."),
    ] = None,
    lpips: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--lpips", help="Weights of AlexNet, and of LPIPS's channels."),
    ] = None,
    blind: Annotated[
        int, typer.Option("--blind", min=1, help="Real and synthetic cells of each type.")
    ] = 10,
    most: Annotated[
        int, typer.Option("--most", min=2, help="Pictures of a type that figures are made of.")
    ] = 300,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="PART",
            help="Real pictures that distributions are compared with: train, or test where the "
            "generator saw few.",
        ),
    ] = "train",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of split, draws and training.")] = 0,
    score: Annotated[
        Path | None, typer.Option("--score", help="Score these answers of the blind test.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="Its key.", show_default="OUT/blind-test-key/key.json"),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="With --score: write the figures here, too.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Verify synthetic pictures: are they like real ones, and do they help?

    Figures of distributions, memorisation, cosine similarity, a blind test for an
    expert, classifiers trained on real and tried on synthetic pictures and the
    other way round, and the accuracy on real test pictures with synthetic ones
    added in training. Results lie in OUT/verification.html and .json; the same
    command goes on where it was stopped.

    Needs the 'train' extra, except for --score.

    Exit status: 0 all well, 1 pictures are not what they should be, 2 the call
    was wrong.

    Example: smearlab verify synthetic --real pbc.parquet --out verified

    Example: smearlab verify synthetic --real pbc.parquet --only figures --only cosine

    Example: smearlab verify --score answers.json --key verified/blind-test-key/key.json
    """
    with long_work():
        if score is not None:
            _score(score, key or out / "blind-test-key" / "key.json", json)
            return
        if synthetic is None or real is None:
            raise UsageError(
                "name the synthetic pictures and, with --real, the real ones; or score the answers "
                "of a blind test with --score"
            )
        if json is not None or key is not None:
            raise UsageError("--json and --key go with --score; figures lie in --out")
        from smearlab.evaluation.verification_result import RESULT
        from smearlab.learn.verification.config import Against, VerifyConfig
        from smearlab.learn.verification.run import PAGE, verify

        config = VerifyConfig(
            network=network,
            epochs=epochs,
            seeds=seeds,
            shares=VerifyConfig.shares if not share else tuple(one / 100 for one in share),
            balance_to=balance_to,
            crop_px=crop_px,
            taxonomy=taxonomy,
            checks=tuple(only or ()),
            features=features,
            inception=inception,
            lpips=lpips,
            most_of_type=most,
            against=cast(Against, against),
            blind_each=blind,
            seed=seed,
        )
        said = (lambda line: None) if quiet else typer.echo
        whole = verify(synthetic, real, config, out, show=not quiet, say=said)
        _show(whole)
        typer.echo(f"figures: {out / RESULT}\nreport: {out / PAGE}")


def _show(whole: dict[str, object]) -> None:
    from rich.console import Console

    from smearlab.evaluation.verification_grids import verification_grids

    console = Console()
    for grids in verification_grids(whole).values():
        grids[0].show(console)


def _score(answers: Path, key: Path, json: Path | None) -> None:
    from rich.console import Console

    from smearlab.evaluation.blind_test import BlindKey, read_answers, score
    from smearlab.evaluation.results import plain
    from smearlab.evaluation.verification_grids import score_grids

    refuse_unwritable({"--json": json})
    hidden = BlindKey.load(key)
    result = plain(score(hidden, read_answers(answers, hidden)))
    console = Console()
    for grid in score_grids(result):
        grid.show(console)
    if json is not None:
        write_figures(json, result)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)
