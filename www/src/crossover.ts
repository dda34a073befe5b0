// From how many tokens on a GPU pays: a rule over what was measured.

/** What one request of so many tokens took on each, in milliseconds. */
export interface Measured {
  tokens: number;
  wasm: number;
  webgpu: number;
}

/** A GPU must be faster by this much: what is as fast is not worth a change of the numbers' last
 *  digits. */
const MARGIN = 0.9;

/** The fewest tokens from which on the GPU was always faster; `Infinity` where it was not at the
 *  most that was measured. */
export function crossover(measured: readonly Measured[]): number {
  const ordered = [...measured].sort((a, b) => b.tokens - a.tokens);
  let from = Number.POSITIVE_INFINITY;
  for (const { tokens, wasm, webgpu } of ordered) {
    if (!(webgpu < MARGIN * wasm)) break;
    from = tokens;
  }
  return from;
}

/** What was measured, in words. */
export function said(measured: readonly Measured[]): string {
  const time = (ms: number) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const one = ({ tokens, wasm, webgpu }: Measured) =>
    `${tokens} tokens: ${time(wasm)} on wasm, ${time(webgpu)} on the GPU`;
  return measured.map(one).join("; ");
}
