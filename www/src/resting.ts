// Where a caller's texts come from: it may be slow, and may go quiet for good.

import { later } from "./lines.js";

/** Texts of any number: all here, or still to come. */
export type Texts = Iterable<string> | AsyncIterable<string>;

/** A source that brings nothing for so long, in milliseconds, rests. */
const REST = 20;

/** A source that rests, in place of a text. */
export const RESTS = Symbol("rests");

/** A caller's source. Who reads it need not end it: it is ended by itself, also while it is asked. */
export class Resting implements AsyncIterable<unknown> {
  readonly #source: Iterator<unknown> | AsyncIterator<unknown>;
  readonly #comes: boolean;
  /** It was asked for a text, and has not brought it yet. */
  #asked = false;
  #over = false;

  constructor(texts: Texts) {
    // A text is a list of letters, and never meant as one.
    const list = typeof texts === "string" ? [texts] : texts;
    this.#comes = Symbol.asyncIterator in list;
    this.#source = Symbol.asyncIterator in list ? list[Symbol.asyncIterator]() : list[Symbol.iterator]();
  }

  /** The texts, and a sign where the source rests. */
  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    while (!this.#over) {
      const next = this.#next();
      if (this.#comes && (await rests(next))) yield RESTS;
      const { done, value } = await next;
      if (done) return;
      yield value;
    }
  }

  /** Ends the source. One that is quiet is told so and not waited for: it may never hear. */
  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const ended = Promise.resolve(this.#source.return?.());
    if (this.#asked) ended.catch(() => {});
    else await ended;
  }

  async #next(): Promise<IteratorResult<unknown>> {
    this.#asked = true;
    try {
      const next = await this.#source.next();
      this.#over ||= next.done === true;
      return next;
    } catch (thrown) {
      this.#over = true;
      throw thrown;
    } finally {
      this.#asked = false;
    }
  }
}

/** Whether a text takes long to come. */
async function rests(next: Promise<unknown>): Promise<boolean> {
  const called = new AbortController();
  const rest = later(REST, called.signal).then(() => true, () => true);
  try {
    return await Promise.race([next.then(() => false), rest]);
  } finally {
    called.abort();
  }
}
