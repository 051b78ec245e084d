"""How well duplicates are found, and how fast, on the real pictures; prints JSON.

    python benchmarks/duplicates.py DATA                      everything, with 260 planted copies
    python benchmarks/duplicates.py DATA --only cells/bccd4/test fields/bccd     some folders

``DATA`` holds ``manifest.csv``. The finder sees the pictures only; what is known of them from
their names is what it is measured against.

``planted``
    Copies of PBC cells and BCCD fields: one of the eight turns and mirrorings, cropped by up to
    10 % a side, rescaled by 0.5–1.5, gamma 0.7–1.4, brightness ± 20 %, JPEG 40–90. Recall: copies
    in one group with their original. Precision: of the links of copies whose truth is known, those
    that lead to the original, under whatever path, or to another copy of it. Two sorts of links
    are of unknown truth, counted apart and listed: from a BCCD field to BCCD or ``bccd4``
    (``bccd_family``: ``bccd4`` is made of these fields, and no name tells of which), and to a PBC
    picture that shows the same place as the original (``same_place``: the two originals are linked
    with each other, too, and so are listed under ``pbc_links``). All other links are wrong.
    ``precision_at_least`` counts the unknown ones as wrong, too. Intervals are Clopper–Pearson's,
    95 %.
``pbc_links``
    Links between PBC pictures of different names. Nobody has said whether they show the same
    place: all are listed for looking at, on the page of ``--report``.
``same_name``
    Pairs of pictures of different folders that have one original by name: TXL-PBC and PBC (whole,
    and the 224×224 centres), TXL-PBC and BCCD. Recall: pairs within one group.
``bccd4``
    By part and type. Every source was augmented equally often, so a perfect grouping has as many
    groups as there are sources, each of pictures / sources ± 1 (``even`` is the share of pictures
    in such groups); sources that overlap come out as one larger group. The number in a file name
    counts places in a shuffled round and not sources: how the found groups agree with it is given
    to show that.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.duplicates.finder import Duplicates, Pair, find_duplicates
from smearlab.datasets.duplicates.page import write_page
from smearlab.datasets.manifest.table import Manifest
from smearlab.metrics.intervals import clopper_pearson

Row = dict[str, str]
#: What copies are planted of: folder, share of them.
PLANTED_OF = (("cells/pbc", 0.77), ("fields/bccd/images", 0.23))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with manifest.csv")
    parser.add_argument("--only", nargs="+", default=[""], help="beginnings of paths")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th picture")
    parser.add_argument("--copies", type=int, default=260)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="also write the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smearlab-bench-") as work:
        print(json.dumps(measure(options, Path(work)), indent=1))


def measure(options: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Everything, in one run of the finder."""
    rows = pictures(options.data, options.only)[:: options.every]
    (work / "data").symlink_to(options.data.resolve())
    (work / "copies").mkdir()
    copies = plant(rows, options, work / "copies")
    listed = [{"path": f"data/{row['path']}", "dataset": row["dataset"]} for row in rows]
    listed += [{"path": f"copies/{name}", "dataset": "copies"} for name in copies]
    for line, row in zip(listed, rows, strict=False):
        line["label"] = row["label"] or None  # type: ignore[assignment]
        line["published_split"] = row["split"] or None  # type: ignore[assignment]
    manifest = Manifest.from_rows(listed, work, "benchmark")
    begin, cpu = time.perf_counter(), time.process_time()
    found = find_duplicates(manifest, threads=options.threads)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    if options.report:
        write_page(options.report, manifest, found)
    group = group_of_rows(found, len(manifest))
    return {
        "pictures": len(manifest),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_memory_mib": peak_memory_mib(),
        "threads": options.threads,
        "groups": len(found.groups),
        "links": found.count(),
        "unreadable": len(found.unreadable),
        "plain": len(found.plain),
        "planted": planted_figures(copies, rows, group, found),
        "pbc_links": pbc_links(rows, found),
        "same_name": same_name(rows, group),
        "bccd4": bccd4(rows, group),
        "machine": {"processor": platform.processor(), "python": platform.python_version()},
    }


def pictures(data: Path, beginnings: Sequence[str]) -> list[Row]:
    """Rows of the pictures in those folders, without masks and labels."""
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        row
        for row in rows
        if row["path"].startswith(tuple(beginnings))
        and Path(row["path"]).suffix in (".jpg", ".jpeg", ".png")
        and "masks" not in row["path"]
    ]


def plant(rows: Sequence[Row], options: argparse.Namespace, folder: Path) -> dict[str, int]:
    """Write altered copies; file name → number of the row that it was made of."""
    rng = np.random.default_rng(options.seed)
    copies = {}
    for beginning, share in PLANTED_OF:
        of = [n for n, row in enumerate(rows) if row["path"].startswith(beginning)]
        count = min(len(of), round(share * options.copies))
        for n in sorted(rng.choice(of, count, replace=False).tolist()) if count else ():
            name = f"{len(copies):04d}.jpg"
            altered = alter(cv2.imread(str(options.data / rows[n]["path"])), rng)
            cv2.imwrite(
                str(folder / name), altered, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 91))]
            )
            copies[name] = n
    return copies


def alter(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Crop, turn, mirror, rescale and relight a picture."""
    height, width = (int(n * rng.uniform(0.9, 1)) for n in pixels.shape[:2])
    top = int(rng.integers(pixels.shape[0] - height + 1))
    left = int(rng.integers(pixels.shape[1] - width + 1))
    turned = np.rot90(pixels[top : top + height, left : left + width], int(rng.integers(4)))
    turned = np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned)
    scale = rng.uniform(0.5, 1.5)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    light = 255 * (np.arange(256) / 255) ** rng.uniform(0.7, 1.4) * rng.uniform(0.8, 1.2)
    table = np.clip(light, 0, 255).astype(np.uint8)
    return np.asarray(
        cv2.LUT(cv2.resize(turned, None, fx=scale, fy=scale, interpolation=method), table)
    )


def group_of_rows(found: Duplicates, n_rows: int) -> list[int]:
    """For every row the first row of its group."""
    group = list(range(n_rows))
    for rows in found.groups:
        for row in rows:
            group[row] = rows[0]
    return group


def planted_figures(
    copies: dict[str, int], rows: Sequence[Row], group: Sequence[int], found: Duplicates
) -> dict[str, Any]:
    """Recall and precision on the planted copies."""
    original = list(range(len(rows))) + list(copies.values())
    missed = [n for n in range(len(rows), len(original)) if group[n] != group[original[n]]]
    linked = {(pair.first, pair.second) for pair in found.pairs if pair.second < len(rows)}
    links: dict[str, list[Pair]] = {"right": [], "wrong": [], "bccd_family": [], "same_place": []}
    for pair in found.pairs:
        if pair.second >= len(rows):
            a, b = sorted((original[pair.first], original[pair.second]))
            links[truth(rows[a], rows[b], (a, b) in linked)].append(pair)
    n_right, n_wrong = len(links["right"]), len(links["wrong"])
    n_links, n_found = sum(map(len, links.values())), len(copies) - len(missed)
    return {
        "n": len(copies),
        "recall": with_interval(n_found, len(copies)),
        "links": {name: len(pairs) for name, pairs in links.items()},
        "precision": with_interval(n_right, n_right + n_wrong),
        "precision_at_least": with_interval(n_right, n_links),
        "missed": [rows[original[n]]["path"] for n in missed],
        **{
            name: [
                [
                    *(rows[original[n]]["path"] for n in (pair.first, pair.second)),
                    round(pair.similarity, 3),
                    round(pair.overlap, 2),
                ]
                for pair in links[name]
            ]
            for name in ("wrong", "same_place")
        },
    }


def truth(a: Row, b: Row, linked: bool) -> str:
    """Whether two originals are one picture, as far as anything but the finder's copies tells."""
    if (a["source"], a["original"]) == (b["source"], b["original"]):
        return "right"
    if all(row["dataset"] == "bccd4" or row["source"] == "BCCD" for row in (a, b)):
        return "bccd_family"
    return "same_place" if linked and a["source"] == b["source"] == "PBC" else "wrong"


def pbc_links(rows: Sequence[Row], found: Duplicates) -> list[list[Any]]:
    """Links between PBC pictures of different names."""
    listed = []
    for pair in found.pairs:
        if pair.second >= len(rows):
            continue
        a, b = rows[pair.first], rows[pair.second]
        if a["source"] == b["source"] == "PBC" and a["original"] != b["original"]:
            listed.append([a["path"], b["path"], round(pair.similarity, 3), round(pair.overlap, 2)])
    return listed


def same_name(rows: Sequence[Row], group: Sequence[int]) -> dict[str, Any]:
    """Recall of pairs of folders that share originals."""
    by_name: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        if row["dataset"] in ("txl_pbc", "pbc", "bccd"):
            by_name[row["source"], row["original"]].append(n)
    pairs: Counter[str] = Counter()
    together: Counter[str] = Counter()
    for same in by_name.values():
        for place, a in enumerate(same):
            for b in same[place + 1 :]:
                key = " – ".join(sorted("/".join(rows[n]["path"].split("/")[:2]) for n in (a, b)))
                pairs[key] += 1
                together[key] += group[a] == group[b]
    return {key: {"n": n, "recall": share(together[key], n)} for key, n in sorted(pairs.items())}


def bccd4(rows: Sequence[Row], group: Sequence[int]) -> dict[str, Any]:
    """The grouping of the augmented pictures, and what it has in common with their names."""
    ours = [n for n, row in enumerate(rows) if row["dataset"] == "bccd4"]
    fields = {group[n] for n, r in enumerate(rows) if r["source"] == "BCCD" and n not in set(ours)}
    named = {
        n: f"{rows[n]['split']} {rows[n]['label']} {Path(rows[n]['path']).stem.split('_')[1]}"
        for n in ours
    }
    parts = {}
    for part in sorted({(rows[n]["split"], rows[n]["label"]) for n in ours}):
        inside = [n for n in ours if (rows[n]["split"], rows[n]["label"]) == part]
        n_sources = len({named[n] for n in inside})
        sizes = Counter(group[n] for n in inside)
        even = sum(size for size in sizes.values() if abs(size - len(inside) / n_sources) <= 1)
        parts[" ".join(part)] = {
            "pictures": len(inside),
            "sources": n_sources,
            "groups": len(sizes),
            "even": share(even, len(inside)),
            "alone": sum(size == 1 for size in sizes.values()),
            "other_sizes": sorted(
                size for size in sizes.values() if abs(size - len(inside) / n_sources) > 1
            ),
        }
    sides: defaultdict[int, set[str]] = defaultdict(set)
    for n in ours:
        sides[group[n]].add(rows[n]["split"])
    return {
        "parts": parts,
        "groups": len({group[n] for n in ours}),
        "groups_with_a_bccd_field": len({group[n] for n in ours} & fields),
        "groups_in_train_and_test": sum(len(one) > 1 for one in sides.values()),
        "against_names": agreement([group[n] for n in ours], [named[n] for n in ours]),
    }


def agreement(found: Iterable[Any], truth: Iterable[Any]) -> dict[str, float | None]:
    """Pairwise precision and recall of a grouping."""
    both = list(zip(found, truth, strict=True))

    def pairs(keys: Iterable[Any]) -> int:
        return sum(n * (n - 1) // 2 for n in Counter(keys).values())

    joint = pairs(both)
    return {
        "precision": share(joint, pairs(f for f, _ in both)),
        "recall": share(joint, pairs(t for _, t in both)),
    }


def share(part: int, whole: int) -> float | None:
    """A share; None of nothing."""
    return round(part / whole, 5) if whole else None


def with_interval(part: int, whole: int) -> dict[str, Any]:
    """A share with its interval."""
    return {
        "share": share(part, whole),
        "of": [part, whole],
        "interval": [round(end, 5) for end in clopper_pearson(part, whole)],
    }


def peak_memory_mib() -> float:
    """Largest resident memory of this process."""
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


if __name__ == "__main__":
    main()
