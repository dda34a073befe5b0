// The page's side: a worker that is started again whenever it died.

import { errorOf, type Fault } from "./errors.js";
import type { Ask, FromHelper, FromWorker, Loaded, Progress, Shared, ToWorker, Wanted } from "./protocol.js";

/** Why a request that did nothing wrong got no answer: its worker died of another. */
class Orphaned extends Error {}

interface Pending {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A worker with one model, and those that help it. */
class Live {
  readonly #helpers: Worker[] = [];
  readonly #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  readonly #pending = new Map<number, Pending>();
  readonly #report: (progress: Progress) => void;
  #last = 0;
  dead = false;

  constructor(report: (progress: Progress) => void) {
    this.#report = report;
    this.#worker.addEventListener("message", ({ data }) => this.#hear(data));
    this.#worker.addEventListener("error", () => {
      this.end({ code: "internal", message: BROKEN });
    });
  }

  ask(ask: Ask, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      const leave = () => {
        this.#send({ abort: id });
        this.#settle(id)?.reject(cancelled());
      };
      const done = () => signal?.removeEventListener("abort", leave);
      signal?.addEventListener("abort", leave);
      this.#pending.set(id, {
        resolve: (answer) => (done(), resolve(answer)),
        reject: (error) => (done(), reject(error)),
      });
      this.#send({ id, ask });
    });
  }

  /** Ends the worker, which frees its memory. `guilty` alone gets the fault, where it is known. */
  end(fault: Fault, guilty?: number): void {
    this.dead = true;
    for (const worker of [this.#worker, ...this.#helpers]) worker.terminate();
    for (const id of [...this.#pending.keys()]) {
      const innocent = guilty !== undefined && id !== guilty;
      this.#settle(id)?.reject(innocent ? new Orphaned() : errorOf(fault));
    }
  }

  #hear(message: FromWorker): void {
    if ("progress" in message) this.#report(message.progress);
    else if ("seats" in message) this.#help(message.seats, message.shared);
    else if ("crash" in message) this.end(message.crash, message.id);
    else if ("fault" in message) this.#settle(message.id)?.reject(errorOf(message.fault));
    else this.#settle(message.id)?.resolve(message.answer);
  }

  /** Starts helpers. A request that one of them dies of is the one that is being answered: the
   *  oldest that waits. */
  #help(seats: number, shared: Shared): void {
    const died = (fault: Fault) => this.end(fault, this.#pending.keys().next().value);
    for (let seat = 0; seat < seats; seat++) {
      const helper = new Worker(new URL("./helper.js", import.meta.url), { type: "module" });
      helper.addEventListener("message", ({ data }: MessageEvent<FromHelper>) => died(data.crash));
      helper.addEventListener("error", () => died({ code: "internal", message: BROKEN }));
      helper.postMessage(shared);
      this.#helpers.push(helper);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

/** A model that is there whenever it is asked: what died of one request is loaded for the next. */
export class Client {
  readonly #wanted: Wanted;
  #live: Live | undefined;
  #loading: Promise<Loaded> | undefined;
  #disposed = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** Loads the model, unless it is there or on its way. */
  load(report: (progress: Progress) => void = () => {}, signal?: AbortSignal): Promise<Loaded> {
    if (this.#disposed) return Promise.reject(errorOf(DISPOSED));
    if (signal?.aborted) return Promise.reject(cancelled());
    if (!this.#loading || this.#live?.dead) {
      const live = new Live(report);
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
      await this.load();
      if (signal?.aborted) throw cancelled();
      try {
        return await this.#live?.ask(ask, signal);
      } catch (error) {
        if (!(error instanceof Orphaned)) throw error;
      }
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#live?.end(DISPOSED);
    this.#live = undefined;
  }
}

const BROKEN = "a worker's script could not be loaded or broke";

const DISPOSED: Fault = { code: "shutting_down", message: "the model was disposed" };

function cancelled(): Error {
  return errorOf({ code: "cancelled", message: "the caller left" });
}
