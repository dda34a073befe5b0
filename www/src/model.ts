// A model that is loaded, with the verbs of every host.

import { Auto, type Device } from "./auto.js";
import { cache } from "./cache.js";
import { Client, type Asks, type Choice } from "./client.js";
import { error } from "./errors.js";
import type {
  EncodeAnswer,
  EncodeRequest,
  HealthAnswer,
  Precision,
  PredictAnswer,
  PredictRequest,
  Vector,
} from "./engine/trireme.js";
import { addressOf, placeOf, type Hub, type ModelSource } from "./places.js";
import type { Ask, Caching, Lane, Loaded, Processor, Progress, Threads, Wanted } from "./protocol.js";

/** How a model is loaded. */
export interface LoadOptions extends Hub {
  /** Numbers to compute in: as the weights are kept unless said; `"int8"` is faster than `"f32"` and
   *  nearly as good. */
  precision?: Precision;
  /** The instructions to use, `simd128` or `relaxed-simd`; the fastest that the browser has and
   *  gets right where it is not said. */
  lane?: Lane;
  /** How many workers compute one answer: one unless said. More than one needs a page that is
   *  cross-origin isolated; `"auto"` takes what the page may have. */
  threads?: Threads;
  /** What computes: `"wasm"` unless said, or `"webgpu"`. A GPU that is not there, or does not compute
   *  as the processor does, is not used; the model says why. `"auto"` begins on wasm, makes a GPU
   *  ready, and gives it what it was measured to be faster at. */
  device?: Device;
  /** Whether fetched files are kept, and asked about before they are used again (`"check"`, which is
   *  usual), are all there is (`"only"`), or are not kept (`"off"`). */
  cache?: Caching;
  /** The SHA-256 of a bundle, or of each file by its name; what comes to another is refused, and so is a
   *  name that nothing is read from. What is kept and comes to it is used without asking. */
  sha256?: string | Readonly<Record<string, string>>;
  /** The most bytes that the engine's memory may take. */
  maxMemory?: number;
  /** The folder of this package on your server, where a bundler took the script from beside it. */
  assets?: string | URL;
  /** An engine that is compiled already: `trireme/engine.wasm`; with `lane: "relaxed-simd"`,
   *  `trireme/engine-relaxed.wasm`. */
  module?: WebAssembly.Module;
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

/** What a model takes, in bytes. */
export interface Stats {
  /** The engines' memory, weights among it. */
  memory: number;
  /** Buffers on the GPU. */
  gpu: number;
  /** What is kept of fetched models, all of them, for all pages of the origin. */
  cache: number;
}

/** What runs where, and why. */
export interface Info extends Loaded, Choice {
  device: Device;
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
  /** Its classes by id; empty where it does not classify. */
  readonly labels: readonly string[];
  readonly #asks: Asks;
  readonly #loaded: Loaded;

  /** @internal */
  constructor(asks: Asks, loaded: Loaded) {
    this.#asks = asks;
    this.#loaded = loaded;
    this.name = loaded.model;
    this.version = loaded.version;
    this.digest = loaded.digest;
    this.precision = loaded.precision;
    this.lane = loaded.lane;
    this.threads = loaded.threads;
    this.labels = loaded.labels;
  }

  /** What computes now. */
  get device(): Device {
    return this.#asks instanceof Auto ? "auto" : this.#asks.placed.processor;
  }

  /** Why that is not the GPU, where it was asked for. */
  get refused(): string | undefined {
    return this.#asks.placed.refused;
  }

  /** All that it says of itself. */
  get facts(): Readonly<Loaded> {
    return { ...this.#loaded, ...this.#asks.placed };
  }

  /** Classifies a text. Bytes are read as a request's JSON. */
  predict(request: string | PredictRequest | Uint8Array, options?: AskOptions): Promise<PredictAnswer> {
    const asked = typeof request === "string" ? { text: request } : request;
    return this.ask({ do: "predict", request: asked }, options);
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
    return this.ask({ do: "encode", request: asked }, options);
  }

  /** Alive, and who answers. */
  health(): Promise<HealthAnswer> {
    return this.ask({ do: "health" });
  }

  /** What runs where, and why; with `device: "auto"` once that is measured. */
  async info(): Promise<Info> {
    const choice = await this.#asks.choice();
    return { ...this.facts, device: this.device, ...choice };
  }

  /** What the model takes now. */
  async stats(): Promise<Stats> {
    const { wasm, gpu } = await this.#asks.taken();
    return { memory: wasm, gpu, cache: await cache.size() };
  }

  /** Ends the model's workers and frees its memory. */
  dispose(): void {
    this.#asks.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  ask<T>(ask: Ask, options: AskOptions = {}): Promise<T> {
    return this.#asks.ask(ask, options.signal) as Promise<T>;
  }
}

/** All options there are. */
const OPTIONS: readonly (keyof LoadOptions)[] = [
  "precision", "lane", "threads", "device", "cache", "sha256", "maxMemory", "assets", "module", "onProgress",
  "signal", "hub", "revision", "token",
];

/** Loads a model; the package's own where none is named. */
export async function load(source: ModelSource = "default", options: LoadOptions = {}): Promise<Model> {
  const unknown = Object.keys(options).find((name) => !(OPTIONS as readonly string[]).includes(name));
  if (unknown) throw error("invalid_option", `there is no option "${unknown}"; there are: ${OPTIONS.join(", ")}`);
  const { onProgress, signal, device, hub, revision, token, assets, ...rest } = options;
  const folder = assets === undefined ? undefined : addressOf(`${assets}`.replace(/\/*$/, "/")).href;
  const where = await placeOf(source, dropped({ hub, revision, token }), folder);
  const wanted: Wanted = { ...where, ...rest, assets: folder };
  const asks = device === "auto" ? new Auto(wanted) : new Client({ ...wanted, processor: known(device) });
  return new Model(asks, await asks.load(onProgress, signal));
}

function known(device: Processor | undefined): Processor | undefined {
  if (device === undefined || device === "wasm" || device === "webgpu") return device;
  throw error("invalid_option", `there is no device "${String(device)}"; there are: wasm, webgpu, auto`);
}

/** The same without what is not said. */
function dropped<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
