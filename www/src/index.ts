// The package: tasks over a model that computes off the main thread, and the model itself.

export { cache, type Cached } from "./cache.js";
export type { Device } from "./auto.js";
export type * from "./engine/trireme.js";
export {
  AccessError,
  BusyError,
  error,
  errorOf,
  InputError,
  InternalError,
  ModelError,
  SourceError,
  TriremeError,
  UnsupportedError,
  type Fault,
} from "./errors.js";
export { FAULTS, type ClassName, type Code, type Facts } from "./faults.js";
export { load, Model, type AskOptions, type Info, type LoadOptions, type Stats } from "./model.js";
export { pipeline, type Dtype, type PipelineOptions, type Tasks } from "./pipeline.js";
export type { Hub, ModelSource } from "./places.js";
export type { Caching, Lane, Processor, Progress, Threads } from "./protocol.js";
export type { Texts } from "./resting.js";
export type { Classifier, ClassifyOptions, Label } from "./tasks/classify.js";
export type { Embedder, EmbedOptions } from "./tasks/embed.js";
export type { Ranked, Ranker, RankOptions } from "./tasks/rank.js";
export type { Cutting, Task } from "./tasks/task.js";
export { Tensor, type Numbers } from "./tensor.js";
