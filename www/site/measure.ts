// Tokens a second, with each way of computing that a browser may have.

import type { LoadOptions, Model } from "trireme";

/** One way of computing. */
export interface Way {
  name: string;
  options: LoadOptions;
  /** Whether a model that was loaded so computes so; else it says why not. */
  refusal?: (model: Model) => string | undefined;
}

/** Engines have work for no more threads than this; and one thread is what the others measure. */
const THREADS = Math.min(Math.max(navigator.hardwareConcurrency, 2), 8);

export const WAYS: readonly Way[] = [
  { name: "wasm, simd128", options: { lane: "simd128" } },
  { name: "wasm, relaxed-simd", options: { lane: "relaxed-simd" } },
  { name: `wasm, ${THREADS} threads`, options: { threads: THREADS } },
  {
    name: "WebGPU",
    options: { device: "webgpu" },
    refusal: ({ device, refused }) => (device === "webgpu" ? undefined : (refused ?? "the GPU is not used")),
  },
];

/** What is read at once: some texts, each of so many tokens. */
export interface Size {
  texts: number;
  tokens: number;
}

/** The longest text is as long as the default model reads. */
export const SIZES: readonly Size[] = [
  { texts: 1, tokens: 16 },
  { texts: 1, tokens: 128 },
  { texts: 8, tokens: 128 },
];

/** The fewest runs that count, and how long they last at least in milliseconds: short ones are many. */
const RUNS = 3;
const LONG = 400;

/** Tokens a second: the median of some runs, after one that makes everything ready. */
export async function measure(model: Model, { texts, tokens }: Size, signal: AbortSignal): Promise<number> {
  // A word of one token; two more stand around a text.
  const request = { texts: Array<string>(texts).fill("sea ".repeat(tokens - 2)) };
  await model.encode(request, { signal });
  const speeds: number[] = [];
  const begin = performance.now();
  while (speeds.length < RUNS || performance.now() - begin < LONG) {
    const start = performance.now();
    const { tokens } = await model.encode(request, { signal });
    speeds.push((tokens * 1000) / (performance.now() - start));
  }
  return median(speeds);
}

function median(numbers: number[]): number {
  const ordered = numbers.sort((a, b) => a - b);
  const middle = ordered.length / 2;
  return ((ordered[Math.ceil(middle) - 1] ?? 0) + (ordered[Math.floor(middle)] ?? 0)) / 2;
}
