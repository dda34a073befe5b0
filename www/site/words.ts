// Numbers and failures, as people read them.

import { TriremeError } from "trireme";

export function count(number: number, one: string, many = `${one}s`): string {
  return `${whole(number)} ${number === 1 ? one : many}`;
}

export function whole(number: number): string {
  return Math.round(number).toLocaleString("en");
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${whole(value)} ms`;
}

export function bytes(number: number): string {
  return number < 1e6 ? `${Math.ceil(number / 1e3)} kB` : `${(number / 1e6).toFixed(1)} MB`;
}

/** What went wrong. It begins like a sentence, unless it begins with an address. */
export function failure(error: unknown): string {
  const words = error instanceof TriremeError ? `${error.message} (${error.code})` : String(error);
  return words.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
}
