"""What a data team would write today: a loop over a file, with batches of 32 through onnxruntime.

usage: loop.py GRAPHS TOKENIZER PRECISION THREADS IN OUT

Texts are sorted by length within a window, so that little is padded, and written in the order in
which they came. Rows are averaged and brought to length one, as the model says. It prints how many
rows and tokens there were, and the seconds that they took from the first read to the last write.
"""

import json
import sys
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

BATCH, WINDOW = 32, 4096

graphs, tokenizer_folder, precision, threads, source, target = sys.argv[1:]
tokenizer = Tokenizer.from_file(f"{tokenizer_folder}/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(256)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    f"{graphs}/masked.{precision}.onnx", options, providers=["CPUExecutionProvider"]
)


def vectors(encoded):
    longest = max(map(len, encoded))
    ids = np.zeros((len(encoded), longest), np.int64)
    mask = np.zeros((len(encoded), longest), np.int32)
    for row, tokens in enumerate(encoded):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    positions = np.arange(longest, dtype=np.int64)[None, :]
    rows = session.run(None, {"ids": ids, "positions": positions, "mask": mask})[0]
    means = (rows * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def window(rows, out):
    encoded = [encoding.ids for encoding in tokenizer.encode_batch([row["text"] for row in rows])]
    order = sorted(range(len(rows)), key=lambda at: len(encoded[at]))
    for first in range(0, len(order), BATCH):
        batch = order[first : first + BATCH]
        for at, vector in zip(batch, vectors([encoded[at] for at in batch])):
            rows[at]["embedding"] = vector.tolist()
    out.writelines(json.dumps(row) + "\n" for row in rows)
    return len(rows), sum(map(len, encoded))


def windows(lines):
    rows = []
    for line in lines:
        rows.append(json.loads(line))
        if len(rows) == WINDOW:
            yield rows
            rows = []
    if rows:
        yield rows


start = time.perf_counter()
with open(source, encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as out:
    counts = [window(rows, out) for rows in windows(lines)]
seconds = time.perf_counter() - start
rows, tokens = map(sum, zip(*counts))
print(json.dumps({"rows": rows, "tokens": tokens, "seconds": seconds}))
