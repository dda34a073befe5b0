// The engine's side: one model. It answers one request after another, and dies of the first that
// breaks it; the caller's side opens the next room.

import { compiled, engineFor, memoryFor } from "./engines.js";
import type { Model } from "./engine/trireme.js";
import { cancelled, deathOf, error, faultOf, wordsOf } from "./errors.js";
import { open } from "./files.js";
import { tilesHere } from "./gpu.js";
import { forget, under } from "./kept.js";
import { Damaged, Missing, Offline, Refused, Unkept } from "./sources.js";
import type { Ask, FromRoom, Lane, Loaded, Processor, Taken, ToRoom, Wanted } from "./protocol.js";

/** What an engine calls a processor. */
const PROCESSORS = { wasm: "cpu", webgpu: "gpu" } as const;

/** Tells the caller's side something; what is in `moved` goes over, and is not copied. */
export type Tell = (message: FromRoom, moved: Transferable[]) => void;

export class Room {
  readonly #tell: Tell;
  readonly #aborts = new Map<number, AbortController>();
  #memory: WebAssembly.Memory | undefined;
  #engine: Model | undefined;
  /** The request that is being answered. */
  #current: number | undefined;
  /** Settles when the requests so far are answered. */
  #queue = Promise.resolve();

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Whether a request is being answered. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  hear(message: ToRoom): void {
    if ("abort" in message) return this.#aborts.get(message.abort)?.abort();
    const { id, ask } = message;
    if (ask.do === "health" || ask.do === "taken") return void this.#answer(id, ask);
    this.#aborts.set(id, new AbortController());
    this.#queue = this.#queue.then(async () => {
      this.#current = id;
      await this.#answer(id, ask);
      this.#current = undefined;
      this.#aborts.delete(id);
    });
  }

  /** Nobody listens any more: what is under way stops at its next step. */
  end(): void {
    for (const abort of this.#aborts.values()) abort.abort();
  }

  /** The engine broke: its last word. */
  crash(thrown: unknown): void {
    this.#tell({ crash: deathOf(thrown), id: this.#current }, []);
  }

  async #answer(id: number, ask: Ask): Promise<void> {
    try {
      const answer = await this.#perform(ask, this.#aborts.get(id)?.signal);
      this.#tell({ id, answer }, buffersOf(answer));
    } catch (thrown) {
      const fault = faultOf(thrown);
      if (fault) this.#tell({ id, fault }, []);
      else this.crash(thrown);
    }
  }

  async #perform(ask: Ask, abort: AbortSignal | undefined): Promise<unknown> {
    if (abort?.aborted) throw cancelled();
    if (ask.do === "load") return this.#load(ask.wanted, abort).catch((thrown) => forgotten(thrown, ask.wanted));
    const engine = this.#engine;
    if (!engine || !this.#memory) throw error("internal", "no model is loaded");
    switch (ask.do) {
      case "predict":
        return engine.predict(ask.request, abort);
      case "encode":
        return engine.encode(ask.request, abort);
      case "numbers":
        return engine.numbers(ask.request, abort);
      case "tokenize":
        return engine.tokenize(ask.request);
      case "health":
        return engine.health();
      case "taken":
        return { wasm: this.#memory.buffer.byteLength, gpu: engine.gpuBytes } satisfies Taken;
    }
  }

  async #load(wanted: Wanted, abort: AbortSignal | undefined): Promise<Loaded> {
    const unkept = new Unkept();
    const source = Promise.resolve(
      open(wanted, { report: (progress) => this.#tell({ progress }, []), unkept, signal: abort }),
    ).catch(refused);
    // Told below; until then nobody listens.
    source.catch(() => {});
    const built = engineFor(wanted);
    const module = await compiled(built, wanted);
    const memory = memoryFor(built, wanted.maxMemory);
    const glue = built.glue();
    const { memory: engines } = await glue.default({ module_or_path: module, ...(memory && { memory }) }).catch(unplaced);
    this.#memory = engines;
    const tiles = wanted.processor === "webgpu" ? await tilesHere().catch(() => undefined) : undefined;
    const engine = await glue.Model.load(
      await source, wanted.name, wanted.version, wanted.precision, built.threads,
      wanted.processor && PROCESSORS[wanted.processor], tiles?.known,
    );
    await tiles?.keep();
    this.#engine = engine;
    if (built.threads > 1) {
      this.#tell({ seats: built.threads - 1, shared: { module, memory: engines } }, []);
    }
    return {
      ...engine.info(),
      lane: engine.lane as Lane,
      threads: built.threads,
      processor: (engine.device === "gpu" ? "webgpu" : "wasm") satisfies Processor,
      refused: engine.refused,
      unkept: unkept.reason,
    };
  }
}

/** What is kept of a model that is damaged is not used again: the next load asks its server. */
async function forgotten(thrown: unknown, { place }: Wanted): Promise<never> {
  if (faultOf(thrown)?.code === "invalid_model" && "url" in place) {
    for (const { url } of await under(place.url).catch(() => [])) await forget(url);
  }
  throw thrown;
}

/** The memory of an answer's arrays, each once. */
function buffersOf(answer: unknown): Transferable[] {
  if (typeof answer !== "object" || answer === null) return [];
  const values = Object.values(answer).flatMap((value) => (Array.isArray(value) ? value : [value]));
  const buffers = values.filter(ArrayBuffer.isView).map((view) => view.buffer as ArrayBuffer);
  return [...new Set(buffers)];
}

/** An engine could not be started. */
function unplaced(thrown: unknown): never {
  if (!(thrown instanceof RangeError)) throw thrown;
  throw error("out_of_memory", `there is no memory for the engine here: ${thrown.message}`);
}

/** A bundle's source failed. */
function refused(thrown: unknown): never {
  if (faultOf(thrown)) throw thrown;
  if (thrown instanceof Missing) throw error("model_not_found", "there is no bundle at this place");
  if (thrown instanceof Offline) throw error("offline", `${thrown.message}, and nothing may be fetched`);
  if (thrown instanceof Damaged) throw error("invalid_model", `the bundle is damaged: ${thrown.message}`);
  if (thrown instanceof Refused && (thrown.status === 401 || thrown.status === 403)) {
    throw error("source_refused", `the bundle's server wants another token: ${thrown.message}`);
  }
  throw error("source_unavailable", `could not read the bundle: ${wordsOf(thrown)}`);
}
