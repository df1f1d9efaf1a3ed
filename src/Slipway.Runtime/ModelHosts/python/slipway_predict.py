"""Serves a plain Python function as a model process of Slipway.

    python3 -m slipway_predict serve/predict.py

The file has predict(inputs), and may have load(), which is called once before the first request:

    def predict(inputs):                    # {"distance": [[100.0], [250.0]], "hour": [[7], [23]]}
        return {"probability": [[0.2], [0.7]]}

Inputs are nested lists in the shapes of the model's signature, and so are the results; whatever has tolist() (NumPy arrays,
pandas columns) is taken as well. Calls come one at a time. The model's file or folder is in $SLIPWAY_MODEL.
Answers the Open Inference Protocol, version 2, over HTTP/1.1 on the Unix socket $SLIPWAY_SOCKET. Standard library only, Python 3.9 or later.
"""

import http.server
import importlib.util
import json
import math
import os
import re
import signal
import socket
import socketserver
import sys
import threading
import time
import traceback

WIRE = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64", "int8": "INT8", "int16": "INT16",
    "int32": "INT32", "int64": "INT64", "float32": "FP32", "float64": "FP64", "string": "BYTES",
}
MAX_BODY = 256 * 1024 * 1024        # bytes; the gateway's own limit is far below it


class Refusal(Exception):
    """Something to tell the client; the text holds no data of a request."""


def nest(flat, shape):
    """[1, 2, 3, 4] in shape [2, 2] as [[1, 2], [3, 4]]."""
    for size in reversed(shape[1:]):
        flat = [flat[i:i + size] for i in range(0, len(flat), size)]
    return flat if shape else flat[0]


def flatten(value):
    """A nested list as its shape and its elements; lists of one level must be of one length."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return [], [value.item() if hasattr(value, "item") else value]
    parts = [flatten(item) for item in value]
    if any(part[0] != parts[0][0] for part in parts):
        raise Refusal("predict returned lists of unequal length")
    return [len(value)] + (parts[0][0] if parts else []), [element for part in parts for element in part[1]]


def read_inputs(request):
    inputs = {}
    for tensor in request["inputs"]:
        flat = flatten(tensor["data"])[1]
        size = 1
        for n in tensor["shape"]:
            size *= n
        if size != len(flat):
            raise Refusal("input '%s' has %d elements, its shape needs %d" % (tensor["name"], len(flat), size))
        inputs[tensor["name"]] = nest(flat, tensor["shape"])
    return inputs


def write_outputs(result, signature, wanted):
    if not isinstance(result, dict):
        raise Refusal("predict returned %s, expected a dict of outputs" % type(result).__name__)
    outputs = []
    for spec in signature["outputs"]:
        name = spec["name"]
        if wanted and name not in wanted:
            continue
        if name not in result:
            raise Refusal("predict returned no '%s'; it returned %s" % (name, ", ".join(map(repr, result)) or "nothing"))
        shape, flat = flatten(result[name])
        declared = spec["shape"]
        if len(shape) != len(declared) and declared and declared[0] == -1 and all(n > 0 for n in declared[1:]):
            # A column given as a plain list: (n,) for a declared (n, 1).
            row = 1
            for n in declared[1:]:
                row *= n
            if len(flat) % row == 0:
                shape = [len(flat) // row] + declared[1:]
        if any(isinstance(element, float) and not math.isfinite(element) for element in flat):
            raise Refusal("predict returned NaN or an infinity as '%s'" % name)
        outputs.append({"name": name, "datatype": WIRE[spec["datatype"]], "shape": shape, "data": flat})
    return outputs


def infer(predict, lock, signature, body):
    try:
        request = json.loads(body)
        inputs = read_inputs(request)
        wanted = [output["name"] for output in request.get("outputs", [])]
    except (ValueError, KeyError, TypeError, IndexError) as e:
        return 400, {"error": "not an inference request: %s" % type(e).__name__}
    except Refusal as e:
        return 400, {"error": str(e)}
    try:
        with lock:
            result = predict(inputs)
        answer = {"model_name": os.environ.get("SLIPWAY_MODEL_NAME", "model"), "outputs": write_outputs(result, signature, wanted)}
        if "id" in request:
            answer["id"] = request["id"]
        json.dumps(answer, allow_nan=False)
        return 200, answer
    except Refusal as e:
        return 500, {"error": str(e), "invalid_output": True}
    except Exception as e:
        # Its words may hold data of the request: they are for the log, not for whoever asked.
        traceback.print_exc()
        return 500, {"error": "predict raised %s; the model's log has the rest" % type(e).__name__}


def handler_for(predict, signature, connections):
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        stopping = False

        def setup(self):
            super().setup()
            connections.add(self.connection)

        def finish(self):
            connections.discard(self.connection)
            try:
                super().finish()
            except OSError:
                pass        # the other side has gone

        def answer(self, status, document):
            body = json.dumps(document, allow_nan=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if Handler.stopping:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def do_GET(self):
            name = os.environ.get("SLIPWAY_MODEL_NAME", "model")
            if self.path in ("/v2/health/live", "/v2/health/ready"):
                self.answer(200, {self.path.rsplit("/", 1)[1]: True})
            elif self.path == "/v2":
                self.answer(200, {"name": "slipway_predict", "version": "1", "extensions": []})
            elif re.fullmatch(r"/v2/models/[^/]+/ready", self.path):
                self.answer(200, {"name": name, "ready": True})
            elif re.fullmatch(r"/v2/models/[^/]+", self.path):
                ports = {
                    side: [{"name": s["name"], "datatype": WIRE[s["datatype"]], "shape": s["shape"]} for s in signature[side]]
                    for side in ("inputs", "outputs")
                }
                self.answer(200, {"name": name, "platform": "python", **ports})
            else:
                self.answer(404, {"error": "nothing at this path"})

        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MAX_BODY:
                self.close_connection = True
                self.answer(411, {"error": "Content-Length is missing or too large"})
                return
            body = self.rfile.read(int(length))
            if re.fullmatch(r"/v2/models/[^/]+(/versions/[^/]+)?/infer", self.path):
                self.answer(*infer(predict, lock, signature, body))
            else:
                self.answer(404, {"error": "nothing at this path"})

        def address_string(self):
            return "socket"

        def log_request(self, code="-", size="-"):
            pass

    return Handler


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def end_with(parent):
    """A server that was killed cannot stop its model; so the model looks whether it is still there."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def serve(predict, load=None):
    """Serves until SIGTERM; requests in flight are answered first. Ends with the process that started it."""
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    with open(os.environ["SLIPWAY_SIGNATURE"], encoding="utf-8") as file:
        signature = json.load(file)
    if load is not None:
        load()
    connections = set()
    handler = handler_for(predict, signature, connections)
    with Server(os.environ["SLIPWAY_SOCKET"], handler) as server:

        def stop(*_):
            handler.stopping = True

            def end():
                server.shutdown()
                for connection in list(connections):
                    try:
                        connection.shutdown(socket.SHUT_RD)      # wakes those that wait for a next request
                    except OSError:
                        pass

            threading.Thread(target=end).start()

        signal.signal(signal.SIGTERM, stop)
        server.serve_forever(poll_interval=0.05)


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: python3 -m slipway_predict FILE, where FILE has a function predict(inputs)")
    path = os.path.abspath(arguments[0])
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location("slipway_served_model", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "predict", None)):
        sys.exit("%s has no function predict(inputs)" % arguments[0])
    serve(module.predict, getattr(module, "load", None))


if __name__ == "__main__":
    main(sys.argv[1:])
