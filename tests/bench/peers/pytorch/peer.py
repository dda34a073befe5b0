"""PyTorch as a peer of the benchmark of training: one JSON request a line, one JSON answer a line.

A request names a model's folder, a number of threads, and batches, each a list of text lengths. The
model gets a head for two classes. A batch is padded to its longest text, as transformers' trainer
pads it. The answer is the seconds that a step for each batch took, all of them together.
"""

import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForSequenceClassification

# Those of `trireme train`, so that both do the same work.
RATE, DECAY, CLIP = 2e-5, 0.01, 1.0
MODELS = {}


def model(folder):
    if folder not in MODELS:
        torch.manual_seed(0)
        made = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2).train()
        MODELS[folder] = made, torch.optim.AdamW(made.parameters(), lr=RATE, weight_decay=DECAY)
    return MODELS[folder]


def feed(lengths):
    """A batch, padded, with every second text of the second class."""
    at = torch.arange(max(lengths))
    mask = (at[None, :] < torch.tensor(lengths)[:, None]).long()
    return {
        "input_ids": mask * (1000 + (at * 7919) % 20000),
        "attention_mask": mask,
        "labels": torch.arange(len(lengths)) % 2,
    }


def step(made, optimiser, batch):
    made(**batch).loss.backward()
    torch.nn.utils.clip_grad_norm_(made.parameters(), CLIP)
    optimiser.step()
    optimiser.zero_grad()


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    print(json.dumps({"name": "PyTorch", "version": torch.__version__.split("+")[0]}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        torch.set_num_threads(request["threads"])
        made, optimiser = model(request["graphs"])
        batches = [feed(lengths) for lengths in request["batches"]]
        start = time.perf_counter()
        for batch in batches:
            step(made, optimiser, batch)
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
