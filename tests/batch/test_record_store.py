"""Records: every number comes back bit for bit, and a damaged file counts as none."""

from __future__ import annotations

import math
import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from smearlab.batch.records import (
    Content,
    DamagedRecordError,
    RecordStore,
    RecordStream,
    StoredField,
    content_of,
    decode_record,
    encode_record,
)
from smearlab.errors import ImageError
from smearlab.report.records import FieldRecord
from smearlab.types import CELL_TYPES, ELEMENTS, Cell

SHA = "ab" * 32
number = st.floats(allow_infinity=False)
# File names may hold bytes that are no UTF-8; Python gives them as lone surrogates.
any_text = st.text(st.characters(codec=None), max_size=12)
contours = npst.arrays(
    np.float32,
    st.integers(3, 9).map(lambda n: (n, 2)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@st.composite
def cells(draw: st.DrawFn, label: int) -> Cell:
    names = draw(st.lists(st.sampled_from(CELL_TYPES), unique=True, max_size=4))
    return Cell(
        field="field",
        label=label,
        contour=draw(contours),
        bbox=draw(st.tuples(*[st.integers(-5, 10**6)] * 4)),
        area_px=draw(number),
        touches_border=draw(st.booleans()),
        element=draw(st.sampled_from(ELEMENTS)),
        detection_score=draw(number),
        type=draw(st.sampled_from(CELL_TYPES)),
        probabilities={name: draw(number) for name in names},
        confidence=draw(number),
    )


@st.composite
def stored_fields(draw: st.DrawFn) -> StoredField:
    count = draw(st.integers(0, 4))
    overlay_size = draw(st.none() | st.integers(0, 10**12))
    record = FieldRecord(
        name="field",
        source=draw(any_text),
        width_px=draw(st.integers(1, 10**6)),
        height_px=draw(st.integers(1, 10**6)),
        um_per_px=draw(st.none() | st.floats(1e-6, 1e3)),
        notes=tuple(draw(st.lists(any_text, max_size=3))),
        cells=tuple(draw(cells(label)) for label in range(1, count + 1)),
        thumbnails=draw(st.dictionaries(st.integers(1, 9), st.binary(max_size=20), max_size=3)),
        overlay=None if overlay_size is None else "overlays/field.png",
    )
    return StoredField(record, Content(SHA, draw(st.integers(0, 10**15))), overlay_size)


def plain(value: object) -> object:
    """Something that ``==`` compares bit for bit; NaN equals NaN."""
    if isinstance(value, Cell | FieldRecord | StoredField | Content):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value.hex()
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def example() -> StoredField:
    cell = Cell(
        field="field",
        label=1,
        contour=np.array([[0.1, 0.2], [5.3, 0.7], [2.5, 6.25]], np.float32),
        bbox=(0, 0, 6, 7),
        area_px=17.3,
        touches_border=True,
        element="WBC",
        detection_score=0.9,
        type="monocyte",
        probabilities={"monocyte": 1 / 3},
        confidence=1 / 3,
    )
    record = FieldRecord("field", "in/field.png", 64, 48, None, (), (cell,), {1: b"\xff\xd8jpeg"})
    return StoredField(record, Content(SHA, 10))


@given(stored_fields())
def test_comes_back_bit_for_bit(stored: StoredField) -> None:
    assert plain(decode_record(encode_record(stored))) == plain(stored)


@given(stored_fields())
@settings(max_examples=20)
def test_without_thumbnails_all_else_is_the_same(stored: StoredField) -> None:
    bare = replace(stored, record=replace(stored.record, thumbnails={}))
    assert plain(decode_record(encode_record(stored), thumbnails=False)) == plain(bare)


def test_numpy_numbers_are_taken() -> None:
    stored = example()
    cell = replace(stored.record.cells[0], area_px=np.float32(17.3), label=np.int64(1))
    again = decode_record(
        encode_record(replace(stored, record=replace(stored.record, cells=(cell,))))
    )
    assert again.record.cells[0].area_px == float(np.float32(17.3))


def test_any_cut_and_any_changed_byte_is_noticed(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    data = encode_record(example())
    for at in range(len(data)):
        store.path("field").write_bytes(data[:at])
        assert store.load("field") is None, f"cut at {at}"
        changed = bytearray(data)
        changed[at] ^= 0x04
        store.path("field").write_bytes(changed)
        assert store.load("field") is None, f"changed at {at}"
    store.path("field").write_bytes(data)
    assert plain(store.load("field")) == plain(example())


def test_a_record_of_another_field_is_none(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.save(example())
    assert store.load("other") is None
    store.path("field").rename(store.path("other"))
    assert store.load("other") is None
    assert store.names() == ["other"]


def test_a_record_of_a_later_format_is_none(tmp_path: Path) -> None:
    data = encode_record(example()).replace(b"smearlab-record 1", b"smearlab-record 2", 1)
    with pytest.raises(DamagedRecordError, match="no header 'smearlab-record 1'"):
        decode_record(data)


def test_stream_can_be_read_again_and_says_what_vanished(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.save(example())
    stream = RecordStream(store, ["field"])
    assert [r.name for r in stream] == [r.name for r in stream] == ["field"]
    assert len(stream) == 1
    store.path("field").unlink()
    with pytest.raises(DamagedRecordError, match=r"'field'.* vanished"):
        list(stream)


def test_content_is_that_of_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert content_of(file) == Content(digest, 3)


def test_content_of_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "pipe", "."):
        with pytest.raises(ImageError, match="no plain file"):
            content_of(tmp_path / name)
