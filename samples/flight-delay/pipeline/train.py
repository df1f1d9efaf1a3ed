"""Fits the model on January to March."""
import argparse
import os

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

FEATURES = ["hour", "weekday", "distance", "route_rate", "hour_rate"]

arguments = argparse.ArgumentParser()
arguments.add_argument("--leaves", type=int, default=31)
arguments.add_argument("--learning-rate", type=float, default=0.1)
arguments.add_argument("--trees", type=int, default=100)
options = arguments.parse_args()

train = pd.read_csv("build/train.csv")
model = HistGradientBoostingClassifier(
    max_leaf_nodes=options.leaves,
    learning_rate=options.learning_rate,
    max_iter=options.trees,
    early_stopping=False,
    random_state=int(os.environ.get("SLIPWAY_SEED", "42")),
)
model.fit(train[FEATURES].to_numpy(), train["late"].to_numpy())

# The server is asked about an airport, not about its past: the rates travel with the model.
routes = pd.read_csv("build/routes.csv", keep_default_na=False)
hours = pd.read_csv("build/hours.csv", keep_default_na=False)
joblib.dump(
    {
        "model": model,
        "routes": {(row.origin, row.destination): row.rate for row in routes.itertuples()},
        "hours": {(row.origin, row.hour): row.rate for row in hours.itertuples()},
    },
    "build/model.joblib",
)
print(f"{len(train):,} flights, {train['late'].mean():.1%} of them late; {options.trees} trees")
