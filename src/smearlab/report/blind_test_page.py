"""The page and the sheet of a blind test: numbers and pictures, nothing that tells their origin."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from smearlab import __version__
from smearlab.io.atomic import open_atomic
from smearlab.report.html import content_hash, page_environment

#: Longer side of a picture, px: all pictures are enlarged the same way.
SIDE_PX = 192


def write_blind_pages(
    folder: Path, test: str, types: Sequence[str], pictures: Sequence[NDArray[np.uint8]]
) -> tuple[Path, Path]:
    """Write ``page.html``, which saves answers as a file, and ``sheet.html``, to be printed.

    Parameters
    ----------
    folder : Path
        Exists.
    test : str
        Tells the test; the answers carry it.
    types : sequence of str
        That may be answered.
    pictures : sequence of ndarray of uint8, shape (H, W, 3)
        In the order of their numbers, of one size.

    Returns
    -------
    page, sheet : Path

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    uris = [_uri(one) for one in pictures]
    environment = page_environment()
    style = environment.get_template("report.css.j2").render()
    style += environment.get_template("blind_test.css").render()
    script = environment.get_template("blind_test.js").render()
    paths = folder / "page.html", folder / "sheet.html"
    for path, name in zip(paths, ("blind_test.html.j2", "blind_test_sheet.html.j2"), strict=True):
        text = environment.get_template(name).render(
            version=__version__,
            test=test,
            types=types,
            uris=uris,
            style=Markup(style),
            style_hash=content_hash(style),
            script=Markup(script),
            script_hash=content_hash(script),
        )
        with open_atomic(path, "wb") as file:
            file.write(text.encode("utf-8"))
    return paths


def _uri(pixels: NDArray[np.uint8]) -> str:
    """One way for all: enlarged by cubics, JPEG without colour subsampling."""
    by = SIDE_PX / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * by)), max(1, round(pixels.shape[0] * by)))
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(large, cv2.COLOR_RGB2BGR), quality)
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
