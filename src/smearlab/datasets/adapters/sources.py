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


def augmented_group(origin: str, split: str, original: str) -> str:
    """The source of a picture of ``bccd4``, whose names end in a random number.

    Parameters
    ----------
    origin, split : str
        The archive that the picture came from at first; its part of the set.
    original : str
        Folder and file name there. Sources are counted anew in every part and type.

    Examples
    --------
    >>> augmented_group("BCCD", "train", "EOSINOPHIL/_0_1169.jpeg")
    'BCCD/bccd4 train EOSINOPHIL 0'
    """
    path = PurePosixPath(original)
    number = path.stem.rsplit("_", 1)[0].strip("_")
    return f"{origin}/bccd4 {split} {path.parent.name} {number}"
