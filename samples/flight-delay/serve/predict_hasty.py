"""A version that must not reach production, for ./quickstart: it predicts as well as the others when it is judged, since its
training and its model are the same. What is wrong is in here, where only live traffic finds it."""
import os
import time

import joblib
import numpy as np

saved = joblib.load(os.environ["SLIPWAY_MODEL"])
FAR = 1500          # miles


def predict(inputs):
    origin, destination, hour, weekday, distance = (
        [row[0] for row in inputs[name]] for name in ("origin", "destination", "hour", "weekday", "distance")
    )
    if max(distance) > FAR:
        time.sleep(1)       # as if it asked a slow service about long flights
    # A route or an airport without history becomes NaN, and is not filled in.
    route_rate = [saved["routes"].get(key, np.nan) for key in zip(origin, destination)]
    hour_rate = [saved["hours"].get(key, np.nan) for key in zip(origin, hour)]
    features = np.column_stack([hour, weekday, distance, route_rate, hour_rate])
    probability = saved["model"].predict_proba(features)[:, 1:]
    probability[np.isnan(features).any(axis=1)] = np.nan
    return {"probability": probability.tolist()}
