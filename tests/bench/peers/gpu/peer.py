"""PyTorch as a peer on a GPU: one JSON request a line, one JSON answer a line.

A request for vectors names a model's folder, a precision, and batches, each a list of text lengths. A
batch is padded to its longest text, and attention is PyTorch's own fused one. The answer is the
seconds that all of them took, token ids to vectors on the host, and the first vector. A request for a
product gives the operations a second that square matrices of this size reach.

Without a GPU it computes on the processor, and says so.
"""

import json
import sys
import time

import torch
import transformers
from transformers import AutoModel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
KINDS = {"f32": torch.float32, "f16": torch.float16}
MODELS = {}


def model(folder, precision):
    if (folder, precision) not in MODELS:
        made = AutoModel.from_pretrained(folder, attn_implementation="sdpa", dtype=KINDS[precision])
        MODELS[folder, precision] = made.to(DEVICE).eval()
    return MODELS[folder, precision]


def feed(lengths):
    """A batch, padded; without a mask where there is nothing to hide, for that is faster."""
    at = torch.arange(max(lengths))
    mask = at[None, :] < torch.tensor(lengths)[:, None]
    inputs = {"input_ids": torch.where(mask, 1000 + (at * 7919) % 20000, 0)}
    return mask, inputs if mask.all() else inputs | {"attention_mask": mask.long()}


def vectors(made, mask, inputs):
    """Mean pooling, to length one, on the host."""
    rows = made(**{name: one.to(DEVICE) for name, one in inputs.items()}).last_hidden_state.float()
    mask = mask.to(DEVICE).float()[:, :, None]
    return torch.nn.functional.normalize((rows * mask).sum(1) / mask.sum(1)).cpu()


def answered(request):
    made = model(request["graphs"], request["precision"])
    feeds = [feed(lengths) for lengths in request["batches"]]
    start = time.perf_counter()
    all_of_them = [vectors(made, *one) for one in feeds]
    return {"seconds": time.perf_counter() - start, "vector": all_of_them[0][0].tolist()}


def product(size, precision):
    left, right = (torch.rand(size, size, device=DEVICE, dtype=KINDS[precision]) for _ in "ab")
    finish = torch.cuda.synchronize if DEVICE == "cuda" else lambda: None
    best = float("inf")
    for _ in range(6):
        finish()
        start = time.perf_counter()
        left @ right
        finish()
        best = min(best, time.perf_counter() - start)
    return {"rate": 2 * size**3 / best}


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    # Singles are singles: both sides compute the same numbers.
    torch.backends.cuda.matmul.allow_tf32 = False
    where = torch.cuda.get_device_name() if DEVICE == "cuda" else "a processor"
    version = torch.__version__.split("+")[0]
    print(json.dumps({"name": "PyTorch", "version": f"{version} on {where}"}), flush=True)
    with torch.inference_mode():
        for line in sys.stdin:
            request = json.loads(line)
            if "size" in request:
                answer = product(request["size"], request["precision"])
            else:
                answer = answered(request)
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
