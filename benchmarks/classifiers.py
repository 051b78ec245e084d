"""The tables of docs/classifier-results.md, from the runs that the page's commands made.

    python benchmarks/classifiers.py RUNS
    python benchmarks/classifiers.py RUNS --reports    the report of every run as well

``RUNS`` is the folder of the runs. For every part of the page the runs that are there and finished
are compared as ``smearlab compare`` does: the tables are written between the marks of the page, and
``NAME.json`` and ``NAME.html`` into docs/results/classifiers. Runs of one part that know the same
classes stand in one table; those that were tested on the same pictures are tested against each
other. What was begun and not finished is named in the page; a part of which RUNS has nothing stays
as it is, so that runs may lie in several folders. ``--reports`` calls ``smearlab
evaluate`` for each run; reports that are there already are linked without it, too. Speeds are read
from ``training*.json`` and ``inference*.json`` in docs/results/classifiers, as
benchmarks/training.py and benchmarks/inference.py print them.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.errors import RunError
from smearlab.evaluation.comparison import compare_runs
from smearlab.evaluation.comparison_grids import comparison_grids, tests_grid
from smearlab.evaluation.grids import Grid, count, number
from smearlab.evaluation.runs import SUMMARY, RunSummary, runs_of
from smearlab.evaluation.tested_runs import TestedRun, open_runs
from smearlab.io.atomic import write_text
from smearlab.report.comparison_page import write_comparison_page

DOCS = Path(__file__).resolve().parents[1] / "docs"
#: Part of the page → folders of its runs below RUNS, with wildcards.
PARTS: Mapping[str, Sequence[str]] = {
    "pbc": (
        "lwcnn-*", "w_net_pbc-*", "compact_pbc-*", "efficientnet_lite0_*pbc-*",
        "regnety_400mf_pbc-*", "cell_types_compact_pbc-*", "convnext_nano_pbc-*",
        "efficientnetv2_nano_pbc-*", "densenet*_pbc-*",
    ),
    "curve": ("curve/*",),
    "w_net": (
        "w_net-*", "w_net_svm*", "w_net_alexnet*", "w_net_vgg*", "w_net_resnet50*", "w_net_lstm*",
        "w_net_tuned-*",
    ),
    "transfer": ("transfer_w_net*",),
    "bccd4": ("vgg19_wbc*", "vgg16_wbc*", "resnet50_wbc*", "efficientnet_b7_wbc*"),
    "senet154_ge": ("senet154_ge*",),
    "stains": ("lwcnn_plain-*", "lwcnn_stains-*", "compact_plain-*", "compact_stains-*"),
    "classical": ("classical_*",),
    "rwp": ("rwp_classify*",),
}  # fmt: skip
#: Stands where no run of a part has been finished yet.
NOTHING = "No run of this part is finished yet."
#: Wrong answers that a report shows: pages are kept in the repository.
MOST_WRONG = 12


def main() -> None:
    """Compare, and rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, metavar="RUNS")
    parser.add_argument("--page", type=Path, default=DOCS / "classifier-results.md")
    parser.add_argument("--results", type=Path, default=DOCS / "results" / "classifiers")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--reports", action="store_true", help="of every run; takes minutes")
    options = parser.parse_args()
    if not options.runs.is_dir():
        sys.exit(f"{options.runs} is no folder: name the one that smearlab train --out wrote to")
    options.results.mkdir(parents=True, exist_ok=True)
    text = options.page.read_text(encoding="utf-8")
    for name in PARTS:
        text = between(text, name, part(name, options))
    text = between(text, "speed", "\n".join(speeds(options.results)) or "Not measured yet.")
    write_text(options.page, text)


def between(text: str, name: str, content: str) -> str:
    """The page with what stands between the marks of a part replaced, unless by nothing."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"the page needs the marks {begin} and {end}, each once")
    head, rest = text.split(begin)
    before, tail = rest.split(end)
    content = content.strip() or before.strip() or NOTHING
    return f"{head}{begin}\n\n{content}\n\n{end}{tail}"


def part(name: str, options: argparse.Namespace) -> str:
    """Tables of one part of the page, links to its pages, and what is missing."""
    finished, begun = found(options.runs, PARTS[name])
    pieces = []
    for place, runs in enumerate(alike(finished)):
        file = options.results / (name if place == 0 else f"{name}-{place + 1}")
        grids = compared(runs, file, options.resamples)
        pieces += [plain_gaps(grid.markdown()) for grid in grids]
        links = [("comparison", f"{file.name}.html"), ("figures", f"{file.name}.json")]
        for run in runs:
            page = report_page(run, options)
            if options.reports:
                write_report(run, page)
            if page.is_file():
                links.append((run.name, page.name))
        said = ", ".join(f"[{label}](results/classifiers/{target})" for label, target in links)
        pieces.append(f"Pages: {said}.\n")
    if begun:
        pieces.append(f"Begun, not finished: {', '.join(f'`{one}`' for one in begun)}.\n")
    return "\n".join(pieces)


def found(folder: Path, patterns: Iterable[str]) -> tuple[list[Path], list[str]]:
    """Folders of finished runs in the order of the patterns, and the names of others."""
    places = dict.fromkeys(
        path for pattern in patterns for path in sorted(folder.glob(pattern), key=natural)
    )
    finished, begun = [], []
    for path in (one for one in places if one.is_dir()):
        if not any(any(path.glob(name)) for name in ("config.json", SUMMARY, "fold-*")):
            continue  # pictures, not a run
        try:
            runs_of(path)
        except RunError:
            begun.append(path.name)
        else:
            finished.append(path)
    return finished, begun


def natural(path: Path) -> list[tuple[int, str]]:
    """So that …-n200 stands before …-n1000."""
    pieces = re.findall(r"\d+|\D+", path.name)
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces]


def alike(folders: Iterable[Path]) -> Iterator[list[TestedRun]]:
    """Runs that know the same classes, opened together."""
    known: dict[frozenset[str], list[Path]] = {}
    for folder in folders:
        classes = frozenset(RunSummary.load(runs_of(folder)[0]).classes)
        known.setdefault(classes, []).append(folder)
    for some in known.values():
        yield open_runs(some)


def compared(runs: Sequence[TestedRun], file: Path, resamples: int) -> list[Grid]:
    """The tables of some runs, which are written as a page and as figures, too."""
    tested: dict[frozenset[str], list[TestedRun]] = {}
    for run in runs:
        tested.setdefault(frozenset(run.test.paths.tolist()), []).append(run)
    result = compare_runs(runs, tests=len(tested) == 1, resamples=resamples)
    grids = comparison_grids(result)
    more = []
    if len(tested) > 1:
        more = [
            compare_runs(same, resamples=resamples) for same in tested.values() if len(same) > 1
        ]
    grids += [tests_grid(one) for one in more]
    figures = {**result, "tests_of_parts": [one["tests"] for one in more]}
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(file.with_name(f"{file.name}.json"), text + "\n")
    write_comparison_page(file.with_name(f"{file.name}.html"), result, grids)
    return grids


def plain_gaps(markdown: str) -> str:
    """Ordinary spaces between thousands: the page is looked through with a plain search."""
    return markdown.replace("\u202f", " ")


def folder_of(run: TestedRun) -> Path:
    """Of all its folds."""
    return run.folders[0].parent if len(run.folders) > 1 else run.folders[0]


def report_page(run: TestedRun, options: argparse.Namespace) -> Path:
    """Where the report of a run lies, if it is written."""
    parts = folder_of(run).relative_to(options.runs).parts
    page: Path = options.results / f"run-{'-'.join(parts)}.html"
    return page


def write_report(run: TestedRun, page: Path) -> None:
    """Write the report of a run with its wrong pictures."""
    wrong = ["--most-wrong", str(MOST_WRONG)]
    words = ["evaluate", "run", str(folder_of(run)), "--html", str(page), *wrong]
    print("smearlab", *words, file=sys.stderr)
    subprocess.run([sys.executable, "-m", "smearlab", *words], check=True, stdout=sys.stderr)


def speeds(results: Path) -> Iterator[str]:
    """Tables of what the benchmarks of training and inference printed."""
    training = [json.loads(file.read_text("utf-8")) for file in sorted(results.glob("training*"))]
    rows = [
        (f"`{name}`", *training_row(measured, one))
        for measured in training
        for name, one in measured.items()
        if isinstance(one, dict) and "loop_per_s" in one
    ]
    heads = ("network", "batch", "bare/s", "loop/s", "loop ÷ bare", "bf16 ÷ fp32", "hardware")
    if rows:
        note = "Medians of the rounds; of the ratios, too, which are taken round by round."
        yield plain_gaps(Grid("Training, pictures a second", heads, tuple(rows), note).markdown())
    inference = [json.loads(file.read_text("utf-8")) for file in sorted(results.glob("inference*"))]
    rates = ("torch, cells/s", "bundle", "8 bits", "bundle ÷ torch")
    heads = ("network", "batch", "threads", *rates, "largest difference", "processor")
    if inference:
        rows = [inference_row(one) for one in inference]
        yield plain_gaps(Grid("Inference", heads, tuple(rows)).markdown())


def training_row(measured: Mapping[str, Any], one: Mapping[str, float]) -> tuple[str, ...]:
    """A line of the table of training, but for its name."""
    hardware = measured["hardware"]
    return (
        str(measured["batch"]),
        *(count(one.get(f"{way}_per_s")) for way in ("bare", "loop")),
        *(number(one.get(key), digits=2) for key in ("loop_over_bare", "bf16_over_fp32")),
        f"{hardware['device']} ({hardware['machine']}), {hardware['threads']} threads",
    )


def inference_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    """A line of the table of inference."""
    rates = one["cells_per_s"]
    return (
        f"`{one['network']}`",
        str(one["batch"]),
        str(one["threads"]),
        *(count(rates[kind]) for kind in ("torch", "bundle", "int8")),
        number(one["bundle_over_torch"], digits=2),
        f"{one['largest_difference']:.1e}",
        one["machine"]["processor"],
    )


if __name__ == "__main__":
    main()
