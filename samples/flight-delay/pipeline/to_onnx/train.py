"""Fits a smaller model on January to March and writes it as ONNX."""
import argparse
import os

import numpy as np
import pandas as pd
from onnx import TensorProto
from sklearn.ensemble import HistGradientBoostingClassifier

from trees import predict, to_onnx

INPUTS = [
    ("hour", TensorProto.INT64),
    ("weekday", TensorProto.INT64),
    ("distance", TensorProto.FLOAT),
    ("route_rate", TensorProto.FLOAT),
    ("hour_rate", TensorProto.FLOAT),
]

arguments = argparse.ArgumentParser()
arguments.add_argument("--leaves", type=int, default=15)
arguments.add_argument("--learning-rate", type=float, default=0.2)
arguments.add_argument("--trees", type=int, default=40)
options = arguments.parse_args()

train = pd.read_csv("build/train.csv")
features = train[[name for name, _ in INPUTS]].to_numpy(dtype=np.float32)
model = HistGradientBoostingClassifier(
    max_leaf_nodes=options.leaves,
    learning_rate=options.learning_rate,
    max_iter=options.trees,
    early_stopping=False,
    random_state=int(os.environ.get("SLIPWAY_SEED", "42")),
)
model.fit(features, train["late"].to_numpy())

exported = to_onnx(model, INPUTS)
difference = np.abs(predict(exported, features) - model.predict_proba(features)[:, 1]).max()
if not difference <= 1e-5:
    raise SystemExit(f"the exported trees differ from scikit-learn's by up to {difference:.1e}, allowed 1e-5")

os.makedirs("build/onnx", exist_ok=True)
with open("build/onnx/model.onnx", "wb") as file:
    file.write(exported.SerializeToString(deterministic=True))
print(f"{len(train):,} flights; ONNX and scikit-learn agree to {difference:.0e}")
