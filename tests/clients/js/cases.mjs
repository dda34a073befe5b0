// What a library's file is made of: a name for each case, and a function that throws where it fails.

import { isDeepStrictEqual } from "node:util";

/** An answer that is not the expected one. */
export class Wrong extends Error {}

export function expect(what, got, expected) {
  if (!isDeepStrictEqual(got, expected)) {
    throw new Wrong(`${what}: expected ${short(expected)}, got ${short(got)}`);
  }
}

/** For numbers that JavaScript and the server compute each their own way. */
export function near(what, got, expected, tolerance = 1e-6) {
  const close = (number, at) => Math.abs(number - expected[at]) <= tolerance;
  if (got.length !== expected.length || !got.every(close)) {
    throw new Wrong(`${what}: expected ${short(expected)} within ${tolerance}, got ${short(got)}`);
  }
}

export function says(what, got, ...words) {
  const missing = words.filter((word) => !String(got).includes(word));
  if (missing.length) {
    throw new Wrong(`${what}: expected ${short(missing)} in it, got ${short(String(got))}`);
  }
}

/** The error, which must be of this very class, with which a library reports a refusal. */
export async function refused(kind, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    if (error.constructor === kind) return error;
    throw new Wrong(`expected a ${kind.name}, got ${error.constructor.name}: ${error.message}`);
  }
  throw new Wrong(`expected a ${kind.name}, got the answer ${short(answer)}`);
}

function short(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 400 ? text : `${text.slice(0, 400)}…`;
}
