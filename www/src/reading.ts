// How one attempt at a model reads its files, and what became of them.

import { Damaged } from "./sources.js";

export class Reading {
  readonly #left = new AbortController();
  readonly #reads = new Set<Promise<unknown>>();
  /** Why a file that was fetched is not kept, for the last of them that was not. */
  unkept: string | undefined;
  /** Whether a file whose hash is not known was kept before, and may be what is damaged. */
  kept = false;
  /** Whether a file did not come to its hash, which explains a model that is damaged. */
  damaged = false;
  /** Files that came now and are kept as they came; one that came to its hash is none of them. */
  readonly came = new Set<string>();
  /** What is to be done with what is kept once the model works. */
  readonly instead: (() => Promise<void>)[] = [];

  /** `past` asks the servers for every file whose hash is not known, and leaves what is kept as it is. */
  constructor(
    signal: AbortSignal | undefined,
    readonly past = false,
  ) {
    if (signal?.aborted) this.#left.abort(signal.reason);
    else signal?.addEventListener("abort", () => this.#left.abort(signal.reason), { once: true });
  }

  /** Stops its reads: the caller's abort, or its own end. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  /** Knows of a read as long as it lasts. */
  watch<T>(read: Promise<T>): Promise<T> {
    const watched = read.catch((thrown) => {
      this.damaged ||= thrown instanceof Damaged;
      throw thrown;
    });
    const over = () => this.#reads.delete(watched);
    this.#reads.add(watched);
    watched.then(over, over);
    return watched;
  }

  /** Stops what is still read, and waits until it has stopped. */
  async end(): Promise<void> {
    this.#left.abort();
    await Promise.allSettled(this.#reads);
  }
}
