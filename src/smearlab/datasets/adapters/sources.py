"""The source that all crops and copies of a picture share: such pictures never part."""

from __future__ import annotations

from pathlib import PurePosixPath

from smearlab.datasets.adapters.pbc_relatives import FIRST_RELATIVE


def source_group(origin: str, original: str) -> str:
    """The source that all crops and copies of a picture share.

    Raabin names end in the number of the crop within one field; crops overlap. Pictures of PBC
    that are known to show the same place have one source, see
    :data:`smearlab.datasets.adapters.pbc_relatives.RELATIVES`.

    Parameters
    ----------
    origin, original : str
        The archive that the picture came from at first; its file name there.

    Examples
    --------
    >>> source_group("Raabin-WBC", "95-8-17-3_283_1.jpg"), source_group("PBC", "BA_74973.jpg")
    ('Raabin-WBC/95-8-17-3_283', 'PBC/BA_74973')
    >>> source_group("PBC", "BA_874689.jpg")
    'PBC/BA_174731'
    """
    stem = PurePosixPath(original).stem
    if origin.startswith("Raabin"):
        stem = stem.rsplit("_", 1)[0]
    elif origin == "PBC":
        stem = FIRST_RELATIVE.get(stem, stem)
    return f"{origin}/{stem}"
