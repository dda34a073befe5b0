// A BERT as an ONNX file, from its safetensors: what transformers.js reads. The graph is the plain one
// that exporters write, in operators of ONNX itself.

import { readFile, writeFile } from "node:fs/promises";

const FLOAT = 1;
const INT64 = 7;

/** Writes `model.safetensors` of a folder, with its `config.json`, to a file. */
export async function toOnnx(folder, file) {
  const config = JSON.parse(await readFile(`${folder}/config.json`, "utf8"));
  const weights = safetensors(await readFile(`${folder}/model.safetensors`));
  await writeFile(file, model(new Graph(config, weights).bert()));
}

/** Tensors by name, without the prefix that classifiers put before their encoder's. */
function safetensors(bytes) {
  const length = Number(bytes.readBigUInt64LE());
  const { __metadata__, ...header } = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  const tensors = Object.entries(header).map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
    if (dtype !== "F32" && dtype !== "I64") throw new Error(`${name} is ${dtype}, and not F32`);
    return [name.replace(/^bert\./, ""), { shape, data: bytes.subarray(8 + length + from, 8 + length + to) }];
  });
  return new Map(tensors);
}

class Graph {
  parts = [];
  #last = 0;

  constructor(config, weights) {
    this.config = config;
    this.weights = weights;
  }

  /** Adds a node; its output's name. */
  node(type, inputs, attributes = {}, output = `n${++this.#last}`) {
    const all = Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value)));
    const named = [...inputs.map((input) => text(1, input)), text(2, output), text(4, type)];
    this.parts.push(message(1, [...named, ...all]));
    return output;
  }

  #tensor(name, shape, type, data) {
    this.parts.push(message(5, [...shape.map((length) => number(1, length)), number(2, type), text(8, name), bytes(9, data)]));
    return name;
  }

  /** A weight of the model, by its name there. */
  weight(name) {
    const found = this.weights.get(name);
    if (!found) throw new Error(`the model has no ${name}`);
    this.weights.set(name, { ...found, placed: true });
    return found.placed ? name : this.#tensor(name, found.shape, FLOAT, found.data);
  }

  float(value) {
    return this.#tensor(`n${++this.#last}`, [], FLOAT, Buffer.from(Float32Array.of(value).buffer));
  }

  whole(...values) {
    return this.#tensor(`n${++this.#last}`, [values.length], INT64, Buffer.from(BigInt64Array.from(values, BigInt).buffer));
  }

  linear(x, name) {
    const turned = this.node("Transpose", [this.weight(`${name}.weight`)], { perm: [1, 0] });
    return this.node("Add", [this.node("MatMul", [x, turned]), this.weight(`${name}.bias`)]);
  }

  normalized(x, name) {
    const inputs = [x, this.weight(`${name}.weight`), this.weight(`${name}.bias`)];
    return this.node("LayerNormalization", inputs, { axis: -1, epsilon: this.config.layer_norm_eps });
  }

  embeddings() {
    const row = (table, ids) => this.node("Gather", [this.weight(`embeddings.${table}_embeddings.weight`), ids]);
    const length = this.node("Gather", [this.node("Shape", ["input_ids"]), this.whole(1)]);
    const scalar = (value) => this.node("Squeeze", [value, this.whole(0)]);
    const places = this.node("Range", [scalar(this.whole(0)), scalar(length), scalar(this.whole(1))]);
    const words = this.node("Add", [row("word", "input_ids"), row("token_type", "token_type_ids")]);
    return this.normalized(this.node("Add", [words, row("position", places)]), "embeddings.LayerNorm");
  }

  /** Zero where a token is, and less than any score where none is. */
  mask() {
    const there = this.node("Cast", [this.node("Unsqueeze", ["attention_mask", this.whole(1, 2)])], { to: FLOAT });
    return this.node("Mul", [this.node("Sub", [this.float(1), there]), this.float(-1e9)]);
  }

  layer(x, mask, stem) {
    const { hidden_size: width, num_attention_heads: heads } = this.config;
    const parts = (name, perm) => {
      const rows = this.linear(x, `${stem}.attention.self.${name}`);
      return this.node("Transpose", [this.node("Reshape", [rows, this.whole(0, 0, heads, width / heads)])], { perm });
    };
    const dots = this.node("MatMul", [parts("query", [0, 2, 1, 3]), parts("key", [0, 2, 3, 1])]);
    const scaled = this.node("Mul", [dots, this.float(1 / Math.sqrt(width / heads))]);
    const shares = this.node("Softmax", [this.node("Add", [scaled, mask])], { axis: -1 });
    const mixed = this.node("MatMul", [shares, parts("value", [0, 2, 1, 3])]);
    const together = this.node("Reshape", [this.node("Transpose", [mixed], { perm: [0, 2, 1, 3] }), this.whole(0, 0, width)]);
    const attended = this.node("Add", [this.linear(together, `${stem}.attention.output.dense`), x]);
    const middle = this.normalized(attended, `${stem}.attention.output.LayerNorm`);
    const wide = this.gelu(this.linear(middle, `${stem}.intermediate.dense`));
    const narrow = this.node("Add", [this.linear(wide, `${stem}.output.dense`), middle]);
    return this.normalized(narrow, `${stem}.output.LayerNorm`);
  }

  gelu(x) {
    const bent = this.node("Erf", [this.node("Mul", [x, this.float(Math.SQRT1_2)])]);
    return this.node("Mul", [this.node("Mul", [x, this.float(0.5)]), this.node("Add", [bent, this.float(1)])]);
  }

  /** The whole graph: rows of tokens, or where the model has a classifier its numbers. */
  bert() {
    let x = this.embeddings();
    const mask = this.mask();
    for (let layer = 0; layer < this.config.num_hidden_layers; layer++) x = this.layer(x, mask, `encoder.layer.${layer}`);
    const classifies = this.weights.has("classifier.weight");
    const output = classifies ? "logits" : "last_hidden_state";
    if (classifies) {
      const first = this.node("Squeeze", [this.node("Slice", [x, this.whole(0), this.whole(1), this.whole(1)]), this.whole(1)]);
      x = this.linear(this.node("Tanh", [this.linear(first, "pooler.dense")]), "classifier");
    }
    this.node("Identity", [x], {}, output);
    const names = ["input_ids", "attention_mask", "token_type_ids"];
    const inputs = names.map((name) => message(11, value(name, INT64, ["batch", "tokens"])));
    const last = message(12, value(output, FLOAT, classifies ? ["batch", "classes"] : ["batch", "tokens", "width"]));
    return [...this.parts, text(2, "bert"), ...inputs, last];
  }
}

// The fields of ONNX's messages, by their numbers in its `onnx.proto`.

function model(graph) {
  return Buffer.concat([number(1, 8), message(7, graph), message(8, [text(1, ""), number(2, 17)])]);
}

function value(name, type, lengths) {
  const shape = message(2, lengths.map((length) => message(1, [text(2, length)])));
  return [text(1, name), message(2, [message(1, [number(1, type), shape])])];
}

function attribute(name, given) {
  const named = text(1, name);
  if (Array.isArray(given)) return [named, ...given.map((one) => number(8, one)), number(20, 7)];
  if (Number.isInteger(given)) return [named, number(3, given), number(20, 2)];
  const float = Buffer.from(Float32Array.of(given).buffer);
  return [named, Buffer.concat([varint((2 << 3) | 5), float]), number(20, 1)];
}

// Protocol Buffers, as far as this needs them.

function varint(value) {
  const all = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) all.push(Number(rest & 127n) | 128);
  return Buffer.from([...all, Number(rest)]);
}

function number(field, value) {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function bytes(field, data) {
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
}

function text(field, said) {
  return bytes(field, Buffer.from(said));
}

function message(field, parts) {
  return bytes(field, Buffer.concat(parts));
}
