// What a caller's side and an engine's side say to each other.

import type {
  EncodeRequest,
  InfoAnswer,
  NumbersRequest,
  Precision,
  PredictRequest,
  TokenizeRequest,
} from "./engine/trireme.js";
import type { Fault } from "./errors.js";

/** Where a model lies; plain data, so that a new worker can go there again. */
export type Place =
  | { kind: "folder"; url: string; token?: string }
  | { kind: "bundle"; url: string }
  | { kind: "files"; label: string; files: [path: string, file: Blob][] }
  | { kind: "file"; label: string; file: Blob };

/** A model by its place, what it is called on every answer, and how it runs. */
export interface Wanted {
  place: Place;
  name: string;
  /** The package's own where it is not said. */
  version?: string;
  precision?: Precision | undefined;
  /** `undefined` takes the fastest that this machine has. */
  lane?: Lane | undefined;
  /** `undefined` is one. */
  threads?: Threads | undefined;
  /** `undefined` is the processor. */
  processor?: Processor | undefined;
  /** `undefined` keeps what was fetched, and asks whether it changed. */
  cache?: Caching | undefined;
  /** What a bundle's bytes, or each file's by its name, must come to. */
  sha256?: string | Readonly<Record<string, string>> | undefined;
  /** The most bytes that the engine's memory may take. */
  maxMemory?: number | undefined;
  /** The folder of this package, where it does not lie beside the script. */
  assets?: string | undefined;
  /** An engine that was compiled already. */
  module?: WebAssembly.Module | undefined;
}

/** How many workers compute one answer; `auto` takes one for each core where memory may be shared
 *  between them, and one where it may not. */
export type Threads = number | "auto";

/** The vector instructions that the engine is built for. */
export type Lane = "simd128" | "relaxed-simd";

/** What computes: the processor, or a GPU. */
export type Processor = "wasm" | "webgpu";

/** What is kept of a model that was fetched: what is kept is asked about, unless its address stands
 *  for its content or its hash is known (`"check"`); it is all there is (`"only"`); or nothing is (`"off"`). */
export type Caching = "check" | "only" | "off";

/** What computes now. A GPU that is lost for good leaves its model to the processor. */
export interface Placed {
  processor: Processor;
  /** Why that is not the GPU, where it was asked for. */
  refused: string | undefined;
}

/** What a model says of itself once it is loaded. */
export interface Loaded extends InfoAnswer, Placed {
  lane: Lane;
  threads: number;
  /** Why what was fetched is not kept, where it is not. */
  unkept: string | undefined;
}

/** What an engine takes, in bytes. */
export interface Taken {
  wasm: number;
  gpu: number;
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
  /** Seconds until all are here, if they go on coming as they came; absent until that can be said. */
  secondsLeft?: number;
}

/** What is asked of an engine. */
export type Ask =
  | { do: "load"; wanted: Wanted }
  | { do: "predict"; request: PredictRequest | Uint8Array }
  | { do: "encode"; request: EncodeRequest | Uint8Array }
  | { do: "numbers"; request: NumbersRequest }
  | { do: "tokenize"; request: TokenizeRequest }
  | { do: "health" }
  | { do: "taken" };

/** What the caller's side sends. */
export type ToRoom = { id: number; ask: Ask } | { abort: number };

/** What the engine's side sends. A crash is its last word; `id` is the request that it died of. Seats
 *  are places for helpers. What computes is said before the answer under which that changed. */
export type FromRoom =
  | { id: number; answer: unknown }
  | { id: number; fault: Fault }
  | { progress: Progress }
  | { placed: Placed }
  | { seats: number; shared: Shared }
  | { crash: Fault; id: number | undefined };

/** What a helper sends: that its script runs, and perhaps a last word. */
export type FromHelper = { started: true } | { crash: Fault };
