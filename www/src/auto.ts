// A model on two devices: the processor answers at once, a GPU is made ready beside it, and each
// request goes where one of its length was answered sooner.

import { Client } from "./client.js";
import { crossover, said, type Measured } from "./crossover.js";
import { TriremeError } from "./errors.js";
import { adapterHere } from "./gpu.js";
import type { EncodeAnswer } from "./engine/trireme.js";
import type { Ask, Loaded, Processor, Progress, Wanted } from "./protocol.js";

/** Who can be asked. */
export interface Asks {
  load(report?: (progress: Progress) => void, signal?: AbortSignal): Promise<Loaded>;
  ask(ask: Ask, signal?: AbortSignal): Promise<unknown>;
  dispose(): void;
}

/** Which device answers what, and why. */
export interface Choice {
  /** Requests of so many tokens or more go to the GPU; `Infinity` where none does. */
  gpuFrom: number;
  why: string;
  /** What was measured; nothing, where that was remembered or there was nothing to measure. */
  measured: readonly Measured[];
}

/** Tokens of the requests that are measured, by texts of at most so many. */
const SIZES: readonly (readonly [texts: number, tokens: number])[] = [
  [1, 8], [1, 32], [1, 120], [4, 120], [16, 120], [64, 120],
];

/** Once a request takes this long, in milliseconds, longer ones show nothing new. */
const LONG = 400;

/** What a GPU fails with that the processor may not. */
const OF_THE_GPU = new Set(["device_lost", "out_of_memory", "internal", "unsupported_here", "answer_not_finite"]);

export class Auto implements Asks {
  readonly #wanted: Wanted;
  readonly #cpu: Client;
  #gpu: Client | undefined;
  /** The same before it is ready. */
  #warming: Client | undefined;
  #choice: Choice = { gpuFrom: Number.POSITIVE_INFINITY, why: "the GPU is not ready yet", measured: [] };
  #warm: Promise<void> | undefined;
  #disposed = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#cpu = new Client({ ...wanted, processor: "wasm" });
  }

  async load(report?: (progress: Progress) => void, signal?: AbortSignal): Promise<Loaded> {
    const loaded = await this.#cpu.load(report, signal);
    this.#warm ??= this.#warmUp(loaded).catch((error) => this.#without(`the GPU failed: ${String(error)}`));
    return loaded;
  }

  /** Which device answers what, once that is known. */
  async choice(): Promise<Choice> {
    await this.#warm;
    return this.#choice;
  }

  async ask(ask: Ask, signal?: AbortSignal): Promise<unknown> {
    const gpu = this.#gpu;
    if (!gpu || tokensOf(ask) < this.#choice.gpuFrom) return this.#cpu.ask(ask, signal);
    try {
      return await gpu.ask(ask, signal);
    } catch (error) {
      // Another request's failure may have ended it.
      const ended = gpu !== this.#gpu && !this.#disposed;
      if (!(error instanceof TriremeError) || signal?.aborted) throw error;
      if (!ended && !OF_THE_GPU.has(error.code)) throw error;
      if (!ended) this.#without(`the GPU failed: ${error.message}`);
      return this.#cpu.ask(ask, signal);
    }
  }

  /** What both take. */
  async taken(): Promise<unknown[]> {
    const clients = [this.#cpu, ...(this.#gpu ? [this.#gpu] : [])];
    return Promise.all(clients.map((client) => client.ask({ do: "taken" })));
  }

  dispose(): void {
    this.#disposed = true;
    for (const client of [this.#cpu, this.#gpu, this.#warming]) client?.dispose();
    this.#gpu = undefined;
  }

  #without(why: string): void {
    this.#gpu?.dispose();
    this.#gpu = undefined;
    this.#choice = { gpuFrom: Number.POSITIVE_INFINITY, why, measured: this.#choice.measured };
  }

  async #warmUp(loaded: Loaded): Promise<void> {
    const adapter = await adapterHere();
    if (!adapter) return this.#without("there is no GPU here");
    const { name } = adapter;
    const { digest, precision, lane, threads } = loaded;
    const memory = new Remembered([name, digest, precision, lane, threads].join("/"));
    const known = memory.recall();
    if (known === Number.POSITIVE_INFINITY) return this.#without(`${name} was slower at every length when it was measured`);
    if (this.#disposed) return;
    const gpu = (this.#warming = new Client({ ...this.#wanted, threads: 1, processor: "webgpu" }));
    const { processor, refused } = await gpu.load().catch((error) => {
      gpu.dispose();
      throw error;
    });
    if (processor !== "webgpu" || this.#disposed) {
      gpu.dispose();
      return this.#without(refused ?? "the model was disposed");
    }
    this.#gpu = gpu;
    const measured = known === undefined ? await this.#measure(gpu) : [];
    const gpuFrom = known ?? crossover(measured);
    memory.remember(gpuFrom);
    const facts = measured.length > 0 ? said(measured) : "as it was measured before";
    const why = `${name}: ${facts}`;
    this.#choice = { gpuFrom, why, measured };
    // What never answers needs no memory.
    if (gpuFrom === Number.POSITIVE_INFINITY) this.#without(why);
  }

  async #measure(gpu: Client): Promise<Measured[]> {
    const measured: Measured[] = [];
    for (const [texts, words] of SIZES) {
      const ask: Ask = { do: "encode", request: { texts: Array(texts).fill("sea ".repeat(words - 2)) } };
      const [wasm, webgpu] = [await fastest(this.#cpu, ask), await fastest(gpu, ask)];
      measured.push({ tokens: wasm.tokens, wasm: wasm.time, webgpu: webgpu.time });
      if (Math.max(wasm.time, webgpu.time) > LONG) break;
    }
    return measured;
  }
}

/** The fastest of three, after one that makes everything ready. */
async function fastest(client: Client, ask: Ask): Promise<{ tokens: number; time: number }> {
  const { tokens } = (await client.ask(ask)) as EncodeAnswer;
  let time = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    // The engine's own time: requests that it answers first are none of it.
    const { processing_time } = (await client.ask(ask)) as EncodeAnswer;
    time = Math.min(time, 1e3 * processing_time);
  }
  return { tokens, time };
}

/** Tokens of a request, as nearly as its letters tell. */
export function tokensOf(ask: Ask): number {
  if (!("request" in ask)) return 0;
  const { request } = ask;
  if (request instanceof Uint8Array) return request.length / 4;
  return textsIn(request).reduce((sum, text) => sum + text.length / 4 + 2, 0);
}

/** All strings of a request, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** What an origin remembers of a GPU, where it may remember anything. */
class Remembered {
  readonly #key: string;

  constructor(name: string) {
    this.#key = `trireme crossover ${name}`;
  }

  recall(): number | undefined {
    try {
      const known = globalThis.localStorage?.getItem(this.#key);
      return known == null ? undefined : Number(known);
    } catch {
      return undefined;
    }
  }

  remember(gpuFrom: number): void {
    try {
      globalThis.localStorage?.setItem(this.#key, `${gpuFrom}`);
    } catch {
      // It is measured again.
    }
  }
}

/** A device as callers name it. */
export type Device = Processor | "auto";
