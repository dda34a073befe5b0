// Model files from a server or from the person's own disk, with their progress.

import type { Source } from "./engine/trireme.js";
import { error } from "./errors.js";
import { fetched, type Terms } from "./fetching.js";
import { forget } from "./kept.js";
import { chunksOf } from "./lines.js";
import { absent, check, type Pins } from "./pins.js";
import type { Tally } from "./progress.js";
import type { Wanted } from "./protocol.js";
import type { Reading } from "./reading.js";
import { Missing, type Opened } from "./sources.js";

/** Who counts what is read, what it must come to, and how it is read. */
export interface Reader {
  tally: Tally;
  pins: Pins;
  reading: Reading;
}

/** A file: what it must come to, and how it is opened. */
interface File {
  weights: boolean;
  sha256: string | undefined;
  /** Where it may be kept. */
  url?: string;
  /** `past` leaves out what is kept of it. */
  open(past?: boolean): Promise<Opened | undefined>;
}

/** Opens what lies at a place, and says how far reading is. */
export function open({ place, cache }: Wanted, reader: Reader): Source | Promise<Uint8Array> {
  const { pins, reading } = reader;
  const terms: Terms = { cache, reading };
  const at = (url: URL, weights: boolean, sha256: string | undefined, token?: string): File => {
    const pinned = sha256 !== undefined;
    const open = (past = reading.past && !pinned) => fetched(url, { ...terms, token, pinned, past });
    return { weights, sha256, url: url.href, open };
  };
  const inPlace = (file: File) => reading.watch(ifThere(file, reader));
  switch (place.kind) {
    case "folder":
      return source(place.url, async (name) =>
        inPlace(at(inside(place.url, name), isWeights(name), pins.of(name), place.token)),
      );
    case "files": {
      const files = new Map(place.files);
      return source(place.label, (name) => inPlace(own(files.get(name), isWeights(name), pins.of(name))));
    }
    case "bundle":
      return reading.watch(whole(read(at(new URL(place.url), true, pins.of()), reader)));
    case "file":
      return reading.watch(whole(read(own(place.file, true, pins.of()), reader)));
  }
}

/** A file of a folder. A model names files of its own: none of them may lie elsewhere, where a token
 *  would go with the question. */
function inside(folder: string, name: string): URL {
  const path = name.split("/").map(encodeURIComponent).join("/");
  const url = new URL(`./${path}`, folder);
  if (!url.href.startsWith(new URL(".", folder).href)) {
    throw error("invalid_model", `${name} is no file of the model`);
  }
  return url;
}

function source(described: string, fetch: Source["fetch"]): Source {
  return { fetch, describe: () => described };
}

async function whole(reading: Promise<Uint8Array | undefined>): Promise<Uint8Array> {
  const bytes = await reading;
  if (!bytes) throw new Missing();
  return bytes;
}

function own(file: Blob | undefined, weights: boolean, sha256: string | undefined): File {
  const opened = file && { size: file.size, chunks: chunksOf(file.stream()) };
  return { weights, sha256, open: async () => opened };
}

function isWeights(name: string): boolean {
  return /\.(safetensors|bin)$/.test(name);
}

/** Reads one of several files. It need not be there, unless its hash is known. */
async function ifThere(file: File, reader: Reader): Promise<Uint8Array | undefined> {
  const bytes = await read(file, reader);
  if (!bytes && file.sha256 !== undefined) throw absent(file.sha256);
  return bytes;
}

async function read(file: File, reader: Reader): Promise<Uint8Array | undefined> {
  const { reading, tally } = reader;
  const opened = await begun(file, tally);
  if (!opened) return undefined;
  const bytes = await collect(opened, tally);
  if (file.sha256 !== undefined) return right(bytes, file, file.sha256, opened, reader);
  reading.kept ||= opened.kept === true;
  if (opened.replace) reading.instead.push(async () => opened.replace?.(bytes));
  return bytes;
}

/** Opens a file, and says so. */
async function begun(file: File, tally: Tally, past?: boolean): Promise<Opened | undefined> {
  tally.begin();
  let opened: Opened | undefined;
  try {
    opened = await file.open(past);
  } finally {
    if (!opened) tally.absent();
  }
  if (opened) tally.found(opened.size, file.weights);
  return opened;
}

/** Holds a file to its hash. One that was kept and comes to another is fetched past what is kept. */
async function right(
  bytes: Uint8Array,
  file: File,
  sha256: string,
  { kept }: Opened,
  { reading, tally }: Reader,
): Promise<Uint8Array> {
  const { url = "" } = file;
  try {
    await check(bytes, sha256);
    reading.came.delete(url);
    return bytes;
  } catch (damaged) {
    const better = kept ? await anew(file, sha256, tally) : undefined;
    if (better) return better;
    // What came just now is not used again; what was kept stays, for it may be the hash that is wrong.
    if (reading.came.delete(url)) await forget(url).catch(() => {});
    throw damaged;
  }
}

/** What a file's server has now, in place of what is kept of it; nothing, where that is no better. */
async function anew(file: File, sha256: string, tally: Tally): Promise<Uint8Array | undefined> {
  try {
    const opened = await begun(file, tally, true);
    if (!opened) return undefined;
    const bytes = await collect(opened, tally);
    await check(bytes, sha256);
    await opened.replace?.(bytes).catch(() => {});
    return bytes;
  } catch (thrown) {
    // There is no memory for it: the damage is not what is wrong.
    if (thrown instanceof RangeError) throw thrown;
    return undefined;
  }
}

/** Reads a file, and says how far that is. */
async function collect(opened: Opened, tally: Tally): Promise<Uint8Array> {
  let length = 0;
  const step = (read: number) => {
    length += read;
    tally.step(read);
  };
  try {
    return await joined(opened, step);
  } finally {
    // Also of one that broke off: there won't be more of it.
    tally.end(length, opened.size);
  }
}

/** Reads a file into one piece of memory, without a second copy where its length was right. */
async function joined({ size, chunks }: Opened, step: (read: number) => void): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  let length = 0;
  for await (const chunk of chunks) {
    // Not before the first: what has begun to be read is let go of where there is no memory.
    if (length === 0) bytes = new Uint8Array(Math.max(size ?? 1 << 16, chunk.length));
    const needed = length + chunk.length;
    if (needed > bytes.length) bytes = grown(bytes, Math.max(needed, 2 * bytes.length));
    bytes.set(chunk, length);
    length = needed;
    step(chunk.length);
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(length);
  more.set(bytes);
  return more;
}
