"""Event files, read by protocol buffers' own reader, and by TensorBoard where it is installed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from smearlab.learn.train.event_file import EventFile, crc32c


def test_the_checksum_has_its_known_values() -> None:
    """RFC 3720, appendix B.4."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def event_class() -> type[Any]:
    """The messages that are written, described to the library as TensorFlow publishes them."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")
    fields = {
        "Value": [("tag", 1, kinds.TYPE_STRING, ""), ("simple_value", 2, kinds.TYPE_FLOAT, "")],
        "Summary": [("value", 1, kinds.TYPE_MESSAGE, "Value")],
        "SessionLog": [("status", 1, kinds.TYPE_INT32, "")],
        "Event": [
            ("wall_time", 1, kinds.TYPE_DOUBLE, ""),
            ("step", 2, kinds.TYPE_INT64, ""),
            ("file_version", 3, kinds.TYPE_STRING, ""),
            ("summary", 5, kinds.TYPE_MESSAGE, "Summary"),
            ("session_log", 7, kinds.TYPE_MESSAGE, "SessionLog"),
        ],
    }
    for name, parts in fields.items():
        message = file.message_type.add(name=name)
        for part, number, kind, inner in parts:
            label = kinds.LABEL_REPEATED if part == "value" else kinds.LABEL_OPTIONAL
            one = message.field.add(name=part, number=number, type=kind, label=label)
            if inner:
                one.type_name = f".t.{inner}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Event"))


def records(path: Path) -> list[bytes]:
    """Records of a file whose checksums are right."""

    def unmasked(stored: int) -> int:
        rotated = (stored - 0xA282EAD8) & 0xFFFFFFFF
        return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF

    data, found = path.read_bytes(), []
    while data:
        size, check = struct.unpack("<QI", data[:12])
        assert unmasked(check) == crc32c(data[:8])
        found.append(data[12 : 12 + size])
        (check,) = struct.unpack("<I", data[12 + size : 16 + size])
        assert unmasked(check) == crc32c(found[-1])
        data = data[16 + size :]
    return found


def written(folder: Path) -> Path:
    file = EventFile(folder, first=300)
    file.add(300, {"train/loss": 0.5, "lr": 1e-3})
    file.add(70_000_000_000, {"train/loss": -2.25})
    file.close()
    (path,) = folder.iterdir()
    assert "tfevents" in path.name
    return path


def test_scalars_are_written(tmp_path: Path) -> None:
    event = event_class()
    read = [event.FromString(record) for record in records(written(tmp_path / "a" / "b"))]
    assert read[0].file_version == "brain.Event:2"
    assert (read[1].step, read[1].session_log.status) == (300, 1)
    values = [(one.step, {v.tag: v.simple_value for v in one.summary.value}) for one in read[2:]]
    assert values == [
        (300, {"train/loss": 0.5, "lr": pytest.approx(1e-3)}),
        (70_000_000_000, {"train/loss": -2.25}),
    ]
    assert all(one.wall_time > 1.7e9 for one in read)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_it(tmp_path: Path) -> None:
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard is not installed",
    )
    written(tmp_path)
    again = EventFile(tmp_path, first=301)  # a run that goes on replaces what came after
    again.add(301, {"train/loss": 0.25})
    again.close()
    found = reader.EventAccumulator(str(tmp_path)).Reload().Scalars("train/loss")
    assert [(one.step, one.value) for one in found] == [(300, 0.5), (301, 0.25)]
