import json
import os

with open(os.path.join(os.environ["SLIPWAY_MODEL"], "rates.json")) as model:
    rates = json.load(model)


def predict(inputs):
    return {"probability": [[rates[min(int(row[0] * len(rates)), len(rates) - 1)]] for row in inputs["x"]]}
