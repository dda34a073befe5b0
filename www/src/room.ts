// The engine's side: one model. It answers one request after another, and dies of the first that
// breaks it; the caller's side opens the next room.

import type { Model } from "./engine/trireme.js";
import { cancelled, deathOf, error, faultOf } from "./errors.js";
import { load, placeOf } from "./loading.js";
import type { Ask, FromRoom, Loaded, Taken, ToRoom, Wanted } from "./protocol.js";

/** Tells the caller's side something; what is in `moved` goes over, and is not copied. */
export type Tell = (message: FromRoom, moved: Transferable[]) => void;

export class Room {
  readonly #tell: Tell;
  readonly #aborts = new Map<number, AbortController>();
  #memory: WebAssembly.Memory | undefined;
  #engine: Model | undefined;
  /** What computes, as it was said last. */
  #device: string | undefined;
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

  /** Nobody listens any more: what is under way stops at its next step, and then the engine is let go
   *  of. Where there is no worker nothing else frees its memory. */
  end(): void {
    for (const abort of this.#aborts.values()) abort.abort();
    void this.#queue.then(() => this.#release()?.free());
  }

  /** The engine broke: its last word. */
  crash(thrown: unknown): void {
    forsake(this.#release());
    this.#tell({ crash: deathOf(thrown), id: this.#current }, []);
  }

  #release(): Model | undefined {
    const engine = this.#engine;
    this.#engine = this.#memory = undefined;
    return engine;
  }

  async #answer(id: number, ask: Ask): Promise<void> {
    try {
      const answer = await this.#perform(ask, this.#aborts.get(id)?.signal);
      this.#tellPlace();
      this.#tell({ id, answer }, buffersOf(answer));
    } catch (thrown) {
      const fault = faultOf(thrown);
      if (!fault) return this.crash(thrown);
      this.#tellPlace();
      this.#tell({ id, fault }, []);
    }
  }

  /** Says what computes, where that is new. */
  #tellPlace(): void {
    const engine = this.#engine;
    if (!engine || engine.device === this.#device) return;
    this.#device = engine.device;
    this.#tell({ placed: placeOf(engine) }, []);
  }

  async #perform(ask: Ask, abort: AbortSignal | undefined): Promise<unknown> {
    if (abort?.aborted) throw cancelled();
    if (ask.do === "load") return this.#load(ask.wanted, abort);
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

  async #load(wanted: Wanted, signal: AbortSignal | undefined): Promise<Loaded> {
    const { engine, shared, loaded } = await load(wanted, (progress) => this.#tell({ progress }, []), signal);
    [this.#engine, this.#memory] = [engine, shared.memory];
    if (loaded.threads > 1) this.#tell({ seats: loaded.threads - 1, shared }, []);
    return loaded;
  }
}

/** What is broken is not asked to clean up, now or as garbage: that would be one more accident, and
 *  taken for one of whoever is busy then. */
function forsake(engine: Model | undefined): void {
  (engine as { __destroy_into_raw?(): number } | undefined)?.__destroy_into_raw?.();
}

/** The memory of an answer's arrays, each once. */
function buffersOf(answer: unknown): Transferable[] {
  if (typeof answer !== "object" || answer === null) return [];
  const values = Object.values(answer).flatMap((value) => (Array.isArray(value) ? value : [value]));
  const buffers = values.filter(ArrayBuffer.isView).map((view) => view.buffer as ArrayBuffer);
  return [...new Set(buffers)];
}
