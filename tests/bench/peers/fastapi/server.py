"""What a team would write today: FastAPI over onnxruntime, with batches of 32 or 10 ms.

usage: server.py GRAPHS TOKENIZER PRECISION

It answers POST /encode as trireme does, and prints the port that it listens on. A batch is padded to
its longest text; rows are averaged and brought to length one, as the model says.
"""

import asyncio
import contextlib
import socket
import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from tokenizers import Tokenizer

MOST, WAIT = 32, 0.010

graphs, tokenizer_folder, precision = sys.argv[1:]
tokenizer = Tokenizer.from_file(f"{tokenizer_folder}/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(256)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    f"{graphs}/masked.{precision}.onnx", options, providers=["CPUExecutionProvider"]
)
waiting: asyncio.Queue = asyncio.Queue()


def vectors(texts):
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
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


async def work():
    loop = asyncio.get_running_loop()
    while True:
        batch = [await waiting.get()]
        until = loop.time() + WAIT
        while len(batch) < MOST and (left := until - loop.time()) > 0:
            try:
                batch.append(await asyncio.wait_for(waiting.get(), left))
            except asyncio.TimeoutError:
                break
        texts = [text for text, _ in batch]
        rows = await loop.run_in_executor(None, vectors, texts)
        for (_, answer), row in zip(batch, rows):
            if not answer.cancelled():
                answer.set_result(row)


@contextlib.asynccontextmanager
async def lifespan(_):
    worker = asyncio.create_task(work())
    yield
    worker.cancel()


app = FastAPI(lifespan=lifespan)


class Request(BaseModel):
    text: str
    dimensions: int = 384


@app.post("/encode")
async def encode(request: Request):
    answer = asyncio.get_running_loop().create_future()
    await waiting.put((request.text, answer))
    row = await answer
    return {"embedding": row[: request.dimensions].tolist()}


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run([listener])
