"""Writes the golden answers that the engine is held to. See README.md."""

import argparse
import hashlib
import json
import os
from pathlib import Path

# Before the libraries are imported: they look at these once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
import transformers
from safetensors.torch import save_file

import texts
import tiny
import variants
from reference import SCRIPT, Embedder, sha256, versions, write_golden


def _ids_digest(ids):
    return hashlib.sha256(b"".join(i.to_bytes(4, "little") for i in ids)).hexdigest()


def _check_boundary(tokenizer):
    """The texts that are meant to sit at the limit do."""
    for count in texts.BOUNDARY:
        ids = tokenizer(texts.words(count), add_special_tokens=False, truncation=False)["input_ids"]
        assert len(ids) == count, (count, len(ids))


def minilm(folder, out):
    cases = texts.minilm_texts()
    assert len(cases) >= 210
    assert len({case["id"] for case in cases}) == len({case["text"] for case in cases}) == len(cases)
    lines = ",\n".join(json.dumps(case) for case in cases)
    (out / "texts.json").write_text(f"[\n{lines}\n]\n", encoding="ascii")

    model = Embedder(folder)
    _check_boundary(model.tokenizer)
    golden, vectors = [], []
    for case in cases:
        ids = model.sentence.preprocess([case["text"]])["input_ids"][0].tolist()
        assert len(ids) <= model.sentence.max_seq_length == 256
        golden.append({"id": case["id"], "tokens": len(ids), "ids": ids[:16], "ids_sha256": _ids_digest(ids)})
        vectors.append(model.answer(case["text"]))
    vectors = torch.stack(vectors)
    assert vectors.shape == (len(cases), 384) and vectors.dtype == torch.float32
    assert (vectors.norm(dim=1) - 1).abs().max() < 1e-5

    target = tiny.fresh(out / "minilm")
    save_file({"embeddings": vectors}, target / "vectors.safetensors")
    write_golden(target / "golden.json", {
        "reference": versions(),
        "script": SCRIPT,
        "model": {file: sha256(Path(folder) / file) for file in ("model.safetensors", "tokenizer.json", "config.json")},
        "texts_sha256": sha256(out / "texts.json"),
    }, golden)
    print("minilm", vectors.shape[0], "texts", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minilm", metavar="FOLDER", type=Path, help="all-MiniLM-L6-v2; without it, its goldens stay")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path(__file__).resolve().parent)
    arguments = parser.parse_args()

    # One thread sums in one order.
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.minilm:
        minilm(arguments.minilm, arguments.out)
    tiny.make(arguments.out)
    variants.make(arguments.out)


if __name__ == "__main__":
    main()
