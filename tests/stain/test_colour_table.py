"""Answers kept by colour: the same as asked anew, from several threads, and each asked once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from smearlab.stain.colour_table import ColourTable


def shifted(pixels: np.ndarray) -> np.ndarray:
    """A change of colours that no channel makes alone; black becomes black."""
    wide = pixels.astype(int)
    return np.stack(
        [wide[..., 2], (wide[..., 0] * 3 + wide[..., 1]) % 256, wide[..., 1]], -1
    ).astype(np.uint8)


def noise(seed: int, height: int = 60, width: int = 41) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_answers_are_the_networks() -> None:
    table = ColourTable(shifted)
    corners = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]]], np.uint8)
    for pixels in (corners, noise(0), noise(1), noise(0)[:, ::-1], noise(2, 1, 1)):
        made = table(pixels)
        np.testing.assert_array_equal(made, shifted(pixels))
        assert made.flags["C_CONTIGUOUS"] and made.dtype == np.uint8


def test_only_new_colours_are_asked() -> None:
    asked: list[np.ndarray] = []

    def answer(pixels: np.ndarray) -> np.ndarray:
        asked.append(pixels.reshape(-1, 3))
        return shifted(pixels)

    table = ColourTable(answer)
    first, both = noise(0), np.concatenate([noise(0), noise(1)])
    table(first)
    table(both)
    everything = np.concatenate(asked)
    assert len(asked) == 2
    assert len(everything) == len(np.unique(everything, axis=0))
    np.testing.assert_array_equal(
        np.unique(everything, axis=0), np.unique(both.reshape(-1, 3), axis=0)
    )


def test_several_threads_may_ask() -> None:
    table, pictures = ColourTable(shifted), [noise(n) for n in range(24)]
    with ThreadPoolExecutor(4) as pool:
        for pixels, made in zip(pictures, pool.map(table, pictures), strict=True):
            np.testing.assert_array_equal(made, shifted(pixels))
