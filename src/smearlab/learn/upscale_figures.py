"""What upscalers are worth on test pictures: likeness to the large ones, a classifier's word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.evaluation.part_accuracy import share_right
from smearlab.evaluation.picture_features import resized
from smearlab.evaluation.results import RESAMPLES, SEED
from smearlab.evaluation.runs import SUMMARY
from smearlab.evaluation.type_names import cell_type
from smearlab.io.bundles import Bundle, find_bundle
from smearlab.io.quick_jpeg import Reduced
from smearlab.learn.classifier_run import evenly, open_classifier_run
from smearlab.learn.export_run import known_names
from smearlab.learn.objectives import image_batch
from smearlab.learn.transforms.picture_views import PictureViewConfig, draw_picture_view
from smearlab.learn.transforms.upscale_views import lowered
from smearlab.learn.upscale_judge import decibels, enlarged
from smearlab.learn.upscaler_run import UpscalerRun
from smearlab.metrics.picture_pairs import psnr, ssim
from smearlab.metrics.resampling import (
    draw_weights,
    percentile_interval,
    ratio,
    sums_by_unit,
    units_of,
)
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.upscale.upscaler import BICUBIC, Upscaler

Pictures = NDArray[np.uint8]
#: Rows beside those of the runs: the small pictures with their pixels repeated, and the large ones.
SMALL, LARGE = "small", "large"
_BATCH = 32
#: Rows of a sheet, all types among them where they are not more.
_SHOWN = 6


class Distance(Protocol):
    """A perceptual distance, as of :class:`smearlab.learn.picture_networks.PerceptualDistance`."""

    @property
    def name(self) -> str: ...

    def of_pairs(
        self, pictures: Pictures, left: NDArray[np.intp], right: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Distances of pairs of pictures by their numbers, shape (P,)."""
        ...


@dataclass(frozen=True, eq=False)
class Typing:
    """A classifier of single-cell pictures.

    Parameters
    ----------
    name : str
    classes : tuple of str
    probabilities : callable
        uint8 (N, H, W, 3) → (N, K), or logits.
    """

    name: str
    classes: tuple[str, ...]
    probabilities: Callable[[Pictures], NDArray[Any]]


def typing_by(where: str, shown_px: int | None = None) -> Typing:
    """A classifier by the folder of a bundle or of a finished run, or by a bundle's name.

    Parameters
    ----------
    where : str
        A bundle gets pictures brought to the size that it takes; a run gets the part of them that
        its views show of a file, as its middle or about the nucleus.
    shown_px : int, optional
        Side of the square of its file that a picture shows, px; left out, pictures are whole
        files, pixel for pixel.

    Raises
    ------
    BundleError, RunError, UnknownNameError
        If it is neither, or not sound.
    UsageError
        When asked, if a run's views show more of a file than the pictures do.
    """
    if (Path(where) / SUMMARY).is_file():
        run = open_classifier_run(Path(where))
        network = run.network().eval()

        def of_run(pixels: Pictures) -> NDArray[Any]:
            with torch.inference_mode():
                return np.asarray(network(image_batch(torch.from_numpy(pixels))).numpy())

        def view(picture: Pictures) -> Pictures:
            return _seen(picture, run.recipe.view, shown_px)

        name = f"{run.summary.recipe} (run {Path(where).name})"
        return Typing(name, known_names(run.classes), _viewing(of_run, view))
    bundle = Bundle(find_bundle("classifier", where), "classifier")

    def of_bundle(pixels: Pictures) -> NDArray[Any]:
        return bundle.run(pixels=pixels)["probabilities"]

    called, side = f"{bundle.name} (bundle {bundle.sha256[:12]})", int(bundle.card["input_px"])
    return Typing(
        called,
        tuple(bundle.card["classes"]),
        _viewing(of_bundle, lambda picture: resized(picture, side)),
    )


def _viewing(
    answer: Callable[[Pictures], NDArray[Any]], view: Callable[[Pictures], Pictures]
) -> Callable[[Pictures], NDArray[Any]]:
    """Answers of what is seen of pictures, a batch at a time."""

    def answers(pictures: Pictures) -> NDArray[Any]:
        parts = [
            answer(np.stack([view(one) for one in pictures[start : start + _BATCH]]))
            for start in range(0, len(pictures), _BATCH)
        ]
        return np.concatenate(parts)

    return answers


def _seen(picture: Pictures, view: PictureViewConfig, shown_px: int | None) -> Pictures:
    """What a run's view shows of a picture, which has its own number of pixels for a file's."""
    height, width = picture.shape[:2]
    if view.crop_px is not None and shown_px is not None:
        view = replace(view, crop_px=max(1, round(view.crop_px * min(height, width) / shown_px)))
    rng = np.random.default_rng(0)  # nothing is drawn from it
    return draw_picture_view(Reduced(picture, width, height), view, rng)


@dataclass(frozen=True, eq=False)
class Enlarged:
    """Test pictures, enlarged in several ways.

    Parameters
    ----------
    ways : mapping of str to ndarray of uint8, shape (N, S, S, 3)
        ``small`` (pixels repeated), ``bicubic``, each run by name, ``large``.
    types, groups : ndarray of str, shape (N,)
    factor : int
    shown_px : int or None
        Side of the square of its file that a picture shows, px; None for the whole file.
    """

    ways: Mapping[str, Pictures]
    types: NDArray[np.str_]
    groups: NDArray[np.str_]
    factor: int
    shown_px: int | None = None


def enlarge_test_pictures(
    runs: Sequence[UpscalerRun], data: Path | None = None, most: int | None = None
) -> Enlarged:
    """Enlarge the small test pictures of runs by bicubic interpolation and by each of them.

    Parameters
    ----------
    runs : sequence of UpscalerRun
        At least one, of one split, view and factor. Beside one of all types, runs of a recipe that
        learned one type each are one way: each picture by the network of its own type.
    data : Path, optional
        Folder of the pictures, if they are no longer where they were.
    most : int, optional
        At most so many pictures, evenly spread; all when left out.

    Raises
    ------
    UsageError
        If there is no run, they do not test on the same pictures, or none is of a picture's type.
    RunError
        If the pictures cannot be reached.
    """
    if not runs:
        raise UsageError("name at least one run of an upscaler")
    first = next((run for run in runs if run.summary.type is None), runs[0])
    for run in runs:
        if _tested(run) != _tested(first) or first.summary.type not in (None, run.summary.type):
            raise UsageError(
                f"{run.folder} does not test on the pictures of {first.folder}: both must be of "
                "one split, type, view and factor"
            )
    whole = [run for run in runs if run.summary.type == first.summary.type]
    by_recipe: dict[str, list[UpscalerRun]] = {}
    for run in runs:
        if run not in whole:
            by_recipe.setdefault(run.summary.recipe, []).append(run)
    samples = first.samples("test", data)
    chosen = evenly(len(samples), most or len(samples))
    high = np.stack([samples.high(n) for n in chosen])
    low = np.stack([lowered(one, first.factor, samples.view.sigma_px) for one in high])
    rows = samples.pictures.rows[chosen]
    types = samples.pictures.manifest.column("type")[rows].astype(str)
    bicubic = Upscaler.load(BICUBIC, first.factor)
    ways = {
        SMALL: low.repeat(first.factor, 1).repeat(first.factor, 2),
        BICUBIC: np.stack([bicubic.upscale(one) for one in low]),
        **{run.folder.name: enlarged(run.network(), low) for run in whole},
        **{name: _by_type(of, low, types) for name, of in by_recipe.items()},
        LARGE: high,
    }
    groups = samples.pictures.groups[chosen]
    return Enlarged(ways, types, groups, first.factor, first.recipe.view.crop_px)


def sheet(pictures: Enlarged) -> Pictures:
    """Some of the pictures: a row each, a column for each way, with its PSNR in dB.

    Parameters
    ----------
    pictures : Enlarged
        Of each type as many are shown as come to six rows in all, at least one.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB.
    """
    high, rows = pictures.ways[LARGE], []
    kinds = sorted(set(pictures.types))
    each = max(1, _SHOWN // len(kinds))
    for kind in kinds:
        of_kind = np.flatnonzero(pictures.types == kind)
        for place in of_kind[evenly(len(of_kind), min(each, len(of_kind)))]:
            notes = []
            for way, made in pictures.ways.items():
                quality = float(psnr(made[[place]], high[[place]])[0])
                notes.append(way if np.isinf(quality) else f"{way}, {quality:.1f} dB")
            rows.append(SheetRow(kind, [made[place] for made in pictures.ways.values()], notes))
    return draw_contact_sheet(rows)


def _tested(run: UpscalerRun) -> tuple[Any, ...]:
    view = run.recipe.view
    digest = run.asked["data"]["digest"]
    return digest, run.factor, view.high_px, view.crop_px, view.sigma_px


def _by_type(runs: Sequence[UpscalerRun], low: Pictures, types: NDArray[np.str_]) -> Pictures:
    """Each small picture enlarged by the network of its own type."""
    of_type = {run.summary.type: run for run in runs}
    missing = sorted(set(types) - of_type.keys())
    if missing:
        raise UsageError(
            f"no run of {runs[0].summary.recipe} is of {', '.join(missing)}: train one, or leave "
            "out the runs of one type"
        )
    side = low.shape[1] * runs[0].factor
    made = np.empty((len(low), side, side, 3), np.uint8)
    for kind in sorted(set(types)):
        made[types == kind] = enlarged(of_type[kind].network(), low[types == kind])
    return made


def figures(
    pictures: Enlarged, classifier: Typing | None = None, distance: Distance | None = None
) -> dict[str, Any]:
    """Measure every way of enlarging.

    Parameters
    ----------
    pictures : Enlarged
    classifier : Typing, optional
        Its accuracy is measured on every kind of picture.
    distance : Distance, optional
        Perceptual distance to the large pictures.

    Returns
    -------
    dict
        ``n`` pictures in ``n_groups`` source groups; ``classifier`` and ``distance`` by name or
        None; ``ways``: way → figure → ``value`` and ``interval`` (95 %, groups drawn as a whole);
        ``over_bicubic``: the same of the differences to bicubic interpolation on the same
        pictures. Figures are ``psnr`` (dB; identical pictures count as 100) and ``ssim``, means
        over pictures, ``distance`` and ``accuracy``.

    Raises
    ------
    UsageError
        If the classifier does not know a type of the pictures.
    """
    values = {way: _values(way, pictures, classifier, distance) for way in pictures.ways}
    units, n_units = units_of(pictures.groups)
    weights = draw_weights(n_units, resamples=RESAMPLES, seed=SEED)

    def summed(of: NDArray[np.float64]) -> dict[str, Any]:
        sums = sums_by_unit(np.column_stack([of, np.ones(of.size)]), units, n_units)
        draws = weights @ sums
        interval = percentile_interval(ratio(draws[:, 0], draws[:, 1]))
        return {"value": float(of.mean()), "interval": interval if n_units > 1 else None}

    ways = {way: {key: summed(one) for key, one in of.items()} for way, of in values.items()}
    for way, of in values.items():
        if "accuracy" in of:  # exact where every picture is a group of its own
            share = share_right(of["accuracy"] > 0, pictures.groups)
            ways[way]["accuracy"]["interval"] = share["intervals"]["accuracy"]
    base = values[BICUBIC]
    over = {
        way: {key: summed(one - base[key]) for key, one in of.items() if key in base}
        for way, of in values.items()
        if way not in (SMALL, BICUBIC)
    }
    return {
        "n": len(pictures.types),
        "n_groups": n_units,
        "factor": pictures.factor,
        "classifier": None if classifier is None else classifier.name,
        "distance": None if distance is None else distance.name,
        "ways": ways,
        "over_bicubic": over,
    }


def _values(
    way: str, pictures: Enlarged, classifier: Typing | None, distance: Distance | None
) -> dict[str, NDArray[np.float64]]:
    """Every figure of every picture."""
    made, high = pictures.ways[way], pictures.ways[LARGE]
    found: dict[str, NDArray[np.float64]] = {}
    if way != LARGE:  # against itself it would be infinite
        found = {"psnr": decibels(made, high), "ssim": ssim(made, high)}
        if distance is not None:
            numbers = np.arange(len(made))
            both = np.concatenate([made, high])
            found["distance"] = distance.of_pairs(both, numbers, numbers + len(made))
    if classifier is not None:
        found["accuracy"] = _right(made, pictures.types, classifier).astype(np.float64)
    return found


def _right(pictures: Pictures, types: NDArray[np.str_], classifier: Typing) -> NDArray[np.bool_]:
    place = {name: n for n, name in enumerate(classifier.classes)}
    for name in sorted(set(types) - place.keys()):
        if cell_type(name) not in place:
            raise UsageError(
                f"the classifier {classifier.name} does not know {name}; it knows "
                f"{', '.join(classifier.classes)}: name one of the pictures' types"
            )
    true = np.array([place.get(name, place.get(cell_type(name), -1)) for name in types])
    return np.asarray(classifier.probabilities(pictures).argmax(1) == true)
