"""The card of a published set of generated pictures, as text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from smearlab import __version__
from smearlab.datasets.manifest.table import Manifest
from smearlab.evaluation.verification_grids import verification_grids
from smearlab.synthesis.generator import Generator

_UNKNOWN = "Not known: find out what the model learned from, and under which licence, before use."


def dataset_card(
    name: str,
    manifest: Manifest,
    models: Sequence[Generator],
    *,
    seed: int,
    truncation: float | None,
    verified: Mapping[str, Any] | None = None,
) -> str:
    """What a published set owes its readers, as Markdown.

    Parameters
    ----------
    name : str
        Of the set.
    manifest : Manifest
        Of its pictures, with types.
    models : sequence of Generator
        That made them; what is known of their data and their figures is on their cards.
    seed : int
    truncation : float or None
        That the pictures were made with.
    verified : mapping, optional
        Of :func:`smearlab.evaluation.verification_result.read_verification`.

    Returns
    -------
    str
        Sections: what it is, pictures, source data, models, figures, use, citation.
    """
    sizes = sorted({model.size_px for model in models})
    pixels = " and ".join(f"{size} × {size}" for size in sizes)
    parts = [
        f"# {name}",
        f"{len(manifest)} **synthetic** pictures of single blood cells, {pixels} px. A computer "
        "made them; none was seen under a microscope. The files are PNG, in a folder for each "
        "type; `manifest.csv` marks every one as synthetic, with its model, seed, latent and "
        "sha256, and `SHA256SUMS` has the checksums of all files.",
        "![some of each type](sheet.png)",
        "## Pictures",
        _counts(manifest),
        f"Seed {seed}, {_said(truncation)}. The same seed and model give the same pictures: "
        "`smearlab generate` draws each from seed, type and index.",
        "## Source data and licence",
        _sources(models),
        "## Models",
        *(_model(model) for model in models),
        "## Figures",
        _figures(models, verified),
        "## Use",
        _USE,
        "## Citation",
        _citation(models),
        f"Written by smearlab {__version__}.",
    ]
    return "\n\n".join(parts) + "\n"


_USE = """\
Meant for training and for studying classifiers, segmenters and generators of blood cells.

- **Not for diagnosis**, nor for any decision on a patient. Research use only.
- **Never as test data.** How well a model does is measured on real pictures; the manifest has
  these in `train`, and smearlab refuses them elsewhere.
- **Not beside a test set that the generator has seen.** What it learned from must not be what you
  test on: see the source data, and keep its split.
- Types are what the generator was asked for; no expert has looked at each picture. It may repeat
  pictures that it learned from, and leaves out what it has not learned: rare forms, other stains,
  other microscopes.
- Say that they are synthetic wherever they are shown or passed on."""


def _said(truncation: float | None) -> str:
    return "no truncation" if truncation is None else f"latents truncated at ± {truncation:g}"


def _counts(manifest: Manifest) -> str:
    counts = Counter(manifest.column("type"))
    lines = [f"| {kind} | {n} |" for kind, n in sorted(counts.items())]
    return "\n".join(["| type | pictures |", "|---|---:|", *lines, f"| all | {len(manifest)} |"])


def _sources(models: Sequence[Generator]) -> str:
    """What the models learned from, and what that allows."""
    lines = _once(line for model in models for line in model.card.get("data", ()))
    use: dict[str, str] = {}
    for model in models:
        use |= model.card.get("data_use", {})
    licences = _once(str(model.card["licence"]) for model in models if "licence" in model.card)
    parts = [
        "The models learned from",
        "\n".join(f"- {line}" for line in lines) if lines else _UNKNOWN,
    ]
    if use:
        allowed = "\n".join(f"- {name}: {words}" for name, words in use.items())
        parts += ["What these sets may serve:", allowed]
    parts.append(
        "The terms of the source data hold for these pictures, too."
        + (f" Licence of the models: {', '.join(licences)}." if licences else "")
    )
    return "\n\n".join(parts)


def _model(model: Generator) -> str:
    """Name, network and checksum."""
    facts: dict[str, Any] = {
        "network": model.card.get("network"),
        "parameters": f"{model.card['parameters']:,}" if "parameters" in model.card else None,
        "types": ", ".join(model.types),
        "size": f"{model.size_px} px, latent of {model.latent_size} numbers",
        "sha256": f"`{model.sha256}`",
        "made with": f"smearlab {model.card['version']}" if "version" in model.card else None,
        "intended use": model.card.get("use"),
    }
    lines = [f"- {key}: {value}" for key, value in facts.items() if value]
    return "\n".join([f"**{model.name}**", "", *lines])


def _figures(models: Sequence[Generator], verified: Mapping[str, Any] | None) -> str:
    """What was verified, and the metrics of the models' cards, as they stand there."""
    parts = []
    if verified is not None:
        parts.append(_compared(verified))
        for grids in verification_grids(verified).values():
            parts += [grid.markdown().rstrip() for grid in grids]
    for model in models:
        metrics: Mapping[str, Any] = model.card.get("metrics") or {}
        for name, figures in metrics.items():
            lines = [f"- {key}: {_number(value)}" for key, value in dict(figures).items()]
            parts.append("\n".join([f"{model.name}, {name}:", "", *lines]))
    return (
        "\n\n".join(parts)
        or "None were measured. `smearlab verify` measures them, `--verified` puts them here."
    )


def _compared(verified: Mapping[str, Any]) -> str:
    """What the figures are of."""
    real = verified["real"]
    said = (
        f"By `smearlab verify` (smearlab {verified['smearlab']}), of {verified['synthetic']['n']} "
        f"synthetic pictures beside {real['train']} real ones of training, {real['val']} of "
        f"validation and {real['test']} of testing, {verified['size_px']} px."
    )
    if verified["simulated"]:
        said += " **The real pictures are simulated: the figures say nothing about blood.**"
    return said


def _number(value: Any) -> str:
    """A figure, with its interval where it has one."""
    if isinstance(value, Mapping) and {"value", "low", "high"} <= set(value):
        figure, low, high = (value[key] for key in ("value", "low", "high"))
        if figure is None:
            return "not known"
        ends = f" (95 % interval {low:.4g} to {high:.4g})" if None not in (low, high) else ""
        return f"{figure:.4g}{ends}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _citation(models: Sequence[Generator]) -> str:
    papers = _once(paper for model in models for paper in (*model.card.get("attribution", ()),))
    methods = _once(str(model.card["source"]) for model in models if model.card.get("source"))
    lines = ["Name the source data wherever these pictures are used or shown:", ""]
    lines += [f"- {paper}" for paper in papers] or [f"- {_UNKNOWN}"]
    if methods:
        lines += ["", "The models follow", "", *(f"- {method}" for method in methods)]
    return "\n".join(lines)


def _once(texts: Any) -> list[str]:
    """Each once, in their order."""
    return list(dict.fromkeys(texts))
