"""Predicts April with the exported trees: one row per flight, for Slipway to judge."""
import numpy as np
import onnx
import pandas as pd

from trees import predict

april = pd.read_csv("build/april.csv", keep_default_na=False)
model = onnx.load("build/onnx/model.onnx")
features = april[[entry.name for entry in model.graph.input]].to_numpy(dtype=np.float32)
april["probability"] = predict(model, features)

columns = ["day", "hour", "origin", "late", "probability"]
april[columns].to_csv("build/onnx/predictions.csv", index=False, float_format="%.6f")
print(f"{len(april):,} flights scored")
