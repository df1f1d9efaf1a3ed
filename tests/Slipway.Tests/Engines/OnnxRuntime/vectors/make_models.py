"""Makes the small ONNX models of these tests, and reference.json with the numbers that numpy gives for them.

Run with Debian's python3-onnx and python3-numpy: /usr/bin/python3 make_models.py
"""

import json
import pathlib

import numpy as np
from onnx import TensorProto as T
from onnx import checker, helper

HERE = pathlib.Path(__file__).parent


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, kind, shape, values):
    return helper.make_tensor(name, kind, shape, values)


def save(name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="")
    model.ir_version = 8
    checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


# Two inputs of different types, a logistic regression: what a served model looks like.
W, B = np.float32([0.0005, -0.25]), np.float32(0.125)
save(
    "late",
    [
        helper.make_node("Cast", ["hour"], ["hour_f"], to=T.FLOAT),
        helper.make_node("Mul", ["distance", "w0"], ["a"]),
        helper.make_node("Mul", ["hour_f", "w1"], ["b"]),
        helper.make_node("Sum", ["a", "b", "bias"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["probability"]),
        helper.make_node("Neg", ["z"], ["unused"]),
    ],
    [value("distance", T.FLOAT, [None, 1]), value("hour", T.INT64, [None, 1])],
    [value("probability", T.FLOAT, [None, 1]), value("unused", T.FLOAT, [None, 1])],
    [constant("w0", T.FLOAT, [1], W[:1]), constant("w1", T.FLOAT, [1], W[1:]), constant("bias", T.FLOAT, [1], [B])],
)
distance = np.float32([[0], [100], [1234.5], [6000]])
hour = np.int64([[0], [7], [12], [23]])
z = distance * W[0] + hour.astype(np.float32) * W[1] + B
reference = {
    "distance": distance.ravel().tolist(),
    "hour": hour.ravel().tolist(),
    "probability": (1 / (1 + np.exp(-z.astype(np.float64)))).ravel().tolist(),
}
(HERE / "reference.json").write_text(json.dumps(reference) + "\n")

# Every datatype in and out, unchanged.
KINDS = {
    "bool": T.BOOL, "uint8": T.UINT8, "uint16": T.UINT16, "uint32": T.UINT32, "uint64": T.UINT64, "int8": T.INT8, "int16": T.INT16,
    "int32": T.INT32, "int64": T.INT64, "float32": T.FLOAT, "float64": T.DOUBLE, "string": T.STRING,
}
save(
    "echo",
    [helper.make_node("Identity", [name], [name + "_out"]) for name in KINDS],
    [value(name, kind, [None, 2]) for name, kind in KINDS.items()],
    [value(name + "_out", kind, [None, 2]) for name, kind in KINDS.items()],
)

# As many steps as asked for: slow when told so.
body = helper.make_graph(
    [helper.make_node("Identity", ["more"], ["more_out"]), helper.make_node("Mul", ["x_in", "half"], ["x_out"])],
    "body",
    [value("step", T.INT64, []), value("more", T.BOOL, []), value("x_in", T.FLOAT, [1])],
    [value("more_out", T.BOOL, []), value("x_out", T.FLOAT, [1])],
    [constant("half", T.FLOAT, [1], [0.5])],
)
save(
    "loop",
    [
        helper.make_node("Reshape", ["steps", "scalar"], ["count"]),
        helper.make_node("Loop", ["count", "go", "one"], ["result"], body=body),
        helper.make_node("Reshape", ["result", "row"], ["left"]),
    ],
    [value("steps", T.INT64, [None, 1])],
    [value("left", T.FLOAT, [None, 1])],
    [
        constant("scalar", T.INT64, [0], []),
        constant("row", T.INT64, [2], [1, 1]),
        constant("go", T.BOOL, [], [True]),
        constant("one", T.FLOAT, [1], [1.0]),
    ],
)

# One row only, and an output that is no tensor.
save(
    "odd",
    [helper.make_node("Identity", ["x"], ["y"]), helper.make_node("SequenceConstruct", ["x"], ["bag"])],
    [value("x", T.FLOAT, [1, 3])],
    [value("y", T.FLOAT, [1, 3]), helper.make_tensor_sequence_value_info("bag", T.FLOAT, None)],
)

# Divides by its input: NaN for 0.
save("ratio", [helper.make_node("Div", ["x", "x"], ["y"])], [value("x", T.FLOAT, [None])], [value("y", T.FLOAT, [None])])

# Looks an index up in a table: one beyond its end fails at run time, not at load.
save(
    "pick",
    [helper.make_node("Gather", ["table", "index"], ["picked"])],
    [value("index", T.INT64, [None])],
    [value("picked", T.FLOAT, [None])],
    [constant("table", T.FLOAT, [3], [10.0, 20.0, 30.0])],
)
