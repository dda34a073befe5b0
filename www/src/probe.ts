// Which of the engine's two modules this browser should run.

/** `(weight, input, sum) => sum + 4 · weight · input`, by the one instruction that the faster module
 *  is for: the dot product of signed bytes and bytes of seven bits. */
export const DOT = new Uint8Array([
  // Magic and version; one function of three integers, exported as "f".
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 127, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0,
  0, 10, 22, 1, 20, 0,
  // Sixteen weights, sixteen inputs, four sums; the product; its first sum.
  32, 0, 253, 15, 32, 1, 253, 15, 32, 2, 253, 17, 253, 147, 2, 253, 27, 0, 11,
]);

/** Whether the instruction is there and right. Node 20 has it behind a flag, and wrong until the
 *  function is hot; so it is asked while it is cold and when it no longer is. */
export function relaxedDotsWork(): boolean {
  try {
    if (!WebAssembly.validate(DOT)) return false;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(DOT));
    const dot = exports.f as (weight: number, input: number, sum: number) => number;
    for (let call = 0; call < 20_000; call++) {
      const [weight, input, sum] = [(call % 255) - 127, 1 + (call % 127), call * 7];
      if (dot(weight, input, sum) !== sum + 4 * weight * input) return false;
    }
    return true;
  } catch {
    return false;
  }
}
