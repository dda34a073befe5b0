// Vectors of texts.

import type { EncodeAnswer, EncodeRequest, Rows, Vector } from "../engine/trireme.js";
import { error } from "../errors.js";
import type { Model } from "../model.js";
import { answered, checked, listed } from "../pieces.js";
import type { Texts } from "../resting.js";
import { Tensor } from "../tensor.js";
import { cut, signalled, taskOf, type Cutting, type Task } from "./task.js";

/** How texts are embedded. What is not said is the model's own way. */
export interface EmbedOptions extends Cutting {
  /** How the vectors of tokens become one: `mean`, `cls`, `max` or `last_token`; transformers.js's
   *  `first_token` and `eos` are the second and the last. */
  pooling?: NonNullable<EncodeRequest["pooling"]> | "first_token" | "eos";
  /** Whether vectors have length one. */
  normalize?: boolean;
  /** Keeps only the first dimensions. */
  dimensions?: number;
  /** The numbers' encoding: `float`, or `int8`, or a bit for each as `binary` or `ubinary`. */
  precision?: NonNullable<EncodeRequest["encoding"]>;
  /** The model's prompt to put first, by name: `query`, `passage`. */
  prompt?: string;
}

/** Embeds. */
export interface Embedder extends Task {
  /** A row for each text. */
  (texts: string | string[], options: EmbedOptions & { precision: "int8" | "binary" }): Promise<Tensor<Int8Array>>;
  (texts: string | string[], options: EmbedOptions & { precision: "ubinary" }): Promise<Tensor<Uint8Array>>;
  (texts: string | string[], options?: EmbedOptions & { precision?: "float" }): Promise<Tensor<Float32Array>>;
  (texts: string | string[], options?: EmbedOptions): Promise<Tensor>;
  /** The vectors of texts, each as soon as it is known. */
  stream(texts: Texts, options?: EmbedOptions): AsyncGenerator<Vector>;
  /** A row for each token of a text, as the encoder leaves it. */
  tokens(text: string, options?: Cutting & { prompt?: string }): Promise<Tensor<Float32Array>>;
  /** The cosine of each text's vector to another's. */
  similarity(text: string, texts: string[], options?: Cutting & { prompt?: string }): Promise<number[]>;
}

/** Of other names for the same. */
const POOLINGS: Partial<Record<string, NonNullable<EncodeRequest["pooling"]>>> = {
  first_token: "cls",
  eos: "last_token",
};

/** An embedder over a model. */
export function embedder(model: Model): Embedder {
  async function* stream(texts: Texts, options: EmbedOptions = {}): AsyncGenerator<Vector> {
    const { signal } = options;
    const ask = (texts: string[]) =>
      model.ask<EncodeAnswer>({ do: "encode", request: { texts, ...requested(options) } }, signalled(signal));
    for await (const { embeddings } of answered(texts, ask, signal)) yield* embeddings ?? [];
  }
  const call = async (texts: string | string[], options?: EmbedOptions) => {
    const rows: Vector[] = [];
    for await (const row of stream(listed(texts), options)) rows.push(row);
    return Tensor.of(rows);
  };
  const tokens: Embedder["tokens"] = async (text, { prompt, ...options } = {}) => {
    const token_vectors = { texts: [checked(text)], ...(prompt !== undefined && { prompt }), ...cut(options) };
    const rows = await model.ask<Rows>({ do: "numbers", request: { token_vectors } }, signalled(options.signal));
    return new Tensor(rows.numbers, rows.tokens);
  };
  const similarity: Embedder["similarity"] = async (text, texts, { prompt, ...options } = {}) => {
    const query = checked(text, "the query");
    const ask = (texts: string[]) => {
      const rank = { query, texts, by_vectors: true, ...(prompt !== undefined && { prompt }), ...cut(options) };
      return model.ask<Rows>({ do: "numbers", request: { rank } }, signalled(options.signal));
    };
    const near: number[] = [];
    for await (const { numbers } of answered(texts, ask, options.signal)) near.push(...numbers);
    return near;
  };
  return taskOf("feature-extraction", model, Object.assign(call, { stream, tokens, similarity })) as Embedder;
}

function requested(options: EmbedOptions): Omit<EncodeRequest, "texts"> {
  const { pooling, normalize, dimensions, precision, prompt, max_length, truncation } = options;
  if (pooling as string === "none") {
    throw error("invalid_option", 'pooling "none" is a vector for each token; ask for `tokens(text)`');
  }
  if (truncation === false) {
    throw error("invalid_option", "vectors are of what fits; look at `tokenize(text)` to refuse more");
  }
  return {
    ...(pooling !== undefined && { pooling: POOLINGS[pooling] ?? (pooling as NonNullable<EncodeRequest["pooling"]>) }),
    ...(normalize !== undefined && { normalize }),
    ...(dimensions !== undefined && { dimensions }),
    ...(precision !== undefined && { encoding: precision }),
    ...(prompt !== undefined && { prompt }),
    ...(max_length !== undefined && { max_length }),
  };
}
