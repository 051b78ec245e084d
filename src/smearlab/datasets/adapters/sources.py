"""The source that all crops and copies of a picture share: such pictures never part."""

from __future__ import annotations

from pathlib import PurePosixPath


def source_group(origin: str, original: str) -> str:
    """The source that all crops and copies of a picture share.

    Raabin names end in the number of the crop within one field; crops overlap.

    Parameters
    ----------
    origin, original : str
        The archive that the picture came from at first; its file name there.

    Examples
    --------
    >>> source_group("Raabin-WBC", "95-8-17-3_283_1.jpg"), source_group("PBC", "BA_74973.jpg")
    ('Raabin-WBC/95-8-17-3_283', 'PBC/BA_74973')
    """
    stem = PurePosixPath(original).stem
    return f"{origin}/{stem.rsplit('_', 1)[0] if origin.startswith('Raabin') else stem}"
