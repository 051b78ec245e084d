"""A segmentation recipe from pairs to the run folder of an element: split, train, judge, sum up."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from smearlab.datasets.element_pairs import list_pairs, load_pair
from smearlab.datasets.pair_files import PAIR_PARTS, PairFile, PairPart, Truth
from smearlab.datasets.simulated_pairs import simulated_pairs
from smearlab.errors import DataError, UsageError
from smearlab.io.atomic import write_text
from smearlab.learn.classifier_recipe import Protocol
from smearlab.learn.element_samples import ElementSamples, Tiles, scaled_pairs, tiles_of
from smearlab.learn.games.known_pairs import KnownPairs
from smearlab.learn.objectives import ElementForeground
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_progress import conclude, is_done, progress_of, warnings_later, warnings_of
from smearlab.learn.segmentation_recipe import PairData, SegmentationRecipe
from smearlab.learn.segmentation_record import KIND, SegmentationSummary, counts
from smearlab.learn.segmenter_graphs import build_critic, build_network
from smearlab.learn.segmenter_judge import TileJudge
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.hardware import is_first_process
from smearlab.learn.train.supervised import fit
from smearlab.types import Element

#: The pictures of a run with the part each was in.
PICTURES = "pictures.json"
#: Fields that ``--data simulated`` makes where ``data.simulated`` asks for none, and those of them
#: that are held out.
_SIMULATED, _HELD_OUT = 8, 2
_CONFIG, _CHECKPOINT = "config.json", "checkpoint.json"


@dataclass(frozen=True)
class RunPairs:
    """The pairs of a run.

    Parameters
    ----------
    files : tuple of PairFile
        Of all parts.
    judged : {"val", "test"}
        The part that the training is judged on: in the paper's protocol the tested one, as the
        paper does, but it chooses nothing there.
    """

    files: tuple[PairFile, ...]
    judged: PairPart

    def part(self, name: PairPart) -> list[PairFile]:
        """The pairs of a part."""
        return [file for file in self.files if file.part == name]

    @property
    def digest(self) -> str:
        """What tells one set of pairs with its parts from another."""
        lines = sorted(f"{file.name} {file.part} {file.truth}" for file in self.files)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def element_run_folder(recipe: SegmentationRecipe, element: Element, asked: Asked) -> Path:
    """Where the run of an element lies: ``OUT/RECIPE-PROTOCOL/ELEMENT``."""
    return asked.out / f"{recipe.name}-{asked.protocol}" / element.lower()


def run_segmenter(recipe: SegmentationRecipe, element: Element, asked: Asked) -> Path:
    """Train the network of an element, or go on with it; a run that is done is left as it is.

    Parameters
    ----------
    recipe : SegmentationRecipe
        As :meth:`~smearlab.learn.segmentation_recipe.SegmentationRecipe.asked_for` gives it.
    element : {"RBC", "WBC", "PLT"}
    asked : Asked
        Its ``weights``, ``n_train`` and ``cache_bytes`` are not looked at.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    UsageError
        If the run was begun with other settings or pictures.
    DataError
        If there are no pairs of the element, or none to train on.
    """
    run = element_run_folder(recipe, element, asked)
    pairs = pairs_of(recipe.data, element, asked.data, asked.protocol)
    describe = _describe(recipe, element, asked, pairs)
    if is_done(run, recipe.train, describe, asked.say):
        return run
    sizes = {part: len(pairs.part(part)) for part in PAIR_PARTS}
    told = ", ".join(f"{part} {n}" for part, n in sizes.items())
    asked.say(f"{recipe.name}, {element}: {told}")
    samples = _samples(recipe, pairs)
    judge = _judge(recipe, pairs)
    torch.manual_seed(recipe.train.seed)
    model = build_network(recipe.network)
    critic = None if recipe.critic is None else build_critic(recipe.critic)
    networks = {"generator": counts(model), **({"critic": counts(critic)} if critic else {})}
    if isinstance(recipe.train, AdversarialConfig):
        assert critic is not None
        game = KnownPairs(model, critic, recipe.weights.l1, recipe.weights.element)
        with warnings_later():
            model = fit_adversarial(
                game, samples, recipe.train, run, validate=judge, describe=describe, show=asked.show
            )
    else:
        model = fit(
            model,
            samples,
            ElementForeground(recipe.weights.dice),
            recipe.train,
            run,
            validate=judge if judge and judge.chooses else None,
            describe=describe,
            show=asked.show,
        )
    if is_first_process():
        _write_pictures(run, pairs, asked.data)
        statistics = judge.better_statistics(model) if judge else None
        summary = _summary(recipe, element, asked, pairs, run, networks, _figures(judge, model))
        summary = replace(summary, statistics=statistics)
        conclude(run, summary, asked.say)
    return run


def pairs_of(data: PairData, element: Element, source: str, protocol: Protocol) -> RunPairs:
    """The pairs that a run learns from and is judged on.

    Parameters
    ----------
    data : PairData
    element : {"RBC", "WBC", "PLT"}
    source : str
        A folder of :func:`smearlab.datasets.element_pairs.list_pairs`, or ``simulated``.
    protocol : {"paper", "honest"}

    Raises
    ------
    DataError
        If no pair is left to train on.
    UsageError
        If fewer fields are to be simulated than are held out.
    """
    judged: PairPart = "val" if protocol == "honest" else "test"
    if source == "simulated":
        n = data.simulated or _SIMULATED
        if n <= _HELD_OUT:
            raise UsageError(
                f"data.simulated must be above {_HELD_OUT} with --data simulated, which holds as "
                f"many out; received {n}"
            )
        drawn = simulated_pairs(n, element, data.seed)
        held_out = [replace(file, part=judged) for file in drawn[-_HELD_OUT:]]
        return RunPairs((*drawn[:-_HELD_OUT], *held_out), judged)
    truths: list[Truth] = [truth for truth in ("mask", "boxes") if truth in data.truths]
    files = list_pairs(Path(source), element, protocol, truths=truths, seed=data.seed)
    if data.simulated:
        files += simulated_pairs(data.simulated, element, data.seed)
    if not any(file.part == "train" for file in files):
        raise DataError(
            f"{source} has {len(files)} pairs of {element} and none to train on: give more pictures"
        )
    return RunPairs(tuple(files), judged)


def judged_tiles(files: Sequence[PairFile], cell_px: float, size: int, most: int) -> Tiles:
    """Tiles of pairs at the network's scale, cut as fields are when they are segmented.

    Parameters
    ----------
    files : sequence of PairFile
        At least one.
    cell_px : float
        Diameter of a red cell.
    size : int
        Side of a tile, px.
    most : int
        Tiles, at most.

    Raises
    ------
    DataError
        If there is no pair.
    """
    _, scaled = scaled_pairs(_readers(files), cell_px)
    return tiles_of(scaled, size, overlap_px(size), most)


def overlap_px(size: int) -> int:
    """How far neighbouring tiles overlap where fields are segmented; 96 of 256 px."""
    return max(1, size * 3 // 8)


def _readers(files: Sequence[PairFile]) -> list[Any]:
    return [partial(load_pair, file) for file in files]


def _samples(recipe: SegmentationRecipe, pairs: RunPairs) -> ElementSamples:
    names, scaled = scaled_pairs(_readers(pairs.part("train")), recipe.view.cell_px)
    return ElementSamples(names, scaled, recipe.view, recipe.data.per_picture)


def _judge(recipe: SegmentationRecipe, pairs: RunPairs) -> TileJudge | None:
    files = pairs.part(pairs.judged)
    if not files:
        return None
    view = recipe.view
    tiles = judged_tiles(files, view.cell_px, view.size, recipe.data.judged_tiles)
    return TileJudge(tiles, chooses=pairs.judged == "val")


def _figures(judge: TileJudge | None, model: nn.Module) -> dict[str, float]:
    """What the weights that count are worth."""
    if judge is None:
        return {}
    return {name: value for name, value in judge(model).items() if name != "loss"}


def _describe(
    recipe: SegmentationRecipe, element: Element, asked: Asked, pairs: RunPairs
) -> dict[str, Any]:
    """What a run follows from beside ``train``, as its ``config.json`` keeps it."""
    return {
        "kind": KIND,
        "recipe": recipe.name,
        "element": element,
        "protocol": asked.protocol,
        "network": {"kind": type(recipe.network).__name__, **asdict(recipe.network)},
        "critic": None if recipe.critic is None else asdict(recipe.critic),
        "view": asdict(recipe.view),
        "weights": asdict(recipe.weights),
        "data": {**asdict(recipe.data), "digest": pairs.digest},
        "deviations": list(recipe.deviations),
    }


def _write_pictures(run: Path, pairs: RunPairs, source: str) -> None:
    kept = {
        "data": source if source == "simulated" else str(Path(source).resolve()),
        "pairs": [
            {key: getattr(file, key) for key in ("name", "part", "group", "origin", "truth")}
            for file in pairs.files
        ],
    }
    write_text(run / PICTURES, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def _summary(
    recipe: SegmentationRecipe,
    element: Element,
    asked: Asked,
    pairs: RunPairs,
    run: Path,
    networks: Mapping[str, Mapping[str, int]],
    figures: Mapping[str, float],
) -> SegmentationSummary:
    return SegmentationSummary(
        recipe=recipe.name,
        element=element,
        protocol=asked.protocol,
        networks=networks,
        pictures={part: len(pairs.part(part)) for part in PAIR_PARTS},
        truths=dict(Counter(file.truth for file in pairs.files)),
        **asdict(progress_of(run, recipe.train.step_samples)),
        seed=recipe.train.seed,
        figures=dict(figures),
        judged_on=f"{pairs.judged}, {recipe.data.judged_tiles} tiles at most" if figures else "",
        datasets=tuple(sorted({file.name.partition("/")[0] for file in pairs.part("train")})),
        reported=recipe.reported,
        deviations=recipe.deviations,
        warnings=warnings_of(run),
    )
