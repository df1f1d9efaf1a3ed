import csv
import json
import os

with open(os.environ["SLIPWAY_STAGE"]) as stage:
    noise = json.load(stage)["params"]["noise"]
with open("build/model/rates.json") as model:
    rates = json.load(model)
with open("build/judge.csv") as rows, open("build/predictions.csv", "w") as out:
    writer = csv.writer(out)
    writer.writerow(["day", "kind", "late", "probability"])
    for row in csv.DictReader(rows):
        p = rates[min(int(float(row["x"]) * len(rates)), len(rates) - 1)]
        writer.writerow([row["day"], row["kind"], row["late"], 0.5 if noise else p])
