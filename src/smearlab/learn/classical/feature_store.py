"""Features of the pictures of a manifest: measured once, in parallel, kept by their bytes."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import ImageError, ManifestError, UsageError
from smearlab.io.atomic import write_bytes
from smearlab.io.quick_jpeg import read_reduced
from smearlab.learn.classical.feature import names_of
from smearlab.learn.classical.features import FEATURE_VERSION, FEATURES, measure
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig, draw_picture_view

#: Pictures after which the kept file is written: so many at most are measured twice.
_WRITE_EVERY = 500
#: Fewer are measured before other processes have started.
_WORTH_PROCESSES = 128
Kept = dict[str, NDArray[np.float32]]
#: A file, and the side of its middle square that is measured, px; 0 for all of it.
Asked = tuple[Path, int]


class FeatureStore:
    """Features by the sha256 of a picture's bytes and the part of it that is measured.

    Parameters
    ----------
    folder : Path or None
        Holds one ``.npz`` for each version of the features and each size; made if missing. None
        keeps nothing on disk.
    size_px : int
        Side at which pictures are measured; see
        :class:`~smearlab.learn.classical.features.FeatureConfig`.
    """

    def __init__(self, folder: Path | None, size_px: int) -> None:
        self.size_px = size_px
        name = f"features-v{FEATURE_VERSION}-{size_px}.npz"
        self.path = None if folder is None else folder / name
        self._kept = {} if self.path is None else read_kept(self.path)

    def __len__(self) -> int:
        return len(self._kept)

    def features(
        self,
        pictures: Sequence[Path],
        crops: Sequence[int],
        *,
        jobs: int = 1,
        advance: Callable[[], None] = lambda: None,
    ) -> NDArray[np.float32]:
        """Features of pictures, measured where they are not kept.

        Parameters
        ----------
        pictures : sequence of Path
            N files.
        crops : sequence of int
            N sides of the middle square that is measured, px; 0 for the whole picture, squeezed.
        jobs : int
            Processes, at least 1; the result does not hang on it.
        advance : callable
            Called after every picture.

        Returns
        -------
        ndarray of float32, shape (N, F)
            In the order of :data:`~smearlab.learn.classical.features.FEATURES`.

        Raises
        ------
        ManifestError
            If a picture cannot be read, or is smaller than the crop; names it and the reason.
        UsageError
            If ``jobs`` is below 1.
        """
        if jobs < 1:
            raise UsageError(f"jobs must be at least 1; received {jobs}")
        asked = list(zip(pictures, map(int, crops), strict=True))
        keys = [f"{_sha256(path)}/{crop}" for path, crop in asked]
        fresh: dict[str, Asked] = {}
        for key, one in zip(keys, asked, strict=True):
            if key not in self._kept and key not in fresh:
                fresh[key] = one
            else:  # known, or the same bytes as one that will be measured
                advance()
        for n, (key, values) in enumerate(_measured(fresh, self.size_px, jobs), start=1):
            self._kept[key] = values
            advance()
            if n % _WRITE_EVERY == 0 or n == len(fresh):
                self._write()
        empty = np.empty((0, len(FEATURES)), np.float32)
        return np.stack([self._kept[key] for key in keys]) if keys else empty

    def _write(self) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        buffer = BytesIO()
        np.savez_compressed(
            buffer,
            names=np.array(names_of(FEATURES)),
            pictures=np.array(list(self._kept)),
            values=np.stack(list(self._kept.values())),
        )
        write_bytes(self.path, buffer.getvalue())


def read_kept(path: Path) -> Kept:
    """What was kept, by ``SHA256/CROP``.

    Nothing if there is no such file, or if it is of other features.

    Raises
    ------
    ManifestError
        If the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            if tuple(kept["names"].tolist()) != names_of(FEATURES):
                return {}
            return dict(zip(kept["pictures"].tolist(), kept["values"], strict=True))
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, OSError) as error:
        raise ManifestError(
            f"{path} cannot be read ({error}); delete it, and the features are measured anew"
        ) from error


def measure_file(asked: Asked, size_px: int) -> NDArray[np.float32]:
    """Read, cut, resize and measure one picture.

    Parameters
    ----------
    asked : tuple of Path and int
        The file, and the side of the middle square, px; 0 for the whole picture.
    size_px : int

    Returns
    -------
    ndarray of float32, shape (F,)

    Raises
    ------
    ManifestError
        If it cannot be read, or is smaller than the crop.
    """
    path, crop_px = asked[0], asked[1] or None
    view = PictureViewConfig(size_px, crop_px, AffineRanges())
    try:
        picture = read_reduced(path, size_px, crop_px)
        return measure(draw_picture_view(picture, view, np.random.default_rng(0)))
    except (ImageError, UsageError) as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ManifestError(f"{path}: {reason}, or leave it out of the manifest") from error


def _measured(
    fresh: dict[str, Asked], size_px: int, jobs: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Keys and values, in their order."""
    work = partial(measure_file, size_px=size_px)
    if jobs == 1 or len(fresh) < _WORTH_PROCESSES:
        yield from zip(fresh, map(work, fresh.values()), strict=True)
        return
    # Forking a process that already has threads (torch's, OpenCV's) may hang the child.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, cv2.setNumThreads, (1,)) as pool:
        yield from zip(fresh, pool.map(work, fresh.values(), chunksize=8), strict=True)


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ManifestError(
            f"{path} cannot be read ({error.strerror}); leave it out of the manifest"
        ) from error
