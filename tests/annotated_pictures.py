"""Annotations of any kind that a format promises to keep, for property tests."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from smearlab.io.annotations import Annotation, AnnotationSet


def _is_line(text: str) -> bool:
    return (
        bool(text)
        and text == text.strip()
        and not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text)
        and not set(text) & set("\ufeff\ufffe\uffff")
    )


LINES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(_is_line)
LABELS = st.one_of(st.sampled_from(["neutrophil", "immature granulocyte", "RBC"]), LINES)
NAMES = LINES.filter(lambda text: not set(text) & set("/\\") and len(text.encode()) < 100)
SCORES = st.one_of(st.none(), st.floats(0, 1))
PROPERTIES = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda k: k != "score"),
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.integers(-(2**70), 2**70),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    max_size=4,
)


@st.composite
def contours(draw: st.DrawFn, width: int, height: int) -> tuple[tuple[float, float], ...]:
    """Polygons with corners on a ten-thousandth of a pixel, within the picture."""
    x = st.integers(0, width * 10_000).map(lambda v: v / 10_000)
    y = st.integers(0, height * 10_000).map(lambda v: v / 10_000)
    return tuple(draw(st.lists(st.tuples(x, y), min_size=3, max_size=9)))


@st.composite
def boxes(draw: st.DrawFn, width: int, height: int) -> tuple[int, int, int, int]:
    """Boxes within the picture."""
    x0 = draw(st.integers(0, width - 1))
    y0 = draw(st.integers(0, height - 1))
    return x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))


@st.composite
def annotation_sets(
    draw: st.DrawFn, labels: st.SearchStrategy[str] = LABELS, full: bool = True
) -> AnnotationSet:
    """Annotations of one picture; with ``full``, all that can be known of a cell."""
    width, height = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
    maybe = contours(width, height) if full else st.none()
    items = st.builds(
        Annotation,
        label=labels,
        bbox=boxes(width, height),
        contour=st.one_of(st.none(), maybe),
        score=SCORES if full else st.none(),
        properties=PROPERTIES if full else st.just({}),
    )
    return AnnotationSet(draw(NAMES), width, height, tuple(draw(st.lists(items, max_size=5))))


def same_kinds(one: AnnotationSet, other: AnnotationSet) -> bool:
    """Equal, and also of the same types: Python calls ``True``, ``1`` and ``1.0`` equal."""
    return one == other and all(
        type(value) is type(b.properties[key])
        for a, b in zip(one.items, other.items, strict=True)
        for key, value in a.properties.items()
    )
