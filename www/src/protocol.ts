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
}

/** The vector instructions that the engine is built for. */
export type Lane = "simd128" | "relaxed-simd";

/** What a model says of itself once it is loaded. */
export interface Loaded extends HealthAnswer {
  labels: string[];
  lane: Lane;
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

/** What the worker sends. A crash is its last word; `id` is the request that it died of. */
export type FromWorker =
  | { id: number; answer: unknown }
  | { id: number; fault: Fault }
  | { progress: Progress }
  | { crash: Fault; id: number | undefined };
