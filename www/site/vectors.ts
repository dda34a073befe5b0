// Vectors of lines of text, each computed once: a line that changes is a new one.

import type { Embedder } from "trireme";

/** The lines that say something, each once. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}

export class Vectors {
  readonly #embed: Embedder;
  readonly #known = new Map<string, Float32Array>();

  constructor(embed: Embedder) {
    this.#embed = embed;
  }

  /** Forgets every line but these, and embeds those that are new, one after another; how many. */
  async take(
    lines: readonly string[],
    signal: AbortSignal,
    report: (done: number, all: number) => void,
  ): Promise<number> {
    const wanted = new Set(lines);
    for (const line of this.#known.keys()) if (!wanted.has(line)) this.#known.delete(line);
    const fresh = lines.filter((line) => !this.#known.has(line));
    if (fresh.length > 0) report(0, fresh.length);
    let done = 0;
    for await (const vector of this.#embed.stream(fresh, { signal })) {
      // An abort after the last answer comes too late for the engine.
      signal.throwIfAborted();
      this.#known.set(fresh[done] ?? "", Float32Array.from(vector));
      report(++done, fresh.length);
    }
    return fresh.length;
  }

  get lines(): string[] {
    return [...this.#known.keys()];
  }

  of(line: string): Float32Array | undefined {
    return this.#known.get(line);
  }

  /** The lines nearest to a vector of length one, with their cosines, the nearest first. */
  nearest(query: Float32Array, most: number): { line: string; score: number }[] {
    const scored = Array.from(this.#known, ([line, vector]) => ({ line, score: dot(query, vector) }));
    return scored.sort((a, b) => b.score - a.score).slice(0, most);
  }
}

/** The product of two vectors: the cosine, where both have length one. */
export function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += (one[i] ?? 0) * (other[i] ?? 0);
  return sum;
}
