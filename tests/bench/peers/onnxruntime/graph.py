"""Writes a BERT encoder as an ONNX graph, straight from its safetensors.

usage: graph.py MODEL_FOLDER OUT_FOLDER

The graph uses the operators that onnxruntime's own optimiser would fuse a plain export into:
Attention, SkipLayerNormalization, BiasGelu. It is written with and without a mask, because a batch
without padding needs none; then quantised as onnxruntime's guide says: dynamic, weights in signed
bytes, a scale for each output column.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

MICROSOFT = "com.microsoft"


class Graph:
    """An encoder's nodes and weights, in the order in which they are added."""

    def __init__(self, config, weights, masked):
        self.config, self.masked = config, masked
        self.weights = {name.removeprefix("bert."): value for name, value in weights.items()}
        self.nodes, self.initializers = [], []

    def constant(self, name, value):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op, inputs, output, domain="", **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], domain=domain, **attributes))
        return output

    def weight(self, name):
        """A weight as ONNX multiplies it: inputs × outputs."""
        return self.weights[f"{name}.weight"].T

    def matmul(self, x, name):
        return self.node("MatMul", [x, self.constant(f"{name}.w", self.weight(name))], f"{name}.y")

    def normalized(self, x, skip, bias, name):
        """LayerNorm of x + bias + skip."""
        inputs = [
            x,
            skip,
            self.constant(f"{name}.gain", self.weights[f"{name}.weight"]),
            self.constant(f"{name}.shift", self.weights[f"{name}.bias"]),
            self.constant(f"{bias}.b", self.weights[f"{bias}.bias"]),
        ]
        epsilon = self.config["layer_norm_eps"]
        return self.node("SkipLayerNormalization", inputs, f"{name}.y", MICROSOFT, epsilon=epsilon)

    def embeddings(self):
        table = lambda name: self.constant(name, self.weights[f"embeddings.{name}.weight"])
        words = self.node("Gather", [table("word_embeddings"), "ids"], "words")
        places = self.node("Gather", [table("position_embeddings"), "positions"], "places")
        kind = self.weights["embeddings.token_type_embeddings.weight"][0]
        typed = self.node("Add", [words, self.constant("kind", kind)], "typed")
        # One row of positions serves the whole batch.
        placed = self.node("Add", [typed, places], "placed")
        norm = "embeddings.LayerNorm"
        gain = self.constant(f"{norm}.gain", self.weights[f"{norm}.weight"])
        shift = self.constant(f"{norm}.shift", self.weights[f"{norm}.bias"])
        epsilon = self.config["layer_norm_eps"]
        return self.node("LayerNormalization", [placed, gain, shift], f"{norm}.y", epsilon=epsilon)

    def layer(self, x, index):
        stem = f"encoder.layer.{index}"
        own = f"{stem}.attention.self"
        parts = [f"{own}.{part}" for part in ("query", "key", "value")]
        qkv = np.concatenate([self.weight(part) for part in parts], axis=1)
        bias = np.concatenate([self.weights[f"{part}.bias"] for part in parts])
        inputs = [x, self.constant(f"{own}.w", qkv), self.constant(f"{own}.b", bias)]
        if self.masked:
            inputs.append("mask")
        heads = self.config["num_attention_heads"]
        context = self.node("Attention", inputs, f"{own}.y", MICROSOFT, num_heads=heads)
        out = f"{stem}.attention.output"
        x = self.normalized(
            self.matmul(context, f"{out}.dense"), x, f"{out}.dense", f"{out}.LayerNorm"
        )
        up, down = f"{stem}.intermediate.dense", f"{stem}.output.dense"
        inner = [self.matmul(x, up), self.constant(f"{up}.b", self.weights[f"{up}.bias"])]
        inner = self.node("BiasGelu", inner, f"{up}.gelu", MICROSOFT)
        return self.normalized(self.matmul(inner, down), x, down, f"{stem}.output.LayerNorm")

    def model(self):
        x = self.embeddings()
        for index in range(self.config["num_hidden_layers"]):
            x = self.layer(x, index)
        self.node("Identity", [x], "rows")
        width = self.config["hidden_size"]
        inputs = [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("positions", TensorProto.INT64, [1, "tokens"]),
        ]
        if self.masked:
            inputs.append(
                helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"])
            )
        rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["batch", "tokens", width])
        graph = helper.make_graph(self.nodes, "encoder", inputs, [rows], self.initializers)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def main(source, target):
    source, target = pathlib.Path(source), pathlib.Path(target)
    target.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text())
    weights = load_file(source / "model.safetensors")
    for name, masked in (("plain", False), ("masked", True)):
        single = target / f"{name}.f32.onnx"
        onnx.save(Graph(config, weights, masked).model(), single)
        quantize_dynamic(
            single,
            target / f"{name}.int8.onnx",
            op_types_to_quantize=["MatMul", "Attention"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            # It knows no shapes behind the fused operators.
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
