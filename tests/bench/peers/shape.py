"""Writes an encoder of DistilBERT-base's shape with weights that mean nothing.

usage: shape.py TOKENIZER_FOLDER OUT_FOLDER
"""

import json
import pathlib
import shutil
import sys

import numpy as np
from safetensors.numpy import save_file

WIDTH, INNER, LAYERS, VOCAB, POSITIONS = 768, 3072, 6, 30522, 512
CONFIG = {
    "model_type": "bert",
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 12,
    "vocab_size": VOCAB,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}


def main(tokenizer, target):
    target = pathlib.Path(target)
    target.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    weights = {}

    def linear(name, outputs, inputs):
        weights[f"{name}.weight"] = random.normal(0, 0.04, (outputs, inputs)).astype(np.float32)
        weights[f"{name}.bias"] = random.normal(0, 0.02, outputs).astype(np.float32)

    def table(name, rows):
        weights[f"embeddings.{name}.weight"] = random.normal(0, 0.05, (rows, WIDTH)).astype(np.float32)

    def norm(name):
        weights[f"{name}.weight"] = np.ones(WIDTH, np.float32)
        weights[f"{name}.bias"] = np.zeros(WIDTH, np.float32)

    table("word_embeddings", VOCAB)
    table("position_embeddings", POSITIONS)
    table("token_type_embeddings", 2)
    norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        stem = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{stem}.attention.{part}", WIDTH, WIDTH)
        norm(f"{stem}.attention.output.LayerNorm")
        linear(f"{stem}.intermediate.dense", INNER, WIDTH)
        linear(f"{stem}.output.dense", WIDTH, INNER)
        norm(f"{stem}.output.LayerNorm")
    save_file(weights, target / "model.safetensors")
    (target / "config.json").write_text(json.dumps(CONFIG, indent=2))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(pathlib.Path(tokenizer) / name, target / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
