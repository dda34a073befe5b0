"""Adds ONNX graphs to a copy of a model's folder, as hubs keep them for transformers.js.

usage: hub.py MODEL_FOLDER GRAPHS_FOLDER OUT_FOLDER

GRAPHS_FOLDER is what `../onnxruntime/graph.py` wrote. Its operators are those that the hubs' newer
files are fused into, too; here its inputs get the names that transformers.js asks for. `q8` means
all weights in bytes, the table of words among them: it is half of the model.
"""

import pathlib
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic


def renamed(model):
    """The same model, which makes of a tokenizer's answer what its graph wants."""
    graph = model.graph
    constants = {"first": 0, "step": 1, "axis": [0]}
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    node = helper.make_node
    before = [
        node("Identity", ["input_ids"], ["ids"]),
        node("Cast", ["attention_mask"], ["mask"], to=TensorProto.INT32),
        node("Shape", ["input_ids"], ["width"], start=1),
        node("Squeeze", ["width"], ["tokens"]),
        node("Range", ["first", "tokens", "step"], ["line"]),
        node("Unsqueeze", ["line", "axis"], ["positions"]),
    ]
    nodes = [*before, *graph.node, node("Identity", ["rows"], ["last_hidden_state"])]
    info = helper.make_tensor_value_info
    shape = ["batch", "tokens"]
    inputs = [info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")]
    width = graph.output[0].type.tensor_type.shape.dim[2].dim_value
    rows = info("last_hidden_state", TensorProto.FLOAT, [*shape, width])
    graph = helper.make_graph(nodes, graph.name, inputs, [rows], graph.initializer)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def main(source, graphs, target):
    source, graphs, target = map(pathlib.Path, (source, graphs, target))
    shutil.copytree(source, target, dirs_exist_ok=True)
    (target / "onnx").mkdir(exist_ok=True)
    single = target / "onnx/model.onnx"
    onnx.save(renamed(onnx.load(graphs / "masked.f32.onnx")), single)
    quantize_dynamic(
        single,
        target / "onnx/model_quantized.onnx",
        op_types_to_quantize=["MatMul", "Attention", "Gather"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        # It knows no shapes behind the fused operators.
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
