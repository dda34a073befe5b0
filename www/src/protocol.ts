// What the page and its worker say to each other.

import type { EncodeRequest, HealthAnswer, Precision, PredictRequest } from "./engine/trireme.js";
import type { Fault } from "./errors.js";

/** Where a model lies; plain data, so that a new worker can go there again. */
export type Place =
  | { kind: "folder"; url: string }
  | { kind: "bundle"; url: string }
  | { kind: "files"; label: string; files: [path: string, file: Blob][] }
  | { kind: "file"; label: string; file: Blob };

/** A model by its place, and what it is called on every answer. */
export interface Wanted {
  place: Place;
  name: string;
  /** The package's own where it is not said. */
  version?: string;
  precision?: Precision | undefined;
  /** `undefined` takes the fastest that the browser has. */
  lane?: Lane | undefined;
  /** `undefined` is one. */
  threads?: Threads | undefined;
  /** `undefined` is the processor. */
  device?: Device | undefined;
}

/** How many workers compute one answer; `auto` takes one for each core where the page may share
 *  memory between them, and one where it may not. */
export type Threads = number | "auto";

/** The vector instructions that the engine is built for. */
export type Lane = "simd128" | "relaxed-simd";

/** What computes: the worker, or the browser's GPU. */
export type Device = "wasm" | "webgpu";

/** What a model says of itself once it is loaded. */
export interface Loaded extends HealthAnswer {
  labels: string[];
  lane: Lane;
  threads: number;
  device: Device;
  /** Why that is not the GPU, where it was asked for. */
  refused: string | undefined;
}

/** What a worker needs to help an engine: its module, and the memory of the one that has the model. */
export interface Shared {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
}

/** How far loading is. */
export interface Progress {
  /** Bytes that are here. */
  loaded: number;
  /** Bytes that there will be; absent as long as nobody knows. */
  total?: number;
}

/** What the page asks for. */
export type Ask =
  | { do: "load"; wanted: Wanted }
  | { do: "predict"; request: PredictRequest | Uint8Array }
  | { do: "encode"; request: EncodeRequest | Uint8Array }
  | { do: "health" }
  | { do: "memory" };

/** What the page sends. */
export type ToWorker = { id: number; ask: Ask } | { abort: number };

/** What the worker sends. A crash is its last word; `id` is the request that it died of. Seats are
 *  places for helpers. */
export type FromWorker =
  | { id: number; answer: unknown }
  | { id: number; fault: Fault }
  | { progress: Progress }
  | { seats: number; shared: Shared }
  | { crash: Fault; id: number | undefined };

/** What a helper sends, if anything: its last word. */
export type FromHelper = { crash: Fault };
