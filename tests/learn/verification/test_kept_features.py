"""Features that are kept: each picture is seen by the network once, and rows keep their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from smearlab.learn.verification import kept_features
from smearlab.learn.verification.kept_features import KeptFeatures
from smearlab.learn.verification.pictures import LoadedPictures


class Counting:
    """Mean colours, and how many pictures were looked at."""

    name = "mean colours"

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        return self.both(pictures)[0]

    def both(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        self.seen += len(pictures)
        return pictures.mean((1, 2)), pictures.mean((1, 2, 3))[:, None]


def pictures_of(*numbers: int) -> LoadedPictures:
    pixels = np.stack([np.full((2, 2, 3), n, np.uint8) for n in numbers])
    names = np.array([str(n) for n in numbers])
    return LoadedPictures(pixels, names, names, names)


def test_each_picture_is_seen_once(tmp_path: Path) -> None:
    network = Counting()
    kept = KeptFeatures(tmp_path / "features", network)
    features, answers = kept.both(pictures_of(3, 1, 3))
    assert features[:, 0].tolist() == [3, 1, 3] and answers[:, 0].tolist() == [3, 1, 3]
    assert network.seen == 2
    again = KeptFeatures(tmp_path / "features", network)
    assert again.both(pictures_of(2, 3, 1))[0][:, 1].tolist() == [2, 3, 1]
    assert network.seen == 3


def test_what_was_seen_before_a_stop_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_features, "_WRITE_EVERY", 2)

    class Stopped(Counting):
        def both(
            self, pictures: NDArray[np.uint8]
        ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            if self.seen == 4:
                raise KeyboardInterrupt
            return super().both(pictures)

    with pytest.raises(KeyboardInterrupt):
        KeptFeatures(tmp_path, Stopped()).both(pictures_of(1, 2, 3, 4, 5))
    again = Counting()
    features, _ = KeptFeatures(tmp_path, again).both(pictures_of(5, 4, 3, 2, 1))
    assert features[:, 0].tolist() == [5, 4, 3, 2, 1] and again.seen == 1


def test_a_broken_file_is_written_anew_and_other_networks_have_their_own(tmp_path: Path) -> None:
    network = Counting()
    KeptFeatures(tmp_path, network).both(pictures_of(1))
    (place,) = tmp_path.iterdir()
    place.write_bytes(b"broken")
    assert KeptFeatures(tmp_path, network).both(pictures_of(1))[0][0, 0] == 1
    assert network.seen == 2
    network.name = "others"
    KeptFeatures(tmp_path, network).both(pictures_of(1))
    assert network.seen == 3 and len(list(tmp_path.iterdir())) == 2
