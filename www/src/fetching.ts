// One file from a server: kept as it comes, gone on with where it was cut off, asked about before it
// is used again.

import { Gone, PIECE, forget, held, keep, keeping, metaOf, note, pieces, replace, type Meta } from "./kept.js";
import { after, impatient, later, Pieces, until } from "./lines.js";
import { get } from "./platform.js";
import type { Caching } from "./protocol.js";
import type { Reading } from "./reading.js";
import { Offline, Refused, type Opened } from "./sources.js";
import { agree, continues, isAbsent, isKnown, lengthOf, validators } from "./validators.js";

/** How a file is fetched. */
export interface Terms {
  cache: Caching | undefined;
  token?: string | undefined;
  /** Its hash is known, and looked at by who reads it. */
  pinned?: boolean;
  /** It is asked for past what is kept of it, which stays. */
  past?: boolean;
  reading: Reading;
}

/** How often a line may break without a byte between. */
const TRIES = 5;

/** The first pause after a break, in milliseconds; each is twice the one before. */
const PAUSE = 250;

/** The longest pause that a server may ask for, in milliseconds. */
const LONGEST_PAUSE = 60_000;

/** How long a server may take to say whether a file changed, in milliseconds. */
const PATIENCE = 10_000;

/** Statuses that pass. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Opens a file; `undefined` where there is none. */
export async function fetched(url: URL, terms: Terms): Promise<Opened | undefined> {
  const here = url.protocol === "file:";
  const cache = terms.cache === "off" || here ? undefined : await keeping();
  if (!cache) {
    if (terms.cache === "only" && !here) throw new Offline("there is no cache here");
    if (terms.cache !== "off" && !here) terms.reading.unkept ??= "there is no cache here";
    return new Fetch(url, terms, undefined).open(undefined);
  }
  if (terms.past) return aside(url, terms, cache);
  let older = false;
  const opened = await alone(url.href, terms.reading.signal, async () => {
    const meta = await metaOf(cache, url.href).catch(() => undefined);
    if (meta && (await stillTrue(url, meta, terms))) return fromKept(cache, meta, url, terms);
    if (terms.cache === "only") throw new Offline(`${url.href} is not kept here`);
    older = meta?.complete === true && !meta.absent;
    return older ? undefined : new Fetch(url, terms, cache).open(meta?.complete ? undefined : meta);
  });
  // What is newer may be damaged. It comes without the lock: it would hold up who puts another in place.
  return older ? aside(url, { ...terms, past: true }, cache) : opened;
}

/** Does something while no other tab does it with the same file, so that one fetches and the others
 *  find what it kept. The lock is held until the file is read. */
async function alone(
  name: string,
  signal: AbortSignal,
  work: () => Promise<Opened | undefined>,
): Promise<Opened | undefined> {
  if (!globalThis.navigator?.locks) return work();
  return new Promise((resolve, reject) => {
    const read = async () => {
      const opened = await work();
      if (!opened) return resolve(undefined);
      await new Promise<void>((end) => resolve({ ...opened, chunks: until(opened.chunks, end) }));
    };
    locked(name, signal, read).catch(reject);
  });
}

/** Does something while no other tab does anything with the same file. */
async function locked(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const locks = globalThis.navigator?.locks;
  await (locks ? locks.request(`trireme ${name}`, { signal }, work) : work());
}

/** Opens a file past what is kept of it, which stays: the new one is put in its place once it is known
 *  to be better. */
async function aside(url: URL, terms: Terms, cache: Cache): Promise<Opened | undefined> {
  const file = new Fetch(url, terms, undefined);
  const opened = await file.open(undefined);
  const put = (work: () => Promise<void>) => locked(url.href, terms.reading.signal, work);
  if (opened) return { ...opened, replace: (bytes) => put(() => file.replace(cache, bytes)) };
  terms.reading.instead.push(() => put(() => file.gone(cache)));
  return undefined;
}

/** Whether what is kept is still what the server has; without a server it is. Where its hash is known,
 *  that tells. */
async function stillTrue(url: URL, meta: Meta, terms: Terms): Promise<boolean> {
  if (!meta.complete) return false;
  if (terms.cache === "only" || standsForItself(url) || (terms.pinned && !meta.absent)) return true;
  try {
    const said = await looked(url, asking(terms, soon(terms.reading.signal)));
    // A server in trouble says nothing of the file.
    if (PASSING.has(said.status)) return true;
    if (meta.absent) return isAbsent(said);
    return said.ok && !isAbsent(said) && isKnown(meta, validators(said));
  } catch {
    terms.reading.signal.throwIfAborted();
    return true;
  }
}

/** What a server says of a file; of one that takes no such question, by the file's beginning. */
async function looked(url: URL, init: RequestInit): Promise<Response> {
  const said = await get(url, { method: "HEAD", cache: "no-cache", ...init });
  if (said.status !== 405 && said.status !== 501) return said;
  const whole = await get(url, { cache: "no-cache", ...init });
  await whole.body?.cancel();
  return whole;
}

/** The same abort, or one that comes by itself: a network that says nothing is as good as none. */
function soon(signal: AbortSignal): AbortSignal {
  const late = AbortSignal.timeout(PATIENCE);
  return AbortSignal.any ? AbortSignal.any([signal, late]) : late;
}

/** Whether an address stands for its content: a hub's with a commit in it. */
function standsForItself(url: URL): boolean {
  return /\/resolve\/[0-9a-f]{40}\//.test(url.pathname);
}

function asking({ token, reading }: Terms, signal = reading.signal): RequestInit {
  return {
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
    signal,
  };
}

function fromKept(cache: Cache, meta: Meta, url: URL, terms: Terms): Opened | undefined {
  if (meta.absent) return undefined;
  return { size: held(meta), chunks: keptOrAnew(cache, meta, url, terms), kept: terms.cache !== "only" };
}

/** What is kept; the rest anew, where the browser took a piece away. */
async function* keptOrAnew(cache: Cache, meta: Meta, url: URL, terms: Terms): AsyncGenerator<Uint8Array> {
  let given = 0;
  try {
    for await (const piece of pieces(cache, meta)) {
      yield piece;
      given += piece.length;
    }
  } catch (thrown) {
    if (!(thrown instanceof Gone)) throw thrown;
    if (terms.cache === "only") throw new Offline(thrown.message);
    yield* anew(thrown, cache, url, terms, given);
  }
}

/** A piece is gone: the file is forgotten and fetched, and what was given of it is left out. */
async function* anew(gone: Gone, cache: Cache, url: URL, terms: Terms, given: number): AsyncGenerator<Uint8Array> {
  await forget(url.href);
  const opened = await new Fetch(url, terms, cache).open(undefined);
  if (!opened) throw gone;
  yield* after(opened.chunks, given);
}

/** One file on its way. */
class Fetch {
  readonly #url: URL;
  readonly #terms: Terms;
  #cache: Cache | undefined;
  #meta: Meta;
  /** Bytes that were passed on. */
  #given = 0;

  constructor(url: URL, terms: Terms, cache: Cache | undefined) {
    this.#url = url;
    this.#terms = terms;
    this.#cache = cache;
    this.#meta = { url: url.href, size: undefined, etag: null, modified: null, pieces: [], complete: false, saved: Date.now() };
  }

  /** Opens it, behind what an earlier attempt left. */
  async open(left: Meta | undefined): Promise<Opened | undefined> {
    const { reading } = this.#terms;
    const rest = left && held(left) > 0 ? await this.#rest(left) : undefined;
    const response = rest ?? (await this.#patiently(() => this.#ask(0)));
    // What was kept of another file is not mixed with this one.
    if (!rest && (response.ok || isAbsent(response))) await this.#trying(() => forget(this.#url.href));
    if (isAbsent(response)) {
      await response.body?.cancel();
      await this.#trying((cache) => note(cache, { ...this.#meta, absent: true, complete: true }));
      return undefined;
    }
    if (!response.ok) throw new Refused(response.status);
    if (this.#cache) reading.came.add(this.#url.href);
    this.#meta = rest && left ? left : { ...this.#meta, ...validators(response) };
    const size = this.#meta.size ?? (rest ? undefined : lengthOf(response));
    return { size, chunks: this.#chunks(response), kept: rest !== undefined };
  }

  /** Keeps all that came, in place of what was kept; where that fails, that stays. */
  async replace(cache: Cache, bytes: Uint8Array): Promise<void> {
    try {
      await replace(cache, this.#meta, bytes);
    } catch (thrown) {
      this.#terms.reading.unkept = reasonOf(thrown);
    }
  }

  /** Keeps that there is no such file any more. */
  async gone(cache: Cache): Promise<void> {
    await forget(this.#url.href);
    await note(cache, { ...this.#meta, absent: true, complete: true });
  }

  /** The rest of a file of which something is here; nothing, where it is another file by now. */
  async #rest(left: Meta): Promise<Response | undefined> {
    const response = await this.#patiently(() => this.#ask(held(left)));
    if (continues(left, response)) return response;
    await response.body?.cancel();
    await forget(left.url);
    return undefined;
  }

  /** Asks, and asks again where that may help. */
  async #patiently(ask: () => Promise<Response>): Promise<Response> {
    for (let tries = 1; ; tries++) {
      try {
        const response = await ask();
        if (tries >= TRIES || !PASSING.has(response.status)) return response;
        await response.body?.cancel();
        await this.#pause(tries, response.headers.get("retry-after"));
      } catch (thrown) {
        this.#terms.reading.signal.throwIfAborted();
        if (tries >= TRIES) throw thrown;
        await this.#pause(tries, null);
      }
    }
  }

  #ask(from: number): Promise<Response> {
    const init = asking(this.#terms);
    if (from > 0) init.headers = { ...init.headers, range: `bytes=${from}-` };
    // What is kept here need not be kept by the browser as well, and may be the same there.
    if (this.#cache || this.#terms.past) init.cache = "no-store";
    return get(this.#url, init);
  }

  async #pause(tries: number, said: string | null): Promise<void> {
    const seconds = Number(said ?? Number.NaN);
    const own = PAUSE * 2 ** (tries - 1) * (0.75 + Math.random() / 2);
    await later(seconds >= 0 ? Math.min(1e3 * seconds, LONGEST_PAUSE) : own, this.#terms.reading.signal);
  }

  async *#chunks(first: Response): AsyncGenerator<Uint8Array> {
    if (this.#cache && this.#meta.pieces.length > 0) {
      try {
        for await (const piece of pieces(this.#cache, this.#meta)) yield this.#passed(piece);
      } catch (thrown) {
        if (!(thrown instanceof Gone)) throw thrown;
        await first.body?.cancel();
        return yield* anew(thrown, this.#cache, this.#url, this.#terms, this.#given);
      }
    }
    const rest = new Pieces(PIECE);
    for await (const chunk of this.#lasting(first)) {
      const full = rest.add(chunk);
      if (full) await this.#keep(full);
      yield this.#passed(chunk);
    }
    await this.#end(rest.rest());
  }

  /** Keeps the last of it, and that this is all. */
  async #end(last: Uint8Array): Promise<void> {
    await this.#keep(last);
    await this.#trying((cache) => note(cache, { ...this.#meta, size: this.#given, complete: true }));
  }

  #passed(bytes: Uint8Array): Uint8Array {
    this.#given += bytes.length;
    return bytes;
  }

  /** All that comes, over as many lines as it takes. */
  async *#lasting(first: Response): AsyncGenerator<Uint8Array> {
    const { size } = this.#meta;
    let chunks: AsyncIterable<Uint8Array> = impatient(first.body);
    for (let tries = 1; ; ) {
      const before = this.#given;
      try {
        yield* chunks;
        if (size === undefined || this.#given >= size) return;
        throw new Error(`${this.#given} bytes came of ${size}`);
      } catch (thrown) {
        this.#terms.reading.signal.throwIfAborted();
        tries = this.#given > before ? 1 : tries + 1;
        if (tries > TRIES) throw thrown;
        await this.#pause(tries, null);
        chunks = await this.#again();
      }
    }
  }

  /** The line broke: what is missing of the file. */
  async #again(): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#patiently(() => this.#ask(this.#given));
    if (continues(this.#meta, response)) return impatient(response.body);
    if (response.status === 206) throw new Error("the file changed while it was fetched");
    if (response.status !== 200) throw new Refused(response.status);
    // It comes from the beginning: what is here already is left out.
    if (!agree(this.#meta, validators(response))) throw new Error("the file changed while it was fetched");
    return after(impatient(response.body), this.#given);
  }

  async #keep(piece: Uint8Array): Promise<void> {
    if (piece.length === 0) return;
    await this.#trying(async (cache) => {
      this.#meta = await keep(cache, this.#meta, piece);
    });
  }

  /** What can't be kept is not: the model is loaded all the same. */
  async #trying(work: (cache: Cache) => Promise<unknown>): Promise<void> {
    if (!this.#cache) return;
    try {
      await work(this.#cache);
    } catch (thrown) {
      this.#terms.reading.unkept = reasonOf(thrown);
      this.#cache = undefined;
      await forget(this.#url.href).catch(() => {});
    }
  }
}

function reasonOf(thrown: unknown): string {
  const full = thrown instanceof DOMException && thrown.name === "QuotaExceededError";
  return full ? "the browser gives no more room" : `the browser's cache failed: ${String(thrown)}`;
}
