// The package: a model that classifies and embeds, off the main thread.

import { Client } from "./client.js";
import type {
  EncodeAnswer,
  EncodeRequest,
  HealthAnswer,
  Precision,
  PredictAnswer,
  PredictRequest,
  Vector,
} from "./engine/trireme.js";
import { wantedOf, type ModelSource } from "./places.js";
import type { Device, Lane, Loaded, Progress, Threads } from "./protocol.js";

export type * from "./engine/trireme.js";
export * from "./errors.js";
export { FAULTS, type ClassName, type Code } from "./faults.js";
export type { Device, Lane, ModelSource, Progress, Threads };

/** How a model is loaded. */
export interface LoadOptions {
  /** Numbers to compute in: `"f32"` unless said; `"int8"` is faster and nearly as good. */
  precision?: Precision;
  /** The instructions to use, `simd128` or `relaxed-simd`; the fastest that the browser has and
   *  gets right where it is not said. */
  lane?: Lane;
  /** How many workers compute one answer: one unless said. More than one needs a page that is
   *  cross-origin isolated; `"auto"` takes what the page may have. */
  threads?: Threads;
  /** What computes: `"wasm"` unless said, or `"webgpu"`. A GPU that is not there, or does not compute
   *  as the processor does, is not used; the model says why. */
  device?: Device;
  /** Hears how many bytes are here, and how many there will be. */
  onProgress?: (progress: Progress) => void;
  /** Stops loading. */
  signal?: AbortSignal;
}

/** How a request is asked. */
export interface AskOptions {
  /** Stops the answer, between two layers at the latest. */
  signal?: AbortSignal;
}

/** What a model costs. */
export interface Stats {
  /** Bytes of the engine's memory, the model's weights among them. */
  memory: number;
}

/** A model that is loaded. */
export class Model {
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** The identity of its weights, tokenizer and configuration. */
  readonly digest: string;
  /** The numbers that it computes in. */
  readonly precision: Precision;
  /** The vector instructions in use. */
  readonly lane: Lane;
  /** How many workers compute one answer. */
  readonly threads: number;
  /** What computes. */
  readonly device: Device;
  /** Why that is not the GPU, where it was asked for. */
  readonly refused: string | undefined;
  /** Its classes by id; empty where it does not classify. */
  readonly labels: readonly string[];
  readonly #client: Client;

  /** @internal */
  constructor(client: Client, loaded: Loaded) {
    this.#client = client;
    this.name = loaded.model;
    this.version = loaded.version;
    this.digest = loaded.digest;
    this.precision = loaded.precision;
    this.lane = loaded.lane;
    this.threads = loaded.threads;
    this.device = loaded.device;
    this.refused = loaded.refused;
    this.labels = loaded.labels;
  }

  /** Classifies a text. Bytes are read as a request's JSON. */
  predict(request: string | PredictRequest | Uint8Array, options?: AskOptions): Promise<PredictAnswer> {
    const asked = typeof request === "string" ? { text: request } : request;
    return this.#ask({ do: "predict", request: asked }, options);
  }

  /** Embeds a text, or several. Bytes are read as a request's JSON. */
  encode(text: string, options?: AskOptions): Promise<EncodeAnswer & { embedding: Vector }>;
  encode(texts: string[], options?: AskOptions): Promise<EncodeAnswer & { embeddings: Vector[] }>;
  encode(request: EncodeRequest | Uint8Array, options?: AskOptions): Promise<EncodeAnswer>;
  encode(
    request: string | string[] | EncodeRequest | Uint8Array,
    options?: AskOptions,
  ): Promise<EncodeAnswer> {
    const text = typeof request === "string" ? { text: request } : request;
    const asked = Array.isArray(text) ? { texts: text } : text;
    return this.#ask({ do: "encode", request: asked }, options);
  }

  /** Alive, and who answers. */
  health(): Promise<HealthAnswer> {
    return this.#ask({ do: "health" });
  }

  /** What the model costs now. */
  async stats(): Promise<Stats> {
    return { memory: await this.#ask({ do: "memory" }) };
  }

  /** Ends the model's worker and frees its memory. */
  dispose(): void {
    this.#client.dispose();
  }

  #ask<T>(ask: Parameters<Client["ask"]>[0], options: AskOptions = {}): Promise<T> {
    return this.#client.ask(ask, options.signal) as Promise<T>;
  }
}

/** Loads a model; the package's own where none is named. */
export async function load(
  source: ModelSource = "default",
  { precision, lane, threads, device, onProgress, signal }: LoadOptions = {},
): Promise<Model> {
  const client = new Client({ ...wantedOf(source), precision, lane, threads, device });
  return new Model(client, await client.load(onProgress, signal));
}
