"""Accuracy of bundles on the validation parts of the public sets, and the page that shows it.

Runs the same ``smearlab evaluate`` commands as anybody would, over folders that link to the held
out pictures; keeps their JSON in ``docs/results`` and rewrites the tables of ``docs/accuracy.md``.

    python benchmarks/accuracy.py --data DIR
    python benchmarks/accuracy.py --data DIR --label bloodcell_net \\
        --segmenter runs/bundles/bloodcell_unet --classifier runs/bundles/bloodcell_lwcnn
    python benchmarks/accuracy.py --label NAME --speed 60 …   speed with these bundles, 60 fields
    python benchmarks/accuracy.py --render
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.datasets.box_fields import list_fields, related_fields
from smearlab.datasets.cell_images import list_cell_images
from smearlab.io.bundles import find_bundle, read_card

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
PAGE = ROOT / "docs" / "accuracy.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

#: Result → figures shown: (path in the JSON, name, decimals, target or "").
SHOWN: Mapping[str, tuple[str, tuple[tuple[str, str, int, str], ...]]] = {
    "fields_txl_pbc": (
        "`txl_pbc` val, boxes",
        (
            ("map50", "mAP50", 4, "0.97 / 0.985"),
            ("WBC.recall", "WBC recall", 4, "0.985 / 0.995"),
            ("RBC.count_mape", "RBC count error, MAPE %", 2, "6 / 3"),
            ("PLT.recall", "PLT recall", 4, "0.92 / 0.97"),
            ("RBC.ap50", "RBC AP50", 4, ""),
            ("WBC.ap50", "WBC AP50", 4, ""),
            ("PLT.ap50", "PLT AP50", 4, ""),
            ("WBC.precision", "WBC precision", 4, ""),
            ("RBC.count_bias", "RBC count bias, cells a field", 2, ""),
        ),
    ),
    "fields_txl_pbc_unrelated": (
        "`txl_pbc` val without fields whose place was trained on",
        (
            ("map50", "mAP50", 4, ""),
            ("WBC.recall", "WBC recall", 4, ""),
            ("RBC.recall", "RBC recall", 4, ""),
            ("RBC.count_mape", "RBC count error, MAPE %", 2, ""),
            ("PLT.recall", "PLT recall", 4, ""),
        ),
    ),
    "fields_bccd": (
        "`bccd` val, boxes (red cells in clumps lack boxes)",
        (
            ("WBC.ap50", "WBC AP50", 4, ""),
            ("PLT.ap50", "PLT AP50", 4, ""),
            ("RBC.ap50", "RBC AP50", 4, ""),
        ),
    ),
    "masks_bbbc041": (
        "`bbbc041seg`, masks (never trained on)",
        (
            ("object_f1_50", "object F1 at IoU 0.5", 4, "0.90 / 0.97"),
            ("object_f1_75", "object F1 at IoU 0.75", 4, ""),
            ("panoptic_quality", "panoptic quality", 4, ""),
            ("dice", "pixel Dice", 4, ""),
            ("by_border.count.object_f1_50", "object F1, edge cells counted", 4, ""),
        ),
    ),
    "masks_bccd_wbc": (
        "`bccd` val, masks of white cells",
        (("dice", "pixel Dice", 4, ""), ("object_f1_50", "object F1 at IoU 0.5", 4, "")),
    ),
    "cells_pbc": (
        "`pbc`, eight types, held-out fifth",
        (
            ("accuracy", "accuracy", 4, "0.985 / 0.995"),
            ("balanced_accuracy", "balanced accuracy", 4, ""),
            ("unidentified", "share unidentified", 4, ""),
            ("ece", "calibration error", 4, ""),
        ),
    ),
    "cells_raabin": (
        "Raabin white cells in `txl_pbc` val, five types",
        (("accuracy", "accuracy", 4, "0.93 / 0.98"), ("balanced_accuracy", "balanced", 4, "")),
    ),
    "cells_zheng1": (
        "`zheng1`, five types (never trained on)",
        (("accuracy", "accuracy", 4, ""), ("balanced_accuracy", "balanced accuracy", 4, "")),
    ),
}


#: What the comparison says of size and speed: label → its text.
SPEED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "segmenter: parameters": lambda s: f"{s['models']['segmenter']['parameters']:,}",
    "segmenter: bundle, MB": lambda s: f"{s['models']['segmenter']['bytes'] / 1e6:.1f}",
    "classifier: parameters": lambda s: f"{s['models']['classifier']['parameters']:,}",
    "classifier: bundle, MB": lambda s: f"{s['models']['classifier']['bytes'] / 1e6:.1f}",
    "fields/s, 640 × 480": lambda s: f"{s['fields_per_s']:.1f}",
    "wall time ÷ network calls": lambda s: f"{s['wall_over_network']:.2f}",
}


def main() -> None:
    """Measure, then render."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, help="folder with manifest.csv and the public sets")
    options.add_argument("--label", default="shipped", help="name of the results")
    options.add_argument("--segmenter", default="default")
    options.add_argument("--classifier", default="default")
    options.add_argument("--only", nargs="*", default=list(SHOWN), choices=list(SHOWN))
    options.add_argument("--speed", type=int, help="only measure the speed, with this many fields")
    options.add_argument("--render", action="store_true", help="only rewrite the page")
    chosen = options.parse_args()
    if chosen.speed:
        measure_speed(chosen)
    elif not chosen.render:
        if chosen.data is None:
            options.error("--data is needed to measure")
        measure(chosen.data, chosen)
    render()


def measure(data: Path, chosen: argparse.Namespace) -> None:
    """Run the evaluation commands and keep their JSON."""
    target = RESULTS / chosen.label
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, command in commands(data, Path(scratch)):
            if name not in chosen.only:
                continue
            out = target / f"{name}.json"
            models = ["--segmenter", chosen.segmenter, "--classifier", chosen.classifier]
            call = [sys.executable, "-m", "smearlab", "evaluate", *command, *models]
            print(name, flush=True)
            subprocess.run([*call, "--json", str(out)], check=True)
            text = out.read_text(encoding="utf-8")
            for folder in (scratch, str(data)):  # results do not depend on where the data lie
                text = text.replace(folder, "DATA")
            out.write_text(text, encoding="utf-8")


def measure_speed(chosen: argparse.Namespace) -> None:
    """Run the speed benchmark with these bundles; keep it with their sizes."""
    models = {"segmenter": chosen.segmenter, "classifier": chosen.classifier}
    options = [f"--{kind}={name}" for kind, name in models.items()]
    counts = ["--few", str(chosen.speed // 2), "--many", str(chosen.speed)]
    bench = [sys.executable, str(ROOT / "benchmarks/run.py"), *options, *counts]
    done = subprocess.run(bench, check=True, stdout=subprocess.PIPE, text=True)
    cards = {kind: read_card(find_bundle(kind, name), kind) for kind, name in models.items()}
    sizes = {
        kind: {key: card[key] for key in ("name", "sha256", "bytes", "parameters")}
        for kind, card in cards.items()
    }
    target = RESULTS / chosen.label
    target.mkdir(parents=True, exist_ok=True)
    result = {"models": sizes, **json.loads(done.stdout)}
    (target / "speed.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def commands(data: Path, scratch: Path) -> Iterator[tuple[str, list[str]]]:
    """Every measurement as arguments of ``smearlab evaluate``."""
    fields = data / "fields"
    txl = fields / "txl_pbc"
    yield "fields_txl_pbc", [
        "fields", "--images", str(txl / "images/val"), "--boxes", str(txl / "labels/val"),
        "--format", "yolo", "--classes", str(txl / "classes.txt"),
    ]  # fmt: skip
    link(scratch / "txl_unrelated", txl_unrelated(data))
    yield "fields_txl_pbc_unrelated", [
        "fields", "--images", str(scratch / "txl_unrelated"), "--boxes", str(txl / "labels/val"),
        "--format", "yolo", "--classes", str(txl / "classes.txt"),
    ]  # fmt: skip
    held = bccd_validation(data)
    link(scratch / "bccd", {fields / "bccd/images" / name for name in held})
    yield "fields_bccd", [
        "fields", "--images", str(scratch / "bccd"), "--boxes", str(fields / "bccd/annotations"),
        "--format", "voc",
    ]  # fmt: skip
    bbbc = fields / "bbbc041seg"
    yield "masks_bbbc041", [
        "masks", "--images", str(bbbc / "images"), "--masks", str(bbbc / "masks"),
        "--element", "RBC", "--element", "WBC",
    ]  # fmt: skip
    yield "masks_bccd_wbc", [
        "masks", "--images", str(scratch / "bccd"), "--masks", str(fields / "bccd/wbc_masks"),
        "--element", "WBC",
    ]  # fmt: skip
    for image in list_cell_images(data):
        if image.part == "val" and image.dataset == "pbc":
            link(scratch / "pbc" / image.type, {image.path})
        elif image.part == "val" and image.origin == "Raabin-WBC":
            link(scratch / "raabin" / image.type, {image.path})
    with (data / "manifest.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["dataset"] == "zheng1" and "/images/" in row["path"]:
                link(scratch / "zheng1" / row["label"], {data / row["path"]})
    for name in ("pbc", "raabin", "zheng1"):
        yield f"cells_{name}", ["cells", "--images", str(scratch / name)]


def txl_unrelated(data: Path) -> set[Path]:
    """The held-out fields of TXL-PBC that show no place of the published training parts."""
    related = {field.image for field in related_fields(data)}
    held = {f.image for f in list_fields(data) if f.part == "val" and f.dataset == "txl_pbc"}
    return held - related


def bccd_validation(data: Path) -> list[str]:
    """Names of the BCCD fields that their split holds out."""
    with (data / "manifest.csv").open(newline="") as stream:
        return [
            Path(row["path"]).name
            for row in csv.DictReader(stream)
            if row["dataset"] == "bccd" and row["split"] == "val" and "/images/" in row["path"]
        ]


def link(folder: Path, files: set[Path]) -> None:
    """Links to files, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.name).symlink_to(file.resolve())


def render() -> None:
    """Rewrite what stands between the marks of the page."""
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    folders = sorted({file.parent for name in SHOWN for file in RESULTS.glob(f"*/{name}.json")})
    folders.sort(key=order)
    parts = [comparison(folders), *(table(folder) for folder in folders)]
    PAGE.write_text(f"{head}{BEGIN}\n{''.join(parts)}\n{END}{tail}", encoding="utf-8")


def comparison(folders: Sequence[Path]) -> str:
    """The systems side by side: accuracy, size, speed."""
    folders = [folder for folder in folders if (folder / "speed.json").exists()]
    names = [f"`{folder.name}`" for folder in folders]
    lines = ["\n### Side by side\n", f"| | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for name, (title, figures) in SHOWN.items():
        files = [folder / f"{name}.json" for folder in folders]
        results = [json.loads(f.read_text(encoding="utf-8")) if f.exists() else None for f in files]
        path, label, digits, _ = figures[0]
        row = [figure(result, path, digits) if result else "–" for result in results]
        lines.append(f"| {title}: {label} | {' | '.join(row)} |")
    speeds = [json.loads((f / "speed.json").read_text(encoding="utf-8")) for f in folders]
    for label, show in SPEED.items():
        lines.append(f"| {label} | {' | '.join(show(speed) for speed in speeds)} |")
    return "\n".join(lines) + "\n"


def order(folder: Path) -> tuple[bool, str]:
    """The shipped models first."""
    return folder.name != "shipped", folder.name


def table(folder: Path) -> str:
    """One Markdown table."""
    lines = [f"\n### {folder.name}\n", "| figure | obtained (95 % interval) | n | at least / aim |"]
    lines.append("|---|---|---|---|")
    for name, (title, figures) in SHOWN.items():
        file = folder / f"{name}.json"
        if not file.exists():
            continue
        result = json.loads(file.read_text(encoding="utf-8"))
        lines.append(f"| **{title}** | | {size(result)} | |")
        for path, label, digits, target in figures:
            lines.append(f"| {label} | {figure(result, path, digits)} | | {target} |")
    return "\n".join(lines) + "\n"


def size(result: Mapping[str, Any]) -> str:
    """How much was measured."""
    if "n_fields" in result:
        cells = ", ".join(f"{result[e]['n']} {e}" for e in ("RBC", "WBC", "PLT"))
        return f"{result['n_fields']} fields: {cells}"
    if "n_true" in result:
        return f"{result['n']} fields, {result['n_true']} cells"
    return f"{result['n']} cells"


def figure(result: Mapping[str, Any], path: str, digits: int) -> str:
    """A figure with its interval."""
    keys = path.split(".")
    holder: Any = result
    for key in keys[:-1]:
        holder = holder[key]
    value = holder.get(keys[-1])
    inside: Any = result["intervals"]
    for key in keys:
        inside = inside.get(key, {}) if isinstance(inside, dict) else {}
    if isinstance(holder, dict) and "intervals" in holder and holder is not result:
        inside = holder["intervals"].get(keys[-1], inside)
    if value is None:
        return "–"
    if isinstance(inside, list) and inside and inside[0] is not None:
        return f"{value:.{digits}f} ({inside[0]:.{digits}f}–{inside[1]:.{digits}f})"
    return f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
