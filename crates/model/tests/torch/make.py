"""Writes the checkpoints of this folder: `python make.py`, with torch 2.15.

A run differs from the last in the older container's storage keys, which are addresses.
"""

import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from torch.utils.serialization import config

HERE = Path(__file__).parent
config.save.storage_alignment = 8


def state():
    """Every element type, and views: transposed, sliced, strided, of one storage."""
    base = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    steps = torch.arange(8, dtype=torch.int64)
    tensors = OrderedDict(
        f32=base,
        transposed=base.t(),
        row=base[1],
        column=base[:, 1],
        scalar=base[1, 2],
        empty=torch.empty(0, 3),
        f16=torch.tensor([1.5, -2.0], dtype=torch.float16),
        bf16=torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        f64=torch.tensor([0.1], dtype=torch.float64),
        i64=steps[2:8:3],
        u8=torch.tensor([7, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False]),
        parameter=torch.nn.Parameter(torch.tensor([4.0])),
    )
    tensors._metadata = OrderedDict({"": {"version": 1}})
    return tensors


def save(name, value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    (HERE / name).write_bytes(buffer.getvalue())


def rezip(source, target, compression=zipfile.ZIP_STORED, **replaced):
    """Copies an archive, with another compression or with entries replaced."""
    with zipfile.ZipFile(HERE / source) as old, zipfile.ZipFile(HERE / target, "w") as new:
        for entry in old.infolist():
            root, name = entry.filename.split("/", 1)
            data = replaced.get(name, old.read(entry))
            new.writestr(zipfile.ZipInfo(f"{root}/{name}"), data, compress_type=compression)


class Malicious:
    def __reduce__(self):
        return os.system, ("echo this must never run",)


class Shared:
    """Stands for a storage in a hand-made older file."""

    def __init__(self, identity):
        self.identity = identity


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.identity if isinstance(value, Shared) else None


def legacy_with_parts(name):
    """The older container as torch 0.4 wrote it: two storages that are parts of one."""

    def part(key, offset, size):
        return Shared(("storage", torch.FloatStorage, "7", "cpu", 6, (key, offset, size)))

    def tensor(storage, offset, size, stride):
        return Rebuilt((storage, offset, size, stride, False, OrderedDict()))

    buffer = io.BytesIO()
    little = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"long": 4}}
    for head in (0x1950A86A20F9469CFC6C, 1001, little):
        pickle.dump(head, buffer, protocol=2)
    tensors = {
        "head": tensor(part("8", 0, 2), 0, (2,), (1,)),
        "tail": tensor(part("9", 2, 4), 1, (3,), (1,)),
    }
    Pickler(buffer, protocol=2).dump(OrderedDict(tensors))
    pickle.dump(["7"], buffer, protocol=2)
    buffer.write((6).to_bytes(8, "little"))
    buffer.write(torch.arange(6, dtype=torch.float32).numpy().tobytes())
    (HERE / name).write_bytes(buffer.getvalue())


class Rebuilt:
    def __init__(self, arguments):
        self.arguments = arguments

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


def main():
    save("zip.bin", state())
    save("zip_protocol4.bin", state(), pickle_protocol=4)
    save("legacy.bin", state(), _use_new_zipfile_serialization=False)
    save("legacy_protocol4.bin", state(), _use_new_zipfile_serialization=False, pickle_protocol=4)
    legacy_with_parts("legacy_parts.bin")

    one = torch.tensor([1.0, 2.0])
    wrapped = {"epoch": 3, "rate": 0.1, "size": torch.Size([2]), "state_dict": {"w": one, "tag": "t"}}
    save("wrapped.bin", wrapped)
    save("malicious.bin", {"w": one, "x": Malicious()})
    save("int32.bin", {"w": torch.tensor([1], dtype=torch.int32)})
    save("expanded.bin", {"w": torch.ones(1).expand(4)})
    save("no_tensors.bin", {"model": {"w": one}})

    save("plain.bin", {"w": one})
    rezip("plain.bin", "deflated.bin", zipfile.ZIP_DEFLATED)
    rezip("plain.bin", "big_endian.bin", byteorder=b"big")
    zipfile.ZIP64_LIMIT = zipfile.ZIP_FILECOUNT_LIMIT = 0
    rezip("plain.bin", "zip64.bin")

    for path in sorted(HERE.glob("*.bin")):
        print(f"{path.stat().st_size:5} {path.name}")
    print(torch.load(HERE / "legacy_parts.bin"), torch.load(HERE / "zip64.bin"), file=sys.stderr)


if __name__ == "__main__":
    main()
