// Lists of any length, as requests that an engine takes: a few texts at a time, so that answers come
// early, memory stays small, and an abort is seen soon.

import { cancelled, error, TriremeError } from "./errors.js";

/** Texts of any number: all here, or still to come. */
export type Texts = Iterable<string> | AsyncIterable<string>;

/** Texts of one request; an engine takes no more than 256. */
const MOST_TEXTS = 128;

/** Letters of one request, of some four to a token: what fills a GPU, and half a second of one core. */
const MOST_LETTERS = 32_768;

/** The longest text that an engine takes, in bytes; of letters it has as many at least. */
const LONGEST = 128 * 1024;

/** Requests that are with the engine at once: while one is answered the next is on its way. */
const AHEAD = 2;

/** Refuses what an engine would refuse, before it is copied there. */
export function checked(text: unknown, place?: number): string {
  const of = place === undefined ? "the text" : `text ${place}`;
  if (typeof text !== "string") throw error("invalid_request", `${of} is ${kind(text)}, and not a string`);
  if (text.length > LONGEST) {
    throw error("text_too_long", `${of} has more than ${LONGEST} bytes; shorten it`);
  }
  return text;
}

function kind(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : `of type ${typeof value}`;
}

/** One text or several, as a list. */
export function listed(texts: string | string[]): string[] {
  return Array.isArray(texts) ? texts : [checked(texts)];
}

/** Cuts texts into requests. */
export async function* pieces(texts: Texts, signal?: AbortSignal): AsyncGenerator<string[]> {
  let [piece, letters, place]: [string[], number, number] = [[], 0, 0];
  // A text is a list of letters, and never meant as one.
  for await (const text of typeof texts === "string" ? [texts] : texts) {
    if (signal?.aborted) throw cancelled();
    const length = checked(text, place++).length;
    if (piece.length > 0 && (piece.length >= MOST_TEXTS || letters + length > MOST_LETTERS)) {
      yield piece;
      [piece, letters] = [[], 0];
    }
    piece.push(text);
    letters += length;
  }
  if (piece.length > 0) yield piece;
}

/** Answers to pieces, in order; some are asked for before those ahead of them are taken. */
export async function* answered<T>(
  texts: Texts,
  ask: (piece: string[], from: number) => Promise<T>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const waiting: Promise<T>[] = [];
  let from = 0;
  for await (const piece of pieces(texts, signal)) {
    const first = from;
    const answer = ask(piece, first).catch((thrown) => Promise.reject(placed(thrown, first)));
    // It is told when its turn comes.
    answer.catch(() => {});
    waiting.push(answer);
    from += piece.length;
    if (waiting.length >= AHEAD) yield await (waiting.shift() as Promise<T>);
  }
  for (const answer of waiting) yield await answer;
}

/** A fault names its text by the place in its request; here, by that in the whole list. */
function placed(thrown: unknown, first: number): unknown {
  if (!(thrown instanceof TriremeError) || first === 0) return thrown;
  const message = thrown.message.replace(/^text (\d+)/, (_, place) => `text ${first + Number(place)}`);
  return error(thrown.code, message);
}
