"""Fields put into another stain before they are analysed; all pictures stay the original ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from smearlab.batch.run import FieldAnalyzer
from smearlab.pipeline import Analysis
from smearlab.stain.normaliser import Normaliser
from smearlab.types import Field


@dataclass(frozen=True)
class NormalisedFields:
    """An analyser that sees every field in another stain.

    Overlays, thumbnails and everything else that is drawn show the field as it was photographed.

    Parameters
    ----------
    analyzer : FieldAnalyzer
    normaliser : Normaliser
    """

    analyzer: FieldAnalyzer
    normaliser: Normaliser

    def analyze(self, field: Field) -> Analysis:
        """Normalise one field, then find and type its cells; the notes say what was done."""
        made = self.normaliser.normalise(field.pixels)
        analysis = self.analyzer.analyze(replace(field, pixels=made.pixels))
        done = f"stain normalised by {self.normaliser.name}" if made.changed else "stain: unchanged"
        note = f"{done} ({made.why})" if made.why else done
        return replace(analysis, notes=(note, *analysis.notes))

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        """The cards of the analyser's bundles, and the normaliser's as ``stain``."""
        return {**self.analyzer.describe(), "stain": self.normaliser.card}
