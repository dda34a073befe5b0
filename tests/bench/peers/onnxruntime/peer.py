"""onnxruntime as a peer of the benchmark: one JSON request a line, one JSON answer a line.

A request names a graph folder, a precision, a number of threads, and batches, each a list of text
lengths. A batch is padded to its longest text. The answer is the seconds that all of them took.
"""

import json
import sys
import time

import numpy as np
import onnxruntime

sessions = {}


def session(folder, kind, precision, threads):
    key = (folder, kind, precision, threads)
    if key not in sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        sessions[key] = onnxruntime.InferenceSession(
            f"{folder}/{kind}.{precision}.onnx", options, providers=["CPUExecutionProvider"]
        )
    return sessions[key]


def feed(lengths):
    """What one batch hands to the graph, and which graph that is."""
    longest = max(lengths)
    at = np.arange(longest)
    real = at[None, :] < np.array(lengths)[:, None]
    inputs = {
        "ids": np.where(real, 1000 + (at * 7919) % 20000, 0).astype(np.int64),
        "positions": at[None, :].astype(np.int64),
    }
    if real.all():
        return "plain", inputs
    return "masked", inputs | {"mask": real.astype(np.int32)}


def answer(request):
    feeds = [feed(batch) for batch in request["batches"]]
    where = request["precision"], request["threads"]
    # Sessions are made before the clock starts.
    ready = [(session(request["graphs"], kind, *where), inputs) for kind, inputs in feeds]
    start = time.perf_counter()
    for runner, inputs in ready:
        rows = runner.run(None, inputs)[0]
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "row": rows[0, 0, :8].astype(float).tolist()}


print(json.dumps({"name": "onnxruntime", "version": onnxruntime.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
