"""A boosted tree ensemble of scikit-learn as an ONNX graph, and a small evaluator that reads the graph back.

Debian has no converter and no ONNX Runtime for Python. ONNX compares in float32, scikit-learn in float64: with
thresholds rounded down to float32, every float32 feature takes the same branch in both.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper

OPSET = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
IR_VERSION = 8


def round_down(threshold):
    """The largest float32 that is not above the threshold."""
    nearest = np.float32(threshold)
    return nearest if nearest <= threshold else np.nextafter(nearest, np.float32(-np.inf))


def to_onnx(model, inputs):
    """One graph input of shape [N, 1] for each (name, type) of `inputs`; the output is `probability`, [N, 1]."""
    node = {key: [] for key in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids")}
    leaf = {key: [] for key in ("treeids", "nodeids", "ids", "weights")}
    for tree, (predictor,) in enumerate(model._predictors):
        for index, n in enumerate(predictor.nodes):
            is_leaf = bool(n["is_leaf"])
            node["treeids"].append(tree)
            node["nodeids"].append(index)
            node["featureids"].append(0 if is_leaf else int(n["feature_idx"]))
            node["modes"].append("LEAF" if is_leaf else "BRANCH_LEQ")
            node["values"].append(0.0 if is_leaf else float(round_down(n["num_threshold"])))
            node["truenodeids"].append(0 if is_leaf else int(n["left"]))
            node["falsenodeids"].append(0 if is_leaf else int(n["right"]))
            if is_leaf:
                leaf["treeids"].append(tree)
                leaf["nodeids"].append(index)
                leaf["ids"].append(0)
                leaf["weights"].append(float(n["value"]))

    names = [name for name, _ in inputs]
    graph = helper.make_graph(
        [
            *(helper.make_node("Cast", [name], [name + "_f"], to=TensorProto.FLOAT) for name in names),
            helper.make_node("Concat", [name + "_f" for name in names], ["features"], axis=1),
            helper.make_node(
                "TreeEnsembleRegressor", ["features"], ["margin"], domain="ai.onnx.ml", n_targets=1,
                base_values=[float(np.ravel(model._baseline_prediction)[0])],
                **{"nodes_" + key: values for key, values in node.items()},
                **{"target_" + key: values for key, values in leaf.items()},
            ),
            helper.make_node("Sigmoid", ["margin"], ["probability"]),
        ],
        "flight-delay",
        [helper.make_tensor_value_info(name, type, ["N", 1]) for name, type in inputs],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 1])],
    )
    exported = helper.make_model(graph, opset_imports=OPSET, ir_version=IR_VERSION, producer_name="flight-delay")
    onnx.checker.check_model(exported)
    return exported


def predict(exported, features):
    """What the graph answers for `features` (float32, in the order of its inputs), walked with numpy."""
    ensemble = next(n for n in exported.graph.node if n.op_type == "TreeEnsembleRegressor")
    a = {attribute.name: helper.get_attribute_value(attribute) for attribute in ensemble.attribute}
    tree = np.array(a["nodes_treeids"])
    start = np.searchsorted(tree, np.arange(tree[-1] + 1))
    feature, value = np.array(a["nodes_featureids"]), np.array(a["nodes_values"], dtype=np.float32)
    branches = np.array([mode != b"LEAF" for mode in a["nodes_modes"]])
    # A leaf leads to itself, so that all rows can be moved the same number of times.
    left = np.where(branches, start[tree] + np.array(a["nodes_truenodeids"]), np.arange(len(tree)))
    right = np.where(branches, start[tree] + np.array(a["nodes_falsenodeids"]), np.arange(len(tree)))
    weight = np.zeros(len(tree), dtype=np.float32)
    weight[start[np.array(a["target_treeids"])] + np.array(a["target_nodeids"])] = a["target_weights"]

    rows = np.arange(len(features))
    margin = np.full(len(features), a["base_values"][0], dtype=np.float32)
    for root in start:
        at = np.full(len(features), root)
        while branches[at].any():
            at = np.where(features[rows, feature[at]] <= value[at], left[at], right[at])
        margin += weight[at]
    return 1 / (1 + np.exp(-margin))
