// Classes of texts.

import type { Rows } from "../engine/trireme.js";
import { error } from "../errors.js";
import type { Model } from "../model.js";
import { answered, checked, listed } from "../pieces.js";
import type { Texts } from "../resting.js";
import { cut, most, signalled, taskOf, type Cutting, type Task } from "./task.js";

/** A class, and how likely it is. */
export interface Label {
  label: string;
  score: number;
}

/** How texts are classified. */
export interface ClassifyOptions extends Cutting {
  /** How many classes to give, the likeliest first: one unless said, all with `null`. */
  top_k?: number | null;
  /** `"none"` gives the numbers of the head; another must be what the model was trained for. */
  function_to_apply?: "none" | "softmax" | "sigmoid";
}

type One = { top_k?: 1 } & ClassifyOptions;

/** Classifies. */
export interface Classifier extends Task {
  (text: string, options?: ClassifyOptions): Promise<Label[]>;
  (texts: string[], options?: One): Promise<Label[]>;
  (texts: string[], options: ClassifyOptions & { top_k: number | null }): Promise<Label[][]>;
  (texts: string[], options?: ClassifyOptions): Promise<Label[] | Label[][]>;
  /** The classes of texts, each as soon as it is known. */
  stream(texts: Texts, options?: ClassifyOptions): AsyncGenerator<Label[]>;
  /** The classes of pairs of texts, for models that judge pairs. */
  pairs(pairs: readonly (readonly [string, string])[], options?: ClassifyOptions): Promise<Label[][]>;
}

/** A classifier over a model. */
export function classifier(model: Model): Classifier {
  if (model.labels.length === 0) {
    throw error("no_classifier", `${model.name} was not trained to classify; use it for "feature-extraction"`);
  }
  const score = async (texts: string[], pairs: string[] | undefined, options: ClassifyOptions) => {
    const { function_to_apply, signal, top_k = 1 } = options;
    const score = {
      texts,
      ...(pairs && { pairs }),
      ...(function_to_apply && { function_to_apply }),
      ...cut(options),
    };
    const rows = await model.ask<Rows>({ do: "numbers", request: { score } }, signalled(signal));
    return labelled(rows, model.labels, most(top_k));
  };
  async function* stream(texts: Texts, options: ClassifyOptions = {}): AsyncGenerator<Label[]> {
    for await (const labels of answered(texts, (piece) => score(piece, undefined, options), options.signal)) yield* labels;
  }
  const call = async (texts: string | string[], options: ClassifyOptions = {}) => {
    const { top_k = 1 } = options;
    const all = await collected(stream(listed(texts), options));
    // As in transformers.js: one class for each of several texts is one list.
    if (typeof texts === "string") return all[0] ?? [];
    return top_k === 1 ? all.flat() : all;
  };
  const pairs: Classifier["pairs"] = async (pairs, options = {}) => {
    const [firsts, seconds] = [pairs.map(([first]) => first), pairs.map(([, second]) => checked(second))];
    const ask = (piece: string[], from: number) => score(piece, seconds.slice(from, from + piece.length), options);
    const weigh = (text: string, place: number) => text.length + (seconds[place]?.length ?? 0);
    return (await collected(answered(firsts, ask, options.signal, weigh))).flat();
  };
  return taskOf("text-classification", model, Object.assign(call, { stream, pairs })) as Classifier;
}

function labelled({ numbers, lengths }: Rows, labels: readonly string[], count: number): Label[][] {
  let at = 0;
  return Array.from(lengths, (length) => {
    const row = Array.from(numbers.subarray(at, (at += length)), (score, id) => ({ label: labels[id] ?? `${id}`, score }));
    return row.sort((a, b) => b.score - a.score).slice(0, count);
  });
}

async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}
