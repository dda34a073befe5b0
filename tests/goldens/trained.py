"""How Python opens the folders that Trireme saves: a golden of each.

    python tests/goldens/trained.py FOLDER

FOLDER holds trainings as `cargo xtask soak trained` makes them: `classify/model`, `embed/model`, `student/model`.
"""

import os
import sys
from pathlib import Path

# Before the libraries are imported: they look at these once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from reference import Classifier, Embedder, sha256, versions, write_golden
from texts import TINY

TRAINED = {"classify": [Classifier], "embed": [Embedder], "student": [Classifier, Embedder]}


def opened(folder, reference):
    """One golden: what a class of Python's answers to every text."""
    model = reference(folder)
    cases = [{"id": name, "text": text, **model.case(text)} for name, text in TINY.items()]
    head = {
        **model.facts(),
        "made_by": "tests/goldens/trained.py",
        "versions": versions(),
        "sha256": {"model.safetensors": sha256(folder / "model.safetensors")},
    }
    write_golden(folder / f"{reference.task}.json", head, cases)
    print(folder, reference.task, len(cases), "texts", flush=True)


def main():
    torch.set_num_threads(1)
    for name, references in TRAINED.items():
        for reference in references:
            opened(Path(sys.argv[1]) / name / "model", reference)


if __name__ == "__main__":
    main()
