"""A generator at the bench: the foretold pictures, the same bytes, named errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from smearlab.errors import BundleError, UnknownNameError, UsageError
from smearlab.io.bundles import bundle_of_run
from smearlab.synthesis.generator import BLOCK, End, Generator
from smearlab.synthesis.latents import between, draw_latents
from tiny_generators import LATENT, SIZE, TYPES, foretold, write_generator


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    return Generator.load(write_generator(tmp_path_factory.mktemp("g") / "colours"), threads=2)


def types_of(kind: str, n: int) -> np.ndarray:
    return np.repeat(np.eye(3, dtype=np.float32)[[TYPES.index(kind)]], n, axis=0)


def test_pictures_are_those_of_the_network(model: Generator) -> None:
    made = np.stack(list(model.generate("eosinophil", 21, seed=4)))
    latents = draw_latents("eosinophil", range(21), 4, LATENT)
    np.testing.assert_array_equal(made, foretold(latents, types_of("eosinophil", 21)))
    assert len(np.unique(made[:, 0, 0], axis=0)) > 15


@pytest.mark.parametrize(("n", "start"), [(1, 0), (3, 2), (BLOCK + 3, BLOCK - 2), (0, 5)])
def test_a_picture_does_not_depend_on_how_many_are_asked(
    model: Generator, n: int, start: int
) -> None:
    whole = np.stack(list(model.generate("basophil", 3 * BLOCK, seed=1)))
    part = list(model.generate("basophil", n, seed=1, start=start))
    assert len(part) == n
    for index, picture in enumerate(part, start):
        np.testing.assert_array_equal(picture, whole[index])


def test_the_network_always_gets_the_same_neighbours(model: Generator) -> None:
    # Rounding may hang on the size of a batch and on the place in it.
    asked = []

    def answer(latents: np.ndarray, types: np.ndarray) -> np.ndarray:
        asked.append(latents)
        return np.zeros((len(latents), SIZE, SIZE, 3), np.uint8)

    spied = Generator("spy", "0", TYPES, LATENT, SIZE, {}, answer)
    list(spied.generate("basophil", 2 * BLOCK, 0))
    list(spied.generate("basophil", 1, 0, start=BLOCK + 3))
    assert [len(latents) for latents in asked] == [BLOCK] * 3
    np.testing.assert_array_equal(asked[2], asked[1])


def test_threads_change_no_picture(model: Generator) -> None:
    alone = list(replace(model, threads=1).generate("basophil", 5 * BLOCK, seed=1, start=3))
    several = replace(model, threads=3)
    for one, other in zip(alone, several.generate("basophil", 5 * BLOCK, 1, start=3), strict=True):
        np.testing.assert_array_equal(one, other)


def test_blocks_are_computed_side_by_side_and_none_that_nobody_wants() -> None:
    together, begun = Barrier(2, timeout=30), []

    def answer(latents: np.ndarray, types: np.ndarray) -> np.ndarray:
        begun.append(len(latents))
        together.wait()  # broken, and so an error, unless two are there at a time
        return np.zeros((len(latents), SIZE, SIZE, 3), np.uint8)

    spied = Generator("spy", "0", TYPES, LATENT, SIZE, {}, answer, threads=2)
    assert len(list(spied.generate("basophil", 4 * BLOCK, 0))) == 4 * BLOCK
    assert begun == [BLOCK] * 4


def test_nothing_is_computed_that_nobody_wants() -> None:
    begun = []

    def answer(latents: np.ndarray, types: np.ndarray) -> np.ndarray:
        begun.append(len(latents))
        return np.zeros((len(latents), SIZE, SIZE, 3), np.uint8)

    spied = Generator("spy", "0", TYPES, LATENT, SIZE, {}, answer, threads=2)
    next(spied.generate("basophil", 100 * BLOCK, 0))
    assert len(begun) <= 3


def test_what_fails_in_a_thread_is_raised() -> None:
    def answer(latents: np.ndarray, types: np.ndarray) -> np.ndarray:
        raise UsageError("no more")

    spied = Generator("spy", "0", TYPES, LATENT, SIZE, {}, answer, threads=2)
    with pytest.raises(UsageError, match="no more"):
        list(spied.generate("basophil", 4 * BLOCK, 0))


def test_truncation_reaches_the_latents(model: Generator) -> None:
    made = list(model.generate("basophil", 4, 1, truncation=0.1))
    latents = draw_latents("basophil", range(4), 1, LATENT, 0.1)
    np.testing.assert_array_equal(np.stack(made), foretold(latents, types_of("basophil", 4)))


def test_a_way_leads_from_one_picture_to_another(model: Generator) -> None:
    start, end = End("basophil", 2), End("eosinophil", 0)
    made = model.interpolate(start, end, 5, seed=1)
    np.testing.assert_array_equal(made[0], next(model.generate("basophil", 1, 1, start=2)))
    np.testing.assert_array_equal(made[-1], next(model.generate("eosinophil", 1, 1)))
    a, b = (draw_latents(one.type, [one.index], 1, LATENT)[0] for one in (start, end))
    middle = foretold(between(a, b, 5)[2:3], np.array([[0.5, 0.5, 0]], np.float32))
    np.testing.assert_array_equal(made[2:3], middle)
    with pytest.raises(UsageError, match="both ends are picture 2 of basophil; name another"):
        model.interpolate(start, start, 5, seed=1)


def test_what_it_does_not_make_is_said(model: Generator) -> None:
    with pytest.raises(UnknownNameError, match="type of generator colours 'basofil'; did you mean"):
        model.generate("basofil", 1, 0)
    with pytest.raises(UsageError, match="at least 0; received -1 and 0"):
        model.generate("basophil", -1, 0)


def test_runs_give_their_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = write_generator(tmp_path / "runs" / "one" / "bundle")
    assert bundle_of_run("generator", str(bundle)) == bundle
    assert bundle_of_run("generator", str(bundle.parent)) == bundle
    monkeypatch.setenv("SMEARLAB_MODELS", str(tmp_path / "runs"))
    assert bundle_of_run("generator", "one") == bundle
    with pytest.raises(UsageError, match=r"runs holds the runs one: name them instead"):
        bundle_of_run("generator", str(tmp_path / "runs"))


def test_runs_without_a_bundle_say_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="not finished; go on with the smearlab train"):
        Generator.load(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(UsageError, match="run without a bundle; make it with: smearlab export /"):
        Generator.load(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"empty is no bundle: card\.json cannot be read"):
        Generator.load(tmp_path / "empty")
