"""Tables as pyarrow and polars write them, and the same as text.

    pip install pyarrow==22.0.0 polars==2.1.0
    python tests/goldens/tables.py

The versions stand in each file, as `created_by`.
"""

import csv
from pathlib import Path

import polars
import pyarrow
import pyarrow.parquet as parquet

OUT = Path(__file__).parent / "tables"
NAMES = ["bad", "good"]
LABELLED = [
    (1, "a warm and funny film"),
    (0, "dull, and far too long"),
    (1, 'she said "see it"\nand I did'),
    (0, "\u00e7a ne va pas \u2013 \u65e0\u804a"),
    (1, "a warm and funny film"),
]
PAIRS = [(5.0, "A plane lands.", "An air plane lands."), (0.25, "A dog runs.", "Prices rose.")]


def write_text(name, header, rows):
    with open(OUT / name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def main():
    OUT.mkdir(exist_ok=True)
    labels, texts = zip(*LABELLED)
    write_text("labelled.csv", ["label", "text"], LABELLED)
    table = pyarrow.table({
        "idx": pyarrow.array(range(len(texts)), pyarrow.int32()),
        "sentence": pyarrow.array(texts),
        "label": pyarrow.array(labels, pyarrow.int64()),
    })
    for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        parquet.write_table(table, OUT / f"labelled-{codec}.parquet", compression=codec, row_group_size=3)
    named = pyarrow.table({
        "text": pyarrow.array(texts, pyarrow.large_string()),
        "label": pyarrow.array([NAMES[label] for label in labels]).dictionary_encode(),
    })
    parquet.write_table(named, OUT / "labelled-named.parquet", data_page_version="2.0")
    # Without a word on what the bytes are, as older writers leave them.
    older = pyarrow.table({
        "text": pyarrow.array([text.encode() for text in texts], pyarrow.binary()),
        "label": pyarrow.array(labels, pyarrow.int32()),
    })
    parquet.write_table(older, OUT / "labelled-bytes.parquet", store_schema=False)
    binary = pyarrow.table({"text": pyarrow.array([b"\xff\xfe"], pyarrow.binary()), "label": [1]})
    parquet.write_table(binary, OUT / "binary.parquet", store_schema=False)
    frame = polars.DataFrame({"label": labels, "text": texts})
    frame.write_parquet(OUT / "labelled-polars.parquet")

    scores, first, second = zip(*PAIRS)
    write_text("pairs.csv", ["score", "sentence1", "sentence2"], PAIRS)
    pairs = pyarrow.table({
        "sentence1": first,
        "sentence2": second,
        "score": pyarrow.array(scores, pyarrow.float32()),
    })
    parquet.write_table(pairs, OUT / "pairs.parquet")


if __name__ == "__main__":
    main()
