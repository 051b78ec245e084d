"""Lines and findings of a table of segmenters: reported beside obtained, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.errors import UsageError
from smearlab.evaluation.element_differences import FieldDifference, field_difference
from smearlab.evaluation.grids import number
from smearlab.evaluation.reproductions import Line
from smearlab.learn.reproduce.element_figures import Measured
from smearlab.learn.segmentation_record import SegmentationSummary
from smearlab.learn.train.loss_table import loss_table
from smearlab.types import Element

#: Source of the targets → what it is called in tables.
SOURCE_WORDS: Mapping[str, str] = {
    "bccd_masks": "masks",
    "all_idb1": "masks",
    "boxes": "boxes",
    "bbbc041seg": "bbbc041seg",
    "simulated": "simulated",
}
#: Kinds of target, the one to compare with the paper by first.
_PREFERRED = ("all_idb1", "bccd_masks", "boxes", "simulated")
#: Name, ground or None, key, digits: what the paper reports, then what it does not.
_REPORTED: tuple[tuple[str, str | None, str, int], ...] = (
    ("SSIM", "white", "ssim", 4),
    ("PSNR", "white", "psnr", 2),
    ("SNR", "white", "snr", 2),
    ("PCE", None, "pce", 4),
    ("PCC", None, "pcc", 4),
)
_BESIDES: tuple[tuple[str, str | None, str, int], ...] = (
    ("SSIM on black", "black", "ssim", 4),
    ("PSNR on black", "black", "psnr", 2),
    ("SNR on black", "black", "snr", 2),
    ("MAE on black", "black", "mae", 4),
    ("Dice", None, "dice", 4),
    ("IoU", None, "iou", 4),
    ("boundary F1", None, "boundary_f1", 4),
    ("object F1", None, "object_f1_50", 4),
    ("panoptic quality", None, "panoptic_quality", 4),
)
#: Figures that need no drawn picture.
_OF_MASKS = ("dice", "iou", "boundary_f1", "object_f1_50", "panoptic_quality")
_TABLE_1, _TABLE_2 = "losses, minimum, mean and maximum (Table 1)", "test pictures (Table 2)"
_TRAINING = "training, one P100 (section IV.B)"
#: Loss of the paper → ours.
_LOSSES = {
    "discriminator": "critic",
    "generator": "adversarial",
    "l1": "l1",
    "generator total": "total",
}
#: What is asked of RWP-GAN on white cells with masks.
ASKED: Mapping[str, float] = {"pcc": 0.995, "dice": 0.93}
_WORDS = {"dice": "Dice", "object_f1_50": "object F1", "pcc": "PCC"}


def kinds_of(measured: Mapping[str, Measured]) -> list[str]:
    """Sources of the targets that models were measured on, the one to compare first by first.

    Parameters
    ----------
    measured : mapping of str to Measured
        Model → its figures.
    """
    found = dict.fromkeys(kind for one in measured.values() for kind in one.sources)
    known = [kind for kind in _PREFERRED if kind in found]
    return [*known, *(kind for kind in found if kind not in known)]


def figure_lines(
    element: Element,
    measured: Mapping[str, Measured],
    reported: Mapping[str, Any],
    paper: str,
) -> Iterator[Line]:
    """Table 2 of one element, and below it what the paper does not report.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    measured : mapping of str to Measured
        Model → its figures.
    reported : mapping
        Of the paper's recipe.
    paper : str
        Model that the reported figures are of. They stand beside one kind of target only: masks
        where there are any.
    """
    sources = kinds_of(measured)
    for rows in (_REPORTED, _BESIDES):
        for source in sources:
            for name, one in measured.items():
                if source not in one.sources:
                    continue
                told = name == paper and source == sources[0] and rows is _REPORTED
                for figure, ground, key, digits in rows:
                    if source not in _PREFERRED and key not in _OF_MASKS:
                        continue  # pictures of another kind: only how well cells are found
                    line = _line(one.sources[source], ground, key)
                    if line is not None:
                        ours = reported[_TABLE_2][element][figure] if told else None
                        row = f"{element} ({SOURCE_WORDS[source]}), {name}"
                        yield Line(
                            row, figure, ours, "Table 2" if told else "", *line,
                            of="fields", digits=digits,
                        )  # fmt: skip


def _line(
    figures: Mapping[str, Any], ground: str | None, key: str
) -> tuple[float | None, float | None, float | None, int] | None:
    """Value, ends and n; None for what targets of this kind do not tell."""
    values, ends = figures, figures["intervals"]
    if ground is not None:
        values, ends = figures["on"][ground], ends["on"][ground]
    if key not in values:
        return None
    low, high = ends.get(key) or (None, None)
    return values[key], low, high, figures["n"]


def loss_lines(
    element: Element, name: str, run: Path, reported: Mapping[str, Any]
) -> Iterator[Line]:
    """Table 1 of one element: least, mean and largest value of every loss.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    name : str
        Of the recipe.
    run : Path
        Folder of the run.
    reported : mapping
        Of the recipe that the paper's figures are of; empty for another.
    """
    losses = loss_table(run)["losses"]
    for theirs, ours in _LOSSES.items():
        known = reported[_TABLE_1][theirs][element] if reported else (None, None, None)
        for key, value in zip(("min", "mean", "max"), known, strict=True):
            yield Line(
                f"{element}, {name}", f"loss, {theirs}, {key}", value, "Table 1" * bool(reported),
                losses[ours][key], n=losses[ours]["steps"], of="steps",
            )  # fmt: skip


def training_lines(
    element: Element, name: str, summary: SegmentationSummary, reported: Mapping[str, Any]
) -> Iterator[Line]:
    """How long the training took, and how many pictures a second it saw.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    name : str
        Of the recipe.
    summary : SegmentationSummary
    reported : mapping
        Of the recipe that the paper's figures are of; empty for another.
    """
    known = reported[_TRAINING]["minutes"][element] if reported else None
    minutes = None if summary.train_seconds is None else summary.train_seconds / 60
    where = "section IV.B" * bool(reported)
    for figure, told, value, digits in (
        ("training, min", known, minutes, 1),
        ("training, pictures/s", None, summary.images_per_s, 2),
    ):
        yield Line(
            f"{element}, {name}", figure, told, where if told else "", value,
            n=summary.steps, of="steps", digits=digits,
        )  # fmt: skip


def lacking_fields(element: Element, measured: Mapping[str, Measured]) -> Iterator[str]:
    """Fields that a model could not be measured on, and why the first could not.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    measured : mapping of str to Measured
        Model → its figures.
    """
    for name, one in measured.items():
        if one.errors:
            first = one.errors[0]
            n = sum(figures["n"] for figures in one.sources.values())
            yield (
                f"{element}: {name} is measured without {len(one.errors)} of "
                f"{n + len(one.errors)} fields; the first, {first['file']}: {first['reason']}"
            )


def findings(
    element: Element,
    measured: Mapping[str, Measured],
    gan: str,
    plain: str,
    also: Sequence[str] = (),
) -> Iterator[str]:
    """What the figures of one element say in words.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    measured : mapping of str to Measured
        Model → its figures.
    gan, plain : str
        The paper's network, and the plain one that it is held against.
    also : sequence of str
        The paper's network trained in another way: the same is asked of it.
    """
    for source in kinds_of(measured):
        figures = {n: one.sources[source] for n, one in measured.items() if source in one.sources}
        where = f"{element} ({SOURCE_WORDS[source]})"
        for key in ("dice", "object_f1_50"):
            known = {n: f[key] for n, f in figures.items() if f.get(key) is not None}
            if len(known) > 1:
                best = max(known, key=known.__getitem__)
                rest = ", ".join(f"{n} {v:.3f}" for n, v in known.items() if n != best)
                yield f"{where}: best by {_WORDS[key]} is {best} with {known[best]:.3f} ({rest})"
            if gan in known and plain in known:
                yield f"{where}: {_held_against(figures[gan], figures[plain], key, gan, plain)}"
        for name in (gan, *also):
            if element == "WBC" and SOURCE_WORDS[source] == "masks" and name in figures:
                yield f"{where}: {_asked(figures[name], name)}"


def _held_against(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], key: str, gan: str, plain: str
) -> str:
    try:
        found = field_difference(ours, theirs, key)
    except UsageError as error:
        return f"{gan} and {plain} cannot be compared: {error}"
    ends = f"95 % interval {found.low:+.3f} to {found.high:+.3f}, p {found.p:.3f}; "
    if found.n_groups < 2:
        ends = ""
    said = f"{found.value:+.3f} ({ends}{found.n} fields of {found.n_groups} places)"
    return f"{_WORDS[key]} of {gan} minus that of {plain} is {said}: {_verdict(found, gan, plain)}"


def _verdict(found: FieldDifference, gan: str, plain: str) -> str:
    if found.high < 0:
        return f"{gan} loses to the plain U-Net"
    if found.low > 0:
        return f"{gan} is better than {plain}"
    return "the fields do not tell which is better"


def _asked(figures: Mapping[str, Any], gan: str) -> str:
    said = []
    for key, least in ASKED.items():
        value = figures[key]
        held = value is not None and value >= least
        said.append(f"{_WORDS[key]} {number(value)} {'reaches' if held else 'is below'} {least}")
    return f"asked of {gan}: {', '.join(said)}"
