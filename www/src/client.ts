// The caller's side of one engine: it is started again whenever it died.

import { cancelled, error, errorOf, wordsOf, type Fault } from "./errors.js";
import { unlessLeft } from "./leaving.js";
import { start, type Started } from "./platform.js";
import type { Ask, FromHelper, FromRoom, Loaded, Placed, Progress, Shared, Taken, ToRoom, Wanted } from "./protocol.js";

/** Why a request that did nothing wrong got no answer: its engine died of another. */
class Orphaned extends Error {}

interface Pending {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Who hears what an engine says of itself. */
interface Hears {
  progress(progress: Progress): void;
  placed(placed: Placed): void;
}

/** An engine with one model, and the workers that help it. */
class Live {
  readonly #helpers: Started[] = [];
  readonly #started: Started;
  readonly #pending = new Map<number, Pending>();
  readonly #hears: Hears;
  readonly #assets: string | undefined;
  #last = 0;
  /** It said something, so its script is here and runs. */
  #heard = false;
  dead = false;

  constructor(assets: string | undefined, hears: Hears) {
    this.#assets = assets;
    this.#hears = hears;
    this.#started = start("worker", assets, {
      message: (data) => this.#hear(data as FromRoom),
      broke: () => this.end(this.#heard ? BROKEN : UNSTARTED, this.#oldest()),
    });
    this.#started.hold(false);
  }

  ask(ask: Ask, signal?: AbortSignal): Promise<unknown> {
    // It died after it was loaded and before this came: nothing would answer.
    if (this.dead) return Promise.reject(new Orphaned());
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      const leave = () => {
        this.#send({ abort: id });
        this.#settle(id)?.reject(cancelled());
      };
      const done = () => signal?.removeEventListener("abort", leave);
      signal?.addEventListener("abort", leave);
      if (this.#pending.size === 0) this.#started.hold(true);
      this.#pending.set(id, {
        resolve: (answer) => (done(), resolve(answer)),
        reject: (error) => (done(), reject(error)),
      });
      try {
        this.#send({ id, ask });
      } catch (thrown) {
        // It holds what can't go to a worker.
        this.#settle(id)?.reject(error("invalid_request", wordsOf(thrown)));
      }
    });
  }

  /** Ends the engine, which frees its memory. `guilty` alone gets the fault, where it is known. */
  end(fault: Fault, guilty?: number): void {
    this.dead = true;
    for (const started of [this.#started, ...this.#helpers]) started.end();
    for (const id of [...this.#pending.keys()]) {
      const innocent = guilty !== undefined && id !== guilty;
      this.#settle(id)?.reject(innocent ? new Orphaned() : errorOf(fault));
    }
  }

  #hear(message: FromRoom): void {
    if (this.dead) return;
    this.#heard = true;
    if ("progress" in message) this.#hears.progress(message.progress);
    else if ("placed" in message) this.#hears.placed(message.placed);
    else if ("seats" in message) this.#help(message.seats, message.shared);
    else if ("crash" in message) this.end(message.crash, message.id);
    else if ("fault" in message) this.#settle(message.id)?.reject(errorOf(message.fault));
    else this.#settle(message.id)?.resolve(message.answer);
  }

  /** Starts helpers. A request that one of them dies of is the one that is being answered. */
  #help(seats: number, shared: Shared): void {
    const died = (fault: Fault) => this.end(fault, this.#oldest());
    for (let seat = 0; seat < seats; seat++) {
      let broken = UNSTARTED;
      const helper = start("helper", this.#assets, {
        message: (data) => {
          const said = data as FromHelper;
          if ("crash" in said) died(said.crash);
          else broken = BROKEN;
        },
        broke: () => died(broken),
      });
      helper.hold(false);
      helper.post(shared);
      this.#helpers.push(helper);
    }
  }

  /** The request that is being answered: the oldest that waits. */
  #oldest(): number | undefined {
    return this.#pending.keys().next().value;
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#started.hold(false);
    return pending;
  }

  #send(message: ToRoom): void {
    this.#started.post(message);
  }
}

/** Who can be asked: one engine, or one on each device. */
export interface Asks {
  /** What computes now, once the model is loaded. */
  readonly placed: Placed;
  /** Loads the model, unless it is there or on its way. */
  load(report?: (progress: Progress) => void, signal?: AbortSignal): Promise<Loaded>;
  ask(ask: Ask, signal?: AbortSignal): Promise<unknown>;
  /** Which device answers what, once that is known. */
  choice(): Promise<Choice>;
  taken(): Promise<Taken>;
  dispose(): void;
}

/** Which device answers what, and why. */
export interface Choice {
  /** Requests of so many tokens or more go to the GPU; `Infinity` where none does. */
  gpuFrom: number;
  why: string;
}

/** A model that is there whenever it is asked: what died of one request is loaded for the next. */
export class Client implements Asks {
  readonly #wanted: Wanted;
  #live: Live | undefined;
  #loading: Promise<Loaded> | undefined;
  #placed: Placed = { processor: "wasm", refused: undefined };
  #disposed = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  get placed(): Placed {
    return this.#placed;
  }

  async load(report: (progress: Progress) => void = () => {}, signal?: AbortSignal): Promise<Loaded> {
    if (this.#disposed) throw errorOf(DISPOSED);
    if (signal?.aborted) throw cancelled();
    if (!this.#loading || this.#live?.dead) {
      const placed = (placed: Placed) => (this.#placed = placed);
      const live = new Live(this.#wanted.assets, { progress: report, placed });
      this.#live = live;
      const loading = live.ask({ do: "load", wanted: this.#wanted }, signal) as Promise<Loaded>;
      // A failure is this load's alone: the next request tries again.
      this.#loading = loading.catch((error) => {
        if (!live.dead) live.end(DISPOSED);
        throw error;
      });
    }
    return this.#loading;
  }

  async ask(ask: Ask, signal?: AbortSignal): Promise<unknown> {
    for (;;) {
      // Others may wait for the same load: it goes on without this caller.
      await unlessLeft(this.load(), signal);
      if (signal?.aborted) throw cancelled();
      const live = this.#live;
      if (!live) throw errorOf(DISPOSED);
      try {
        return await live.ask(ask, signal);
      } catch (error) {
        if (!(error instanceof Orphaned)) throw error;
      }
    }
  }

  async choice(): Promise<Choice> {
    await this.load();
    const { processor, refused } = this.#placed;
    const onGpu = processor === "webgpu";
    const why = refused ?? (onGpu ? "the GPU was asked for" : "no GPU was asked for");
    return { gpuFrom: onGpu ? 0 : Number.POSITIVE_INFINITY, why };
  }

  taken(): Promise<Taken> {
    return this.ask({ do: "taken" }) as Promise<Taken>;
  }

  dispose(): void {
    this.#disposed = true;
    this.#live?.end(DISPOSED);
    this.#live = undefined;
  }
}

const BROKEN: Fault = { code: "internal", message: "a worker's script broke" };

const UNSTARTED: Fault = {
  code: "source_unavailable",
  message: "a worker's script could not be loaded, or broke before it could say so",
};

const DISPOSED: Fault = { code: "shutting_down", message: "the model was disposed" };
