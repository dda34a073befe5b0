// Lists of any length, as requests that an engine takes: a few texts at a time, so that answers come
// early, memory stays small, and an abort is seen soon.

import { cancelled, error, TriremeError } from "./errors.js";
import { unlessLeft } from "./leaving.js";
import { Resting, RESTS, type Texts } from "./resting.js";

/** Texts of one request; an engine takes no more than 256. */
const MOST_TEXTS = 128;

/** Letters of one request, of some four to a token: what fills a GPU, and half a second of one core. */
const MOST_LETTERS = 32_768;

/** The longest text that an engine takes, in bytes; of letters it has as many at least. */
const LONGEST = 128 * 1024;

/** Requests that are with the engine at once: while one is answered the next is on its way. */
const AHEAD = 2;

/** A text as an engine takes it; what it would refuse is refused before it is copied there. */
export function checked(text: unknown, of = "the text"): string {
  if (typeof text !== "string") throw error("invalid_request", `${of} is ${kind(text)}, and not a string`);
  if (text.length > LONGEST) {
    throw error("text_too_long", `${of} has more than ${LONGEST} bytes; shorten it`);
  }
  // Half a character is none in UTF-8. It becomes what every encoder makes of it.
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function kind(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : `of type ${typeof value}`;
}

/** One text or several, as a list. */
export function listed(texts: string | string[]): string[] {
  return Array.isArray(texts) ? texts : [checked(texts)];
}

/** The letters of a text, with what goes with it by its place. */
type Weigh = (text: string, place: number) => number;

/** Cuts texts into requests. Where the source rests, what it has brought is a piece. */
async function* pieces(
  source: AsyncIterable<unknown>,
  signal?: AbortSignal,
  weigh: Weigh = (text) => text.length,
): AsyncGenerator<string[]> {
  let [piece, letters, place]: [string[], number, number] = [[], 0, 0];
  for await (const next of source) {
    if (signal?.aborted) throw cancelled();
    const text = next === RESTS ? undefined : checked(next, `text ${place}`);
    const weight = text === undefined ? MOST_LETTERS : weigh(text, place);
    if (piece.length > 0 && (piece.length >= MOST_TEXTS || letters + weight > MOST_LETTERS)) {
      yield piece;
      [piece, letters] = [[], 0];
    }
    if (text === undefined) continue;
    piece.push(text);
    letters += weight;
    place++;
  }
  if (piece.length > 0) yield piece;
}

/** Answers to pieces, in order; some are asked for before those ahead of them are taken. */
export async function* answered<T>(
  texts: Texts,
  ask: (piece: string[], from: number) => Promise<T>,
  signal?: AbortSignal,
  weigh?: Weigh,
): AsyncGenerator<T> {
  const source = new Resting(texts);
  const cut = pieces(source, signal, weigh);
  const waiting: Promise<T>[] = [];
  const come = () => {
    const next = cut.next();
    // What it fails with is told when its turn comes.
    next.catch(() => {});
    return next;
  };
  let [next, from]: [Promise<IteratorResult<string[]>> | undefined, number] = [come(), 0];
  try {
    while (next || waiting.length > 0) {
      // The next piece or the oldest answer, whichever comes sooner. A source may bring neither.
      const oldest = waiting.slice(0, 1).map((answer) => answer.then(() => false, () => false));
      const sooner = next && waiting.length < AHEAD && Promise.race([next.then(() => true), ...oldest]);
      const goesOn = sooner && (await unlessLeft(sooner, signal));
      if (!goesOn || !next) {
        yield await (waiting.shift() as Promise<T>);
        continue;
      }
      const came: IteratorResult<string[]> = await next;
      next = came.done ? undefined : come();
      if (!came.done) {
        waiting.push(placed(ask(came.value, from), from));
        from += came.value.length;
      }
    }
  } finally {
    await source.end();
  }
}

/** A fault names its text by the place in its request; here, by that in the whole list. */
function placed<T>(answer: Promise<T>, first: number): Promise<T> {
  const told = answer.catch((thrown) => {
    if (!(thrown instanceof TriremeError) || first === 0) throw thrown;
    const message = thrown.message.replace(/^text (\d+)/, (_, place) => `text ${first + Number(place)}`);
    throw error(thrown.code, message);
  });
  // It is told when its turn comes.
  told.catch(() => {});
  return told;
}
