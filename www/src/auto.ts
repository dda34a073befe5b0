// A model on two devices: the processor answers at once, a GPU is made ready beside it, and each
// request goes where one of its length was answered sooner.

import { Client, type Asks, type Choice } from "./client.js";
import { crossover, said, type Measured } from "./crossover.js";
import { TriremeError } from "./errors.js";
import { adapterHere } from "./gpu.js";
import { recalled, remember } from "./kept.js";
import type { EncodeAnswer } from "./engine/trireme.js";
import type { Ask, Loaded, Placed, Processor, Progress, Taken, Wanted } from "./protocol.js";

/** Tokens of the requests that are measured, by texts of at most so many. */
const SIZES: readonly (readonly [texts: number, tokens: number])[] = [
  [1, 8], [1, 32], [1, 120], [4, 120], [16, 120], [64, 120],
];

/** Once a request takes this long, in milliseconds, longer ones show nothing new. */
const LONG = 400;

/** What a GPU fails with that the processor may not. */
const OF_THE_GPU = new Set([
  "device_lost", "out_of_memory", "internal", "unsupported_here", "answer_not_finite", "source_unavailable",
]);

export class Auto implements Asks {
  readonly #wanted: Wanted;
  readonly #cpu: Client;
  #gpu: Client | undefined;
  /** The same before it is ready. */
  #warming: Client | undefined;
  #choice: Choice = { gpuFrom: Number.POSITIVE_INFINITY, why: "the GPU is not ready yet" };
  #warm: Promise<void> | undefined;
  /** There is no GPU to be had any more. */
  #gone = false;
  #disposed = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#cpu = new Client({ ...wanted, processor: "wasm" });
  }

  /** What answers when nothing else does. */
  get placed(): Placed {
    return this.#cpu.placed;
  }

  async load(report?: (progress: Progress) => void, signal?: AbortSignal): Promise<Loaded> {
    const loaded = await this.#cpu.load(report, signal);
    this.#warm ??= this.#warmUp(loaded).catch((error) => this.#without(`the GPU failed: ${String(error)}`));
    return loaded;
  }

  /** Which device answers what, once that is known. */
  async choice(): Promise<Choice> {
    await this.#warm;
    this.#onGpu();
    return this.#choice;
  }

  async ask(ask: Ask, signal?: AbortSignal): Promise<unknown> {
    const gpu = this.#onGpu();
    if (!gpu || tokensOf(ask) < this.#choice.gpuFrom) return this.#cpu.ask(ask, signal);
    try {
      const answer = await gpu.ask(ask, signal);
      this.#onGpu();
      return answer;
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
  async taken(): Promise<Taken> {
    const cpu = await this.#cpu.taken();
    const gpu = await this.#takenBy(this.#onGpu());
    return { wasm: cpu.wasm + gpu.wasm, gpu: cpu.gpu + gpu.gpu };
  }

  dispose(): void {
    this.#disposed = true;
    for (const client of [this.#cpu, this.#gpu, this.#warming]) client?.dispose();
    this.#gpu = undefined;
  }

  /** Who answers on the GPU. One whose GPU was lost for good goes on beside the processor's own, which
   *  is one too many. */
  #onGpu(): Client | undefined {
    const { processor, refused } = this.#gpu?.placed ?? {};
    if (processor === "wasm") this.#without(`the GPU failed: ${refused}`);
    return this.#gpu;
  }

  /** What one that may be let go of meanwhile takes. */
  async #takenBy(gpu: Client | undefined): Promise<Taken> {
    const nothing = { wasm: 0, gpu: 0 };
    if (!gpu) return nothing;
    return gpu.taken().catch((error) => {
      if (gpu === this.#gpu) throw error;
      return nothing;
    });
  }

  /** Goes on by the processor alone. The first reason is the true one: what fails after it fails of it. */
  #without(why: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#gpu?.dispose();
    this.#gpu = undefined;
    this.#choice = { gpuFrom: Number.POSITIVE_INFINITY, why };
  }

  async #warmUp(loaded: Loaded): Promise<void> {
    const adapter = await adapterHere();
    if (!adapter) return this.#without("there is no GPU here");
    const { name } = adapter;
    const { digest, precision, lane, threads } = loaded;
    const memory = ["crossover of", name, digest, precision, lane, threads].join(" ");
    const known = (await recalled(memory).catch(() => undefined)) as number | "never" | undefined;
    if (known === "never") return this.#without(`${name} was slower at every length when it was measured`);
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
    // What was measured of a GPU that is gone is none of its times.
    if (!this.#onGpu()) return;
    const gpuFrom = known ?? crossover(measured);
    await remember(memory, gpuFrom === Number.POSITIVE_INFINITY ? "never" : gpuFrom);
    // It may have been lost meanwhile.
    if (!this.#onGpu()) return;
    const facts = measured.length > 0 ? said(measured) : "as it was measured before";
    const why = `${name}: ${facts}`;
    this.#choice = { gpuFrom, why };
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

/** A device as callers name it. */
export type Device = Processor | "auto";
