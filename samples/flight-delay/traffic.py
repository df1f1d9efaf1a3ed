"""Sends flights to the gateway as live traffic: so many requests a second, whether or not answers come (open loop).

    python3 traffic.py http://127.0.0.1:8080 --flights build/may.csv --rate 300 --log traffic.jsonl

Runs until it is interrupted, or nobody answers any more, or the flights are used up and --once was said. Once a second it writes a line of JSON: what was
sent, lost (no answer at all), and answered by which version with which status. The last line sums up.

With --outcomes SERVER it tells the server, some seconds after each answer, whether that flight was late: the token is SLIPWAY_TOKEN.
With --kilometres-from TIME every flight that departs then or later is asked about with its distance in kilometres, as if somebody
upstream had changed a unit.
"""
import argparse
import collections
import csv
import http.client
import json
import os
import queue
import signal
import sys
import threading
import time
import urllib.parse
from collections import Counter

MODEL_PATH = "/v2/models/flight-delay/infer"
OUTCOMES_PATH = "/api/v1/models/flight-delay/labels?channel=production"
CONNECTIONS = 16
PATIENCE = 30           # seconds for one answer
GONE_AFTER = 100        # requests in a row without an answer: nobody is there any more
OUTCOMES_AT_ONCE = 5000
KILOMETRES = 1.609344   # in a mile


def body_of(flight, number, name, kilometres_from):
    distance = float(flight["distance"])
    if kilometres_from and flight["departure"] >= kilometres_from:
        distance *= KILOMETRES
    inputs = (("origin", "BYTES", flight["origin"]), ("destination", "BYTES", flight["destination"]),
              ("hour", "INT64", int(flight["hour"])), ("weekday", "INT64", int(flight["weekday"])), ("distance", "FP32", distance))
    return json.dumps({"id": f"{name}-{number}", "inputs": [
        {"name": name, "datatype": datatype, "shape": [1, 1], "data": [value]} for name, datatype, value in inputs
    ]})


class Tally:
    """What happened since the start. One lock: it is asked some hundred times a second."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = self.lost = self.lost_in_a_row = 0
        self.answers = Counter()
        self.outcomes = Counter()

    def answered(self, version, status):
        with self.lock:
            self.answers[f"{version} {status}"] += 1
            self.lost_in_a_row = 0

    def unanswered(self):
        with self.lock:
            self.lost += 1
            self.lost_in_a_row += 1

    def told(self, receipt):
        with self.lock:
            self.outcomes.update({kind: count for kind, count in receipt.items() if isinstance(count, int)})

    def line(self, **more):
        with self.lock:
            return json.dumps({**more, "sent": self.sent, "lost": self.lost, "answers": dict(sorted(self.answers.items())), "outcomes": dict(self.outcomes)})


class Outcomes:
    """How flights turned out, told to the server once they have landed."""

    def __init__(self, server, delay, tally):
        self.server, self.delay, self.tally = server, delay, tally
        self.waiting = collections.deque()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def add(self, request, late):
        self.waiting.append((time.monotonic() + self.delay, request, late))

    def run(self):
        while not self.ending.wait(2):
            self.tell(time.monotonic())
        while self.waiting and self.tally.lost_in_a_row < GONE_AFTER:
            self.tell(float("inf"))

    def tell(self, until):
        due = []
        while self.waiting and self.waiting[0][0] <= until and len(due) < OUTCOMES_AT_ONCE:
            due.append(self.waiting.popleft())
        if not due:
            return
        lines = "".join(json.dumps({"id": request, "label": late}) + "\n" for _, request, late in due)
        connection = http.client.HTTPConnection(self.server.hostname, self.server.port, timeout=PATIENCE)
        try:
            connection.request("POST", OUTCOMES_PATH, lines, {"content-type": "application/x-ndjson", "authorization": f"Bearer {os.environ['SLIPWAY_TOKEN']}"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise OSError(f"{answer.status} {text.decode()}")
            self.tally.told(json.loads(text))
        except (OSError, http.client.HTTPException) as e:
            print(f"outcomes are told again: {e}", file=sys.stderr)
            self.waiting.extendleft(reversed(due))      # telling an outcome twice changes nothing
            if until == float("inf"):
                time.sleep(1)
        finally:
            connection.close()

    def end(self):
        self.ending.set()
        self.thread.join()


def send_all(url, flights, tally, outcomes):
    connection = None
    while (flight := flights.get()) is not None:
        body, request, late = flight
        # A kept connection may have been closed meanwhile, before the request was read: that one is sent again, as every client does.
        for attempt in (0, 1):
            fresh = connection is None
            try:
                connection = connection or http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)
                connection.request("POST", MODEL_PATH, body, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                tally.answered(answer.headers.get("Slipway-Version", "none"), answer.status)
                if outcomes and answer.status == 200:
                    outcomes.add(request, late)
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
    arguments.add_argument("--name", help="what the requests' ids begin with; the file's name when left out")
    arguments.add_argument("--rate", type=float, default=300, help="requests a second")
    arguments.add_argument("--log", type=argparse.FileType("w"), default=sys.stdout)
    arguments.add_argument("--once", action="store_true", help="stop after the last flight, instead of starting again with the first")
    arguments.add_argument("--outcomes", type=urllib.parse.urlsplit, metavar="SERVER", help="where outcomes are told")
    arguments.add_argument("--delay", type=float, default=5, help="seconds from an answer to its outcome")
    arguments.add_argument("--kilometres-from", metavar="TIME", help="departure, such as 2001-06-16T12:00")
    given = arguments.parse_args()

    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    name = given.name or os.path.splitext(os.path.basename(given.flights))[0]
    with open(given.flights, newline="") as file:
        rows = list(csv.DictReader(file))
    flights, tally = queue.Queue(maxsize=10_000), Tally()
    outcomes = Outcomes(given.outcomes, given.delay, tally) if given.outcomes else None
    senders = [threading.Thread(target=send_all, args=(given.url, flights, tally, outcomes)) for _ in range(CONNECTIONS)]
    for sender in senders:
        sender.start()

    start = told = time.monotonic()
    while not stopping.is_set() and tally.lost_in_a_row < GONE_AFTER and not (given.once and tally.sent >= len(rows)):
        due = int((time.monotonic() - start) * given.rate) - tally.sent
        for _ in range(min(due, len(rows) - tally.sent) if given.once else due):
            row = rows[tally.sent % len(rows)]
            flights.put((body_of(row, tally.sent, name, given.kilometres_from), f"{name}-{tally.sent}", int(row["late"])))
            tally.sent += 1
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            print(tally.line(second=round(told - start, 1)), file=given.log, flush=True)
        stopping.wait(0.005)
    for _ in senders:
        flights.put(None)
    for sender in senders:
        sender.join()
    if outcomes:
        outcomes.end()
    print(tally.line(second=round(time.monotonic() - start, 1), end=True), file=given.log, flush=True)


main()
