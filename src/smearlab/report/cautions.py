"""What a reader must know before trusting the figures of a report."""

from __future__ import annotations

import math

from smearlab.report.digest import Digest, Pitches
from smearlab.report.numbers import decimal, integer, percent
from smearlab.types import ELEMENT_NAMES, ELEMENTS, LEUKOCYTE_TYPES

#: A manual differential counts at least this many leukocytes.
ENOUGH_LEUKOCYTES = 100
#: Share of the nucleated cells that may stay unidentified without a warning.
MUCH_UNIDENTIFIED = 0.1


def cautions(found: Digest, n_failed: int) -> tuple[str, ...]:
    """Warnings about an analysis, the gravest first.

    Parameters
    ----------
    found : Digest
        What was analysed.
    n_failed : int
        Files that could not be.

    Returns
    -------
    tuple of str
        Whole sentences in plain text; empty when there is nothing to warn of.
    """
    warnings = [*_of_files(found, n_failed), *_of_elements(found), *_of_leukocytes(found)]
    n_empty = sum(not any(line.n_of_type) for line in found.lines)
    if n_empty and found.lines:
        warnings.append(f"No cell was found in {_many(n_empty, 'field')}: look at the pictures.")
    return tuple(warnings)


def pixel_size(pitches: Pitches, n_fields: int) -> str:
    """One sentence on the units of lengths.

    Parameters
    ----------
    pitches : Pitches
        Pixel sizes of the fields.
    n_fields : int
        How many fields there are.

    Returns
    -------
    str
    """
    if n_fields == 0:
        return "No field, no pixel size."
    if pitches.n_unknown == n_fields:
        return (
            "Pixel size unknown: lengths are in pixels (px). Give it with --um-per-px to have "
            "micrometres as well."
        )
    low, high = decimal(pitches.low, 4), decimal(pitches.high, 4)
    size = f"{low} µm per px" if low == high else f"{low} to {high} µm per px"
    if not pitches.n_unknown:
        return f"Pixel size {size}: lengths are in pixels and in micrometres."
    return (
        f"Pixel size {size}; unknown for {_many(pitches.n_unknown, 'field')}, whose lengths are "
        "in pixels (px) only."
    )


def _of_files(found: Digest, n_failed: int) -> list[str]:
    n_files = len(found.lines) + n_failed
    if not n_files:
        return ["No picture was given: there is nothing to report."]
    if not n_failed:
        return []
    return [
        f"{integer(n_failed)} of {_many(n_files, 'file')} could not be analysed and "
        f"{'is' if n_failed == 1 else 'are'} in no count: see Files that failed."
    ]


def _of_elements(found: Digest) -> list[str]:
    missed = [name for name in ELEMENTS if name in found.counts.not_looked_for]
    if not missed:
        return []
    words = [ELEMENT_NAMES[name] for name in missed]
    return [
        f"The segmenter does not look for {' or '.join(words)}: their numbers are unknown, not 0."
    ]


def _of_leukocytes(found: Digest) -> list[str]:
    warnings: list[str] = []
    n_wbc = found.counts.elements["WBC"]
    if math.isnan(n_wbc):
        return warnings
    n_leukocytes = sum(found.counts.types[name].n for name in LEUKOCYTE_TYPES)
    if not n_leukocytes:
        warnings.append("No leukocyte was identified: there is no differential.")
    elif n_leukocytes < ENOUGH_LEUKOCYTES:
        warnings.append(
            f"The differential rests on {_many(n_leukocytes, 'leukocyte')} only, so its intervals "
            "are wide. Routine manual differentials count 100 to 200 leukocytes; the CLSI H20-A2 "
            "reference method counts 400."
        )
    if n_wbc and found.n_unidentified_wbc / n_wbc > MUCH_UNIDENTIFIED:
        share = percent(found.n_unidentified_wbc / n_wbc)
        warnings.append(
            f"{integer(found.n_unidentified_wbc)} of {_many(n_wbc, 'nucleated cell')} ({share}) "
            "stayed unidentified and "
            f"{'is' if found.n_unidentified_wbc == 1 else 'are'} not in the differential: look at "
            "them in the gallery."
        )
    return warnings


def _many(n: float, noun: str) -> str:
    return f"{integer(n)} {noun}{'' if n == 1 else 's'}"
