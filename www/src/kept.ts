// What is kept of files that were fetched, for all tabs of an origin: pieces of each in the browser's
// cache, so that a file that was cut off goes on where it was.

/** The cache's name, and that of what was laid out otherwise. */
const CACHE = "trireme-models-1";

/** Addresses that no server has: a cache wants some. */
const ROOT = "https://kept.invalid/";

/** Bytes of a piece: what a cut line loses, at most. */
export const PIECE = 4 << 20;

/** What is known of a file that is kept. */
export interface Meta {
  url: string;
  /** Bytes of the whole file, where the server said. */
  size: number | undefined;
  /** What changes when the file does. */
  etag: string | null;
  modified: string | null;
  /** Lengths of the pieces that are here. */
  pieces: number[];
  /** Whether they have the second of two names: a copy that takes another's place is laid beside it. */
  second?: boolean;
  /** All of it is here. */
  complete: boolean;
  /** There is no such file. */
  absent?: boolean;
  /** When it was fetched, in milliseconds. */
  saved: number;
}

/** The cache; `undefined` where there is none, as in a private window. */
export async function keeping(): Promise<Cache | undefined> {
  try {
    const cache = await globalThis.caches?.open(CACHE);
    // Cloudflare's can't be looked through, and forgets when it likes.
    return typeof cache?.keys === "function" ? cache : undefined;
  } catch {
    return undefined;
  }
}

/** What is known of a file. */
export async function metaOf(cache: Cache, url: string): Promise<Meta | undefined> {
  const found = await cache.match(key(url, "meta"));
  return found?.json();
}

/** Says what is known of it. */
export function note(cache: Cache, meta: Meta): Promise<void> {
  return cache.put(key(meta.url, "meta"), new Response(JSON.stringify(meta)));
}

/** Keeps one piece more, and only then says that it is there. */
export async function keep(cache: Cache, meta: Meta, bytes: Uint8Array): Promise<Meta> {
  const longer = await lay(cache, meta, bytes);
  await note(cache, longer);
  return longer;
}

/** Puts a whole file in the place of what is kept of it, which stays as it is until then. */
export async function replace(cache: Cache, empty: Meta, bytes: Uint8Array): Promise<void> {
  const old = await metaOf(cache, empty.url);
  let meta: Meta = { ...empty, size: bytes.length, complete: true, second: !old?.second };
  try {
    for (let at = 0; at < bytes.length; at += PIECE) meta = await lay(cache, meta, bytes.subarray(at, at + PIECE));
    await note(cache, meta);
  } catch (thrown) {
    await clear(cache, meta);
    throw thrown;
  }
  if (old) await clear(cache, old);
}

/** Keeps one piece more, and says nothing of it. */
async function lay(cache: Cache, meta: Meta, bytes: Uint8Array): Promise<Meta> {
  await cache.put(pieceOf(meta, meta.pieces.length), new Response(bytes as Uint8Array<ArrayBuffer>));
  return { ...meta, pieces: [...meta.pieces, bytes.length] };
}

/** Deletes the pieces of one copy. */
async function clear(cache: Cache, meta: Meta): Promise<void> {
  for (const index of meta.pieces.keys()) await cache.delete(pieceOf(meta, index));
}

/** The pieces that are here, in order. */
export async function* pieces(cache: Cache, meta: Meta): AsyncGenerator<Uint8Array> {
  for (const [index, length] of meta.pieces.entries()) {
    const found = await cache.match(pieceOf(meta, index));
    const bytes = new Uint8Array((await found?.arrayBuffer()) ?? new ArrayBuffer(0));
    // The browser may have taken it away at any time.
    if (bytes.length !== length) throw new Gone(`piece ${index} of ${meta.url} is gone`);
    yield bytes;
  }
}

/** A piece that was kept is not there any more. */
export class Gone extends Error {}

/** Forgets a file. */
export async function forget(url: string): Promise<void> {
  const cache = await keeping();
  const meta = cache && (await metaOf(cache, url));
  if (!cache || !meta) return;
  // What is known of it first: pieces alone are nothing.
  await cache.delete(key(url, "meta"));
  // A page that was closed may have left a part of a second copy.
  const left = (await cache.keys()).filter((request) => request.url.startsWith(key(url, "")));
  for (const request of left) await cache.delete(request);
}

/** What is known of every file. */
export async function all(): Promise<Meta[]> {
  const cache = await keeping();
  if (!cache) return [];
  const known = (await cache.keys()).filter(({ url }) => url.endsWith("/meta"));
  const found = await Promise.all(known.map(async (request) => (await cache.match(request))?.json()));
  return found.filter((meta) => meta !== undefined) as Meta[];
}

/** What is known of the files of a folder, or of a single one, by their address. */
export async function under(root: string): Promise<Meta[]> {
  const inside = (url: string) => url === root || (root.endsWith("/") && url.startsWith(root));
  return (await all()).filter(({ url }) => inside(url));
}

/** What else an origin remembers under a name; nothing, where it can't. */
export async function recalled(name: string): Promise<unknown> {
  const found = await (await keeping())?.match(`${ROOT}${encodeURIComponent(name)}`);
  return found?.json();
}

/** Remembers it. What can't be remembered is found out again. */
export async function remember(name: string, value: unknown): Promise<void> {
  const cache = await keeping();
  await cache?.put(`${ROOT}${encodeURIComponent(name)}`, new Response(JSON.stringify(value))).catch(() => {});
}

/** The bytes of a file that are here. */
export function held(meta: Meta): number {
  return meta.pieces.reduce((sum, length) => sum + length, 0);
}

function pieceOf({ url, second }: Meta, index: number): string {
  return key(url, second ? `second-${index}` : `${index}`);
}

function key(url: string, part: string): string {
  return `${ROOT}${encodeURIComponent(url)}/${part}`;
}
