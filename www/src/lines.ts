// Bytes as they come over a line.

/** A line that brings nothing for so long is cut, in milliseconds. */
const STALL = 30_000;

/** A body in its pieces; not every browser iterates over streams. */
export async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // Who stops early wants no more of it.
    await reader.cancel().catch(() => {});
  }
}

/** The same, cut off where it brings nothing for long. */
export async function* impatient(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  const next = async () => {
    const waited = new AbortController();
    const late = later(STALL, waited.signal).then(() => {
      throw new Error(`nothing came for ${STALL / 1e3} s`);
    });
    // Called off, it settles nothing.
    const silent = late.catch((thrown) => (waited.signal.aborted ? new Promise<never>(() => {}) : Promise.reject(thrown)));
    try {
      return await Promise.race([reader.read(), silent]);
    } finally {
      waited.abort();
    }
  };
  try {
    for (let came = await next(); !came.done; came = await next()) yield came.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** The same without the first bytes. */
export async function* after(chunks: AsyncIterable<Uint8Array>, skipped: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (skipped < chunk.length) yield chunk.subarray(skipped);
    skipped = Math.max(0, skipped - chunk.length);
  }
}

/** The same; `end` hears when nobody wants more of it. */
export async function* until(chunks: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    end();
  }
}

/** A pause, in milliseconds, that may be called off. */
export function later(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => (clearTimeout(timer), reject(signal?.reason));
    const timer = setTimeout(() => (signal?.removeEventListener("abort", left), resolve()), milliseconds);
    if (signal?.aborted) left();
    else signal?.addEventListener("abort", left, { once: true });
  });
}

/** Cuts what comes into pieces of some length. */
export class Pieces {
  readonly #length: number;
  #parts: Uint8Array[] = [];
  #here = 0;

  constructor(length: number) {
    this.#length = length;
  }

  /** Takes something more; a piece, where one is full. */
  add(chunk: Uint8Array): Uint8Array | undefined {
    this.#parts.push(chunk);
    this.#here += chunk.length;
    return this.#here >= this.#length ? this.rest() : undefined;
  }

  /** All that was not given yet. */
  rest(): Uint8Array {
    const whole = new Uint8Array(this.#here);
    let at = 0;
    for (const part of this.#parts.splice(0)) {
      whole.set(part, at);
      at += part.length;
    }
    this.#here = 0;
    return whole;
  }
}
