"""A fitted method on pictures of all kinds: ground, guard, seams, what cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_smears import CREAM, PINK, nucleus_mask, smear
from smearlab.errors import ImageError, UnknownNameError, UsageError
from smearlab.stain import normaliser as module
from smearlab.stain.fitting import measure_look
from smearlab.stain.ground import density_of, ground_of
from smearlab.stain.methods import METHODS
from smearlab.stain.normaliser import ReferenceNormaliser

LOOKS = {name: measure_look([smear(CREAM, seed) for seed in (1, 2)], name) for name in METHODS}
SOURCES = {name: measure_look([smear(PINK, seed) for seed in (3, 4)], name) for name in METHODS}


def fitted(method: str, **changed: Any) -> ReferenceNormaliser:
    return ReferenceNormaliser(method, method, LOOKS[method], **changed)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("known", [False, True])
def test_blank_pictures_come_back_bit_by_bit(method: str, known: bool) -> None:
    normaliser = fitted(method, source=SOURCES[method] if known else None)
    rng = np.random.default_rng(0)
    grainy = np.clip(np.array(PINK.ground) + rng.normal(0, 2, (40, 50, 3)), 0, 255)
    spot = np.full((40, 50, 3), (216, 184, 170), np.uint8)
    spot[3:5, 3:5] = (90, 20, 100)  # a grain of dust
    for pixels in (grainy.astype(np.uint8), spot, np.zeros((9, 9, 3), np.uint8), spot[:1, :1]):
        made = normaliser.normalise(pixels)
        assert not made.changed
        assert made.pixels.tobytes() == pixels.tobytes()
        assert made.why.startswith("nearly blank")


@pytest.mark.parametrize("method", ["macenko", "vahadane"])
def test_without_a_nucleus_the_source_tells_the_stains(method: str) -> None:
    """Of red cells alone one stain is to be seen."""
    pixels = smear(PINK, nucleus=False)
    alone = fitted(method).normalise(pixels)
    assert not alone.changed and alone.pixels.tobytes() == pixels.tobytes()
    assert "left as it is" in alone.why
    made = fitted(method, source=SOURCES[method]).normalise(pixels)
    assert made.changed and made.why.endswith("taken for stained as the source")
    wanted = smear(CREAM, nucleus=False).astype(int)
    assert np.abs(made.pixels - wanted).mean() < 2.5


@pytest.mark.parametrize("method", METHODS)
def test_the_ground_is_matched_or_kept_exactly(method: str) -> None:
    pixels = smear(PINK)
    ground = density_of(pixels).mean(-1) < 0.01
    kept = fitted(method, ground="keep").apply(pixels)
    assert (kept[ground] == pixels[ground]).all()
    assert np.abs(kept[nucleus_mask()].astype(int) - pixels[nucleus_mask()]).mean() > 3
    matched = fitted(method, ground="match").apply(pixels)
    assert (matched[ground] == np.array(CREAM.ground)).all()
    assert ground_of(matched) == pytest.approx(CREAM.ground, abs=1)


@pytest.mark.parametrize("method", METHODS)
def test_strips_leave_no_seam(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    normaliser, pixels = fitted(method), smear(PINK)
    whole = normaliser.apply(pixels)
    monkeypatch.setattr(module, "_STRIP_PX", 5 * pixels.shape[1])
    assert np.abs(normaliser.apply(pixels).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_with_the_sources_numbers_a_part_is_part_of_the_whole(method: str) -> None:
    """As long as both show the same ground: every pixel is carried over by itself."""
    normaliser = fitted(method, source=SOURCES[method], estimate="source")
    pixels = smear(PINK)
    whole = normaliser.apply(pixels)
    assert (normaliser.apply(pixels[8:56, 20:80]) == whole[8:56, 20:80]).all()
    assert (normaliser.apply(pixels[:, ::-1]) == whole[:, ::-1]).all()


@given(
    st.integers(1, 24), st.integers(1, 24), st.integers(0, 2**32 - 1), st.sampled_from([*METHODS])
)
def test_any_picture_gives_a_picture(height: int, width: int, seed: int, method: str) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    pixels[rng.random((height, width)) < 0.4] = 240
    given_bytes = pixels.tobytes()
    made = fitted(method, ground=rng.choice(["match", "keep", "published"])).normalise(pixels)
    assert made.pixels.shape == pixels.shape and made.pixels.dtype == np.uint8
    assert made.changed or made.pixels.tobytes() == given_bytes
    assert pixels.tobytes() == given_bytes


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match=r"uint8 \(H, W, 3\); received float64 \(4, 4\)"):
        fitted("macenko").apply(np.zeros((4, 4)))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"received uint8 \(0, 4, 3\)"):
        fitted("macenko").apply(np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(UnknownNameError, match="did you mean 'keep'"):
        fitted("macenko", ground="kept")
    with pytest.raises(UnknownNameError, match="did you mean 'picture'"):
        fitted("macenko", estimate="pictures")
    with pytest.raises(UsageError, match="no source was measured"):
        fitted("macenko", estimate="source")


def test_pictures_that_cannot_be_fitted_to() -> None:
    blank = np.full((20, 20, 3), 230, np.uint8)
    with pytest.raises(UsageError, match="no picture in the target"):
        measure_look([], "macenko", name="the target")
    with pytest.raises(ImageError, match="the target: all pictures are blank"):
        measure_look([blank, blank], "macenko", name="the target")
    red_cells = [smear(CREAM, seed, nucleus=False) for seed in (0, 1)]
    with pytest.raises(ImageError, match=r"the target: .*(only one stain|no azure)"):
        measure_look(red_cells, "macenko", name="the target")
    with pytest.raises(UnknownNameError, match="did you mean 'reinhard'"):
        measure_look(red_cells, "reinhart")
    assert measure_look([blank, smear(CREAM)], "macenko").ground.shape == (3,)
