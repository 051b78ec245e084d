"""A further output for an ONNX network, against what the onnx package makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.io.network_outputs import feature_name, with_output
from tiny_bundles import classifier_model

onnx = pytest.importorskip("onnx", reason="tiny networks are written with onnx")
import onnxruntime  # noqa: E402


def _network(operation: str, *, halved: bool = False) -> bytes:
    """Two linear layers; the weights of the last are stored in 16 bits if ``halved``."""
    make, kind = onnx.helper.make_node, onnx.TensorProto
    weights = {"first": np.eye(3, dtype=np.float32), "second": np.ones((3, 2), np.float32)}
    nodes = []
    if halved:
        weights["second_half"] = weights.pop("second").astype(np.float16)
        nodes.append(make("Cast", ["second_half"], ["second"], to=kind.FLOAT))
    nodes += [
        make("MatMul", ["x", "first"], ["hidden"]),
        make("Relu", ["hidden"], ["features"]),
        make(operation, ["features", "second"], ["logits"]),
        make("MatMul", ["logits", "logits_turned"], ["attention"]),
    ]
    nodes.insert(-1, make("Transpose", ["logits"], ["logits_turned"]))
    graph = onnx.helper.make_graph(
        nodes,
        "tiny",
        [onnx.helper.make_tensor_value_info("x", kind.FLOAT, ["n", 3])],
        [onnx.helper.make_tensor_value_info("attention", kind.FLOAT, ["n", "n"])],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("operation", ["Gemm", "MatMul"])
@pytest.mark.parametrize("halved", [False, True])
def test_the_last_layer_with_constant_weights_is_found(operation: str, halved: bool) -> None:
    """Products of two things that the network computes are no layers."""
    assert feature_name(_network(operation, halved=halved)) == "features"


def test_what_was_added_is_read_by_onnx_and_run() -> None:
    model = with_output(_network("Gemm"), "features")
    read = onnx.load_from_string(model)
    assert [one.name for one in read.graph.output] == ["attention", "features"]
    assert len(read.graph.node) == len(onnx.load_from_string(_network("Gemm")).graph.node)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = np.array([[1.0, -2.0, 3.0]], np.float32)
    attention, features = session.run(None, {"x": x})
    assert features.tolist() == [[1.0, 0.0, 3.0]]
    assert attention.tolist() == [[32.0]]


def test_long_names() -> None:
    """Lengths above 127 take two bytes."""
    name = "x" * 300
    read = onnx.load_from_string(with_output(classifier_model(), name))
    assert read.graph.output[-1].name == name


@pytest.mark.parametrize("data", [b"", b"no network at all", b"\x3a\xff\x01ab"])
def test_other_bytes_have_no_features(data: bytes) -> None:
    assert feature_name(data) is None
