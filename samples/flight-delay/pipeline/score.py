"""Predicts April, which the model has not seen: one row per flight, for Slipway to judge."""
import joblib
import pandas as pd

FEATURES = ["hour", "weekday", "distance", "route_rate", "hour_rate"]

april = pd.read_csv("build/april.csv", keep_default_na=False)
model = joblib.load("build/model.joblib")["model"]
april["probability"] = model.predict_proba(april[FEATURES].to_numpy())[:, 1]

columns = ["day", "hour", "origin", "late", "probability"]
april[columns].to_csv("build/predictions.csv", index=False, float_format="%.6f")
print(f"{len(april):,} flights scored")
