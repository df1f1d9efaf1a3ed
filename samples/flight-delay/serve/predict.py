"""Answers predictions. Slipway calls predict() with the inputs that the spec's signature names."""
import os

import joblib
import numpy as np

saved = joblib.load(os.environ["SLIPWAY_MODEL"])
UNKNOWN = 0.2    # the late rate that features.sql starts everybody with


def predict(inputs):
    origin, destination, hour, weekday, distance = (
        [row[0] for row in inputs[name]] for name in ("origin", "destination", "hour", "weekday", "distance")
    )
    route_rate = [saved["routes"].get(key, UNKNOWN) for key in zip(origin, destination)]
    hour_rate = [saved["hours"].get(key, UNKNOWN) for key in zip(origin, hour)]
    features = np.column_stack([hour, weekday, distance, route_rate, hour_rate])
    return {"probability": saved["model"].predict_proba(features)[:, 1:].tolist()}
