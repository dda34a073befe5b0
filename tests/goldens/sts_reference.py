"""Correlation of the reference's cosine similarities with the human scores of STS-B.

The data is a file of tab-separated lines without a header: genre, file, year, id,
score, first sentence, second sentence. A quotation mark in it is a character like any other.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from scipy.stats import pearsonr, spearmanr
from sentence_transformers import SentenceTransformer

from reference import sha256, versions


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    # Not splitlines(): a sentence may hold a character that only Python takes for a line's end.
    lines = arguments.data.read_text(encoding="utf-8").replace("\r\n", "\n").rstrip("\n").split("\n")
    rows = [line.split("\t") for line in lines]
    scores = [float(row[4]) for row in rows]

    model = SentenceTransformer(str(arguments.model), device="cpu")
    options = dict(normalize_embeddings=True, convert_to_tensor=True, show_progress_bar=False)
    first = model.encode([row[5] for row in rows], **options)
    second = model.encode([row[6] for row in rows], **options)
    cosines = (first.double() * second.double()).sum(dim=1).tolist()

    print(f"pairs {len(rows)}  data sha256 {sha256(arguments.data)}")
    print("reference " + ", ".join(f"{name} {version}" for name, version in versions().items()))
    print(f"spearman {spearmanr(cosines, scores).statistic:.6f}")
    print(f"pearson  {pearsonr(cosines, scores).statistic:.6f}")


if __name__ == "__main__":
    main()
