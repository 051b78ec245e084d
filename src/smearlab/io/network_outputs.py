"""A further output for an ONNX network: what its last linear layer is given, its features.

Only as much of the file is read as this takes, so the bench needs no library for it. ONNX files
are protocol buffers: a message is a row of fields, and a message may be continued by appending
more fields to its bytes. So an output is added to a network without taking it apart.

References
----------
ONNX, onnx.proto: field numbers of ModelProto, GraphProto, NodeProto, TensorProto and
ValueInfoProto. Protocol Buffers, Encoding: last section, "Merging".
"""

from __future__ import annotations

from collections.abc import Iterator

_GRAPH = 7  # of ModelProto
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12  # of GraphProto
_NODE_INPUT, _NODE_OUTPUT, _OPERATION = 1, 2, 4  # of NodeProto
_TENSOR_NAME, _VALUE_NAME = 8, 1
_LINEAR = (b"Gemm", b"MatMul")
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def feature_name(model: bytes) -> str | None:
    """Name of what the last linear layer takes.

    Parameters
    ----------
    model : bytes
        An ONNX file.

    Returns
    -------
    str or None
        None if there is no linear layer with constant weights, or the bytes are no such file.
    """
    try:
        (graph,) = [value for field, value in _fields(model) if field == _GRAPH]
        nodes = [value for field, value in _fields(graph) if field == _NODE]
        constants = {
            name
            for field, value in _fields(graph)
            if field == _INITIALIZER
            for inner, name in _fields(value)
            if inner == _TENSOR_NAME
        }
        # Weights may be stored in fewer bits, or turned, by a node before the layer.
        found = None
        for node in nodes:
            parts = list(_fields(node))
            inputs = [value for field, value in parts if field == _NODE_INPUT]
            kind = next((value for field, value in parts if field == _OPERATION), b"")
            if inputs and all(one in constants for one in inputs):
                constants |= {value for field, value in parts if field == _NODE_OUTPUT}
            elif kind in _LINEAR and inputs[1] in constants:
                found = inputs[0].decode()
    except (ValueError, IndexError):
        return None
    return found


def with_output(model: bytes, name: str) -> bytes:
    """The network with a further output.

    Parameters
    ----------
    model : bytes
        An ONNX file.
    name : str
        Of something that a node of it gives.

    Returns
    -------
    bytes
    """
    output = _field(_OUTPUT, _field(_VALUE_NAME, name.encode()))
    return model + _field(_GRAPH, output)


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of the fields that have a length; numbers are passed over.

    Raises
    ------
    ValueError
        If the bytes are no message.
    """
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == _LENGTH:
            size, place = _varint(message, place)
            if place + size > len(message):
                raise ValueError("a field is longer than its message")
            yield tag >> 3, message[place : place + size]
            place += size
        elif kind == _VARINT:
            _, place = _varint(message, place)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            place += 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"a field of kind {kind}")


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the place after it."""
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _field(number: int, content: bytes) -> bytes:
    return _number(number << 3 | _LENGTH) + _number(len(content)) + content


def _number(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
