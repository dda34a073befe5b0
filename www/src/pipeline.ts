// One line to a task, by the names that transformers.js gave it.

import { error } from "./errors.js";
import type { Precision } from "./engine/trireme.js";
import { load, type LoadOptions } from "./model.js";
import type { ModelSource } from "./places.js";
import { classifier, type Classifier } from "./tasks/classify.js";
import { embedder, type Embedder } from "./tasks/embed.js";
import { ranker, type Ranker } from "./tasks/rank.js";

/** The tasks, and what each gives. */
export interface Tasks {
  "text-classification": Classifier;
  "sentiment-analysis": Classifier;
  "feature-extraction": Embedder;
  embeddings: Embedder;
  "text-ranking": Ranker;
}

/** How a pipeline is made. */
export interface PipelineOptions extends LoadOptions {
  /** The model; the package's own where none is named. */
  model?: ModelSource;
  /** `precision`, as transformers.js calls it. */
  dtype?: Dtype;
}

/** Numbers as transformers.js names them. */
export type Dtype = "auto" | "fp32" | "fp16" | "q8" | "int8" | "uint8" | "q4";

const MAKERS: { [T in keyof Tasks]: (model: Awaited<ReturnType<typeof load>>) => Tasks[T] } = {
  "text-classification": classifier,
  "sentiment-analysis": classifier,
  "feature-extraction": embedder,
  embeddings: embedder,
  "text-ranking": ranker,
};

const PRECISIONS: Record<Dtype, Precision> = {
  auto: "auto",
  fp32: "f32",
  fp16: "f16",
  q8: "int8",
  int8: "int8",
  uint8: "int8",
  q4: "int4",
};

/** A task over a model. */
export function pipeline<T extends keyof Tasks>(task: T, options?: PipelineOptions): Promise<Tasks[T]>;
export function pipeline<T extends keyof Tasks>(
  task: T,
  model: ModelSource | null | undefined,
  options?: Omit<PipelineOptions, "model">,
): Promise<Tasks[T]>;
export async function pipeline<T extends keyof Tasks>(
  task: T,
  second?: ModelSource | PipelineOptions | null,
  third: PipelineOptions = {},
): Promise<Tasks[T]> {
  if (!Object.hasOwn(MAKERS, task)) {
    const names = Object.keys(MAKERS).join(", ");
    throw error("unsupported_here", `there is no task "${String(task)}"; there are: ${names}`);
  }
  const named = isOptions(second) ? second : { ...third, model: second ?? "default" };
  const { model: source = "default", dtype, ...options } = named;
  const model = await load(source, { ...numbers(dtype), ...options });
  try {
    return MAKERS[task](model);
  } catch (thrown) {
    model.dispose();
    throw thrown;
  }
}

/** Whether it is options, and no model: a plain object that holds no files. */
function isOptions(value: ModelSource | PipelineOptions | null | undefined): value is PipelineOptions {
  if (typeof value !== "object" || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype && !(Symbol.iterator in value);
}

function numbers(dtype: Dtype | undefined): { precision?: Precision } {
  if (dtype === undefined) return {};
  const precision = Object.hasOwn(PRECISIONS, dtype) ? PRECISIONS[dtype] : undefined;
  if (precision) return { precision };
  const names = Object.keys(PRECISIONS).join(", ");
  throw error("invalid_option", `there is no dtype "${String(dtype)}"; there are: ${names}`);
}
