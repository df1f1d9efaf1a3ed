"""Sends May's flights to the gateway as live traffic: so many requests a second, whether or not answers come (open loop).

    python3 traffic.py http://127.0.0.1:8080 --rate 300 --log traffic.jsonl

Runs until it is interrupted, or the flights are used up and --once was said. Once a second it writes a line of JSON: what was
sent, lost (no answer at all), and answered by which version with which status. The last line sums up.
"""
import argparse
import csv
import http.client
import json
import queue
import signal
import sys
import threading
import time
import urllib.parse
from collections import Counter

MODEL_PATH = "/v2/models/flight-delay/infer"
CONNECTIONS = 16
PATIENCE = 30       # seconds for one answer


def body_of(flight):
    columns = (("origin", "BYTES", str), ("destination", "BYTES", str), ("hour", "INT64", int), ("weekday", "INT64", int), ("distance", "FP32", float))
    return json.dumps({"inputs": [
        {"name": name, "datatype": datatype, "shape": [1, 1], "data": [kind(flight[name])]} for name, datatype, kind in columns
    ]})


class Tally:
    """What happened since the line before, and since the start. One lock: it is asked some hundred times a second."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = self.lost = 0
        self.answers = Counter()

    def answered(self, version, status):
        with self.lock:
            self.answers[f"{version} {status}"] += 1

    def unanswered(self):
        with self.lock:
            self.lost += 1

    def line(self, **more):
        with self.lock:
            return json.dumps({**more, "sent": self.sent, "lost": self.lost, "answers": dict(sorted(self.answers.items()))})


def send_all(url, flights, tally):
    connection = None
    while (flight := flights.get()) is not None:
        # A kept connection may have been closed meanwhile, before the request was read: that one is sent again, as every client does.
        for attempt in (0, 1):
            fresh = connection is None
            try:
                connection = connection or http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)
                connection.request("POST", MODEL_PATH, flight, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                tally.answered(answer.headers.get("Slipway-Version", "none"), answer.status)
                break
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = None
                if fresh or attempt:
                    tally.unanswered()
                    break


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("url", type=urllib.parse.urlsplit)
    arguments.add_argument("--flights", default="build/may.csv")
    arguments.add_argument("--rate", type=float, default=300, help="requests a second")
    arguments.add_argument("--log", type=argparse.FileType("w"), default=sys.stdout)
    arguments.add_argument("--once", action="store_true", help="stop after the last flight, instead of starting again with the first")
    given = arguments.parse_args()

    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    with open(given.flights, newline="") as file:
        bodies = [body_of(flight) for flight in csv.DictReader(file)]
    flights, tally = queue.Queue(maxsize=10_000), Tally()
    senders = [threading.Thread(target=send_all, args=(given.url, flights, tally)) for _ in range(CONNECTIONS)]
    for sender in senders:
        sender.start()

    start = told = time.monotonic()
    while not stopping.is_set() and not (given.once and tally.sent >= len(bodies)):
        due = int((time.monotonic() - start) * given.rate) - tally.sent
        for _ in range(due):
            flights.put(bodies[tally.sent % len(bodies)])
            tally.sent += 1
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            print(tally.line(second=round(told - start, 1)), file=given.log, flush=True)
        stopping.wait(0.005)
    for _ in senders:
        flights.put(None)
    for sender in senders:
        sender.join()
    print(tally.line(second=round(time.monotonic() - start, 1), end=True), file=given.log, flush=True)


main()
