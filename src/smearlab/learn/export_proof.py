"""What an exported classifier owes: the checkpoint's answers, and the price of eight bits."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from smearlab.errors import SmearlabError
from smearlab.evaluation.part_accuracy import share_right
from smearlab.io.atomic import write_bytes, write_text
from smearlab.learn.classifier_run import views
from smearlab.learn.export import BundleGraph, TypesGraph, freeze, write_bundle
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.quantize import quantized
from smearlab.learn.timing import ms_per_cell

Weights = Literal["auto", "half", "float"]
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
#: Largest difference between bundle and checkpoint: of a probability, of a pixel of 8 bits.
PARITY, PIXEL_PARITY = 1e-4, 1.0
#: Random pictures where there are no real ones; cells that are timed; cells in one call.
_DRAWN, _TIMED, _BATCH = 16, 32, 32
Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
#: Inputs of a graph by name, and the outputs it gives to each of some.
Question = Mapping[str, NDArray[Any]]
Answers = Sequence[Sequence[NDArray[Any]]]


def open_graph(model: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A bundle's graph, run as the bench runs it.

    Parameters
    ----------
    model : Path
        ``model.onnx``.
    threads : int
        Of one call.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def answers_of(model: Path, threads: int = 1) -> Answer:
    """A classifier's graph as a function of views, run as the bench runs it.

    Unlike :class:`smearlab.io.bundles.Bundle` it also takes classes that the bench does not know.

    Parameters
    ----------
    model : Path
        ``model.onnx`` of a bundle.
    threads : int
        Of one call.
    """
    session = open_graph(model, threads)

    def answer(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, shape (N, K)."""
        parts = [
            session.run(["probabilities"], {"pixels": pixels[n : n + _BATCH]})[0]
            for n in range(0, len(pixels), _BATCH)
        ]
        return np.concatenate(parts)

    return answer


def write_proven(
    bundle: Path,
    graph: TypesGraph,
    card: Mapping[str, Any],
    seen: NDArray[np.uint8] | None,
    weights: Weights = "auto",
) -> Path:
    """Write a bundle and compare its answers with those of the checkpoint.

    Parameters
    ----------
    bundle : Path
        Folder to write.
    graph : TypesGraph
        Around the checkpoint's network in evaluation mode; not changed.
    card : mapping
        Of the bundle, but for ``weights`` and ``parity``.
    seen : ndarray of uint8, shape (N, S, S, 3), or None
        Real pictures to compare on; random ones are drawn without them.
    weights : {"auto", "half", "float"}
        ``auto`` keeps half floats if their rounding costs less than :data:`PARITY`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SmearlabError
        If the bundle's graph answers differently from the network it was made of.
    """
    side = card["input_px"]
    rng = np.random.default_rng(0)
    pixels = seen
    if pixels is None:
        pixels = rng.integers(0, 256, (_DRAWN, side, side, 3)).astype(np.uint8)
    example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    questions = [{"pixels": pixels[n : n + _BATCH]} for n in range(0, len(pixels), _BATCH)]
    off, _ = write_checked(bundle, graph, {"pixels": example}, card, questions, weights)
    parity = {
        "largest_difference": float(f"{off:.3g}"),
        "pictures": len(pixels),
        "of": "validation" if seen is not None else "random numbers",
    }
    add_to_card(bundle, {"parity": parity})
    return bundle


def write_checked(
    bundle: Path,
    graph: BundleGraph,
    example: Mapping[str, torch.Tensor],
    card: Mapping[str, Any],
    questions: Sequence[Question],
    weights: Weights,
    price: Callable[[Answers, Answers], float] | None = None,
    tolerance: float = PARITY,
) -> tuple[float, float]:
    """Write a bundle of any kind, all of whose answers are those of its network.

    Parameters
    ----------
    bundle : Path
        Folder to write.
    graph : BundleGraph
        Around the checkpoint's network in evaluation mode; not changed.
    example : mapping of str to Tensor
        See :func:`smearlab.learn.export.write_bundle`.
    card : mapping
        Of the bundle, but for ``weights``.
    questions : sequence of mappings of str to ndarray
        Inputs to compare on.
    weights : {"auto", "half", "float"}
        ``auto`` keeps half floats if their price is at most ``tolerance``.
    price : callable, optional
        What rounding costs, from the bundle's answers and the checkpoint's; their largest
        difference when left out.
    tolerance : float
        Largest difference between the answers of the bundle's graph and its network:
        :data:`PARITY`, or :data:`PIXEL_PARITY` where they are pictures.

    Returns
    -------
    off, price : float
        Largest difference from the checkpoint's answers, and the price that was paid.

    Raises
    ------
    SmearlabError
        If the bundle's graph answers differently from the network it was made of.
    """
    wanted = [_eager(graph, question) for question in questions]
    kinds: tuple[Weights, ...] = ("half", "float") if weights == "auto" else (weights,)
    for kind in kinds:
        written = copy.deepcopy(graph)
        if kind == "half":
            freeze(written.model)
        write_bundle(bundle, written, example, {**card, "weights": kind})
        session = open_graph(bundle / "model.onnx")
        found = [session.run(list(graph.outputs), dict(question)) for question in questions]
        off = farthest(found, wanted)
        paid = off if price is None else price(found, wanted)
        wrong = farthest(found, [_eager(written, question) for question in questions])
        if wrong > tolerance:
            what = "probabilities" if tolerance == PARITY else "pixels"
            raise SmearlabError(
                f"the bundle of {card['network']} does not answer as its network does: "
                f"{what} differ by up to {wrong:.2g}, more than {tolerance:g}. Nothing was "
                "written; this is a fault of the export, please report it"
            )
        if paid <= tolerance:
            break
    return off, paid


def _eager(graph: BundleGraph, question: Question) -> list[NDArray[Any]]:
    """What the graph answers in eager torch."""
    with torch.inference_mode():
        answers = graph(*(torch.from_numpy(value) for value in question.values()))
    return [answer.numpy() for answer in answers]


def farthest(found: Answers, wanted: Answers) -> float:
    """Largest difference over all questions and their answers."""
    return max(
        _off(a, b)
        for ours, theirs in zip(found, wanted, strict=True)
        for a, b in zip(ours, theirs, strict=True)
    )


def write_quantized(
    bundle: Path, whole: Path, *, ranges_on: NDArray[np.uint8], measured_on: ManifestSamples
) -> Path:
    """Write the int8 version of a bundle, and what it costs.

    Parameters
    ----------
    bundle : Path
        Folder to write.
    whole : Path
        Folder of the bundle that is quantised.
    ranges_on : ndarray of uint8, shape (N, S, S, 3)
        Training pictures on which the ranges of activations are measured.
    measured_on : ManifestSamples
        Pictures of the validation part: accuracy before and after.

    Returns
    -------
    Path
        The folder; ``quantised`` of its card holds accuracy, bytes and ms a cell of both.

    Raises
    ------
    UsageError
        If there are no pictures to measure ranges on.
    """
    data = quantized(whole / "model.onnx", ranges_on)
    bundle.mkdir(parents=True, exist_ok=True)
    write_bytes(bundle / "model.onnx", data)
    pixels = views(measured_on, len(measured_on))
    calls = {
        "before": answers_of(whole / "model.onnx"),
        "after": answers_of(bundle / "model.onnx"),
    }
    given = {name: call(pixels) for name, call in calls.items()}
    times = ms_per_cell(calls, pixels[:_TIMED])
    sizes = {
        "before": (whole / "model.onnx").stat().st_size,
        "after": len(data),
    }
    cost: dict[str, Any] = {
        name: {
            **accuracy(answers, measured_on.targets, measured_on.groups),
            "bytes": sizes[name],
            "ms_per_cell": round(times[name], 3),
        }
        for name, answers in given.items()
    }
    changed = given["before"].argmax(1) != given["after"].argmax(1)
    cost |= {
        "to": "int8",
        "ranges_on": len(ranges_on),
        "answers_changed": int(changed.sum()),
        "largest_difference": float(f"{_off(given['before'], given['after']):.3g}"),
    }
    card = json.loads((whole / "card.json").read_text(encoding="utf-8"))
    card |= {
        "name": f"{card['name']}_int8",
        "weights": "int8",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "quantised": cost,
    }
    _write_card(bundle, card)
    return bundle


def accuracy(
    answers: NDArray[np.float32], targets: NDArray[np.int64], groups: NDArray[np.str_]
) -> dict[str, Any]:
    """Share of right answers with its 95 % interval, as cards hold figures.

    Parameters
    ----------
    answers : ndarray of float32, shape (N, K)
        Logits or probabilities.
    targets : ndarray of int64, shape (N,)
    groups : ndarray of str, shape (N,)
        Pictures of one group count as one: :func:`~smearlab.metrics.intervals.share_interval`.

    Returns
    -------
    dict
        ``n``, ``n_groups`` and ``accuracy``: ``value``, ``low`` and ``high``, None where there are
        no pictures; 0 to 1 where a single group tells nothing of others.
    """
    n = len(targets)
    if not n:
        return {"n": 0, "n_groups": 0, "accuracy": dict.fromkeys(("value", "low", "high"))}
    found = share_right(answers.argmax(1) == targets, groups)
    low, high = found["intervals"]["accuracy"]
    ends = (0.0, 1.0) if np.isnan(low) else (low, high)
    numbers = zip(("value", "low", "high"), (found["accuracy"], *ends), strict=True)
    entry = {key: round(float(number), 5) for key, number in numbers}
    return {"n": n, "n_groups": found["n_groups"], "accuracy": entry}


def _off(a: NDArray[Any], b: NDArray[Any]) -> float:
    # Bytes would wrap round.
    return float(np.abs(np.subtract(a, b, dtype=np.float32)).max())


def add_to_card(bundle: Path, facts: Mapping[str, Any]) -> None:
    """Further keys on the card of a bundle that is written."""
    card = json.loads((bundle / "card.json").read_text(encoding="utf-8"))
    _write_card(bundle, {**card, **facts})


def keep_bundle(bundle: Path, out: Path) -> dict[str, Any]:
    """Put a bundle that is proven where it was asked for: each file whole, the card last.

    Parameters
    ----------
    bundle : Path
        Where it was written to be proven.
    out : Path
        Made if missing; replaced if it is a bundle.

    Returns
    -------
    dict
        Its card.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / "model.onnx", (bundle / "model.onnx").read_bytes())
    text = (bundle / "card.json").read_text(encoding="utf-8")
    write_text(out / "card.json", text)
    card: dict[str, Any] = json.loads(text)
    return card


def _write_card(bundle: Path, card: Mapping[str, Any]) -> None:
    write_text(bundle / "card.json", json.dumps(card, indent=1, ensure_ascii=False) + "\n")
