// Model files from a server or from the person's own disk, with their progress.

import type { Source } from "./engine/trireme.js";
import { error } from "./errors.js";
import { fetched, type Terms } from "./fetching.js";
import { forget } from "./kept.js";
import { chunksOf } from "./lines.js";
import { Tally } from "./progress.js";
import type { Progress, Wanted } from "./protocol.js";
import { Damaged, Missing, type Opened, type Unkept } from "./sources.js";

/** Who is told, and who may stop it. */
export interface Reader {
  report: (progress: Progress) => void;
  unkept: Unkept;
  signal: AbortSignal | undefined;
}

/** A file's address, what it must come to, and how it is opened. */
interface File {
  url?: URL;
  weights: boolean;
  sha256?: string | undefined;
  open(): Promise<Opened | undefined>;
}

/** Opens what lies at a place, and says how far reading is. */
export function open(wanted: Wanted, reader: Reader): Source | Promise<Uint8Array> {
  const { place, sha256, cache } = wanted;
  if (sha256 && !globalThis.crypto?.subtle) {
    throw error("unsupported_here", "a page without https can't check a SHA-256; serve it by https, or leave the hash out");
  }
  const tally = new Tally(reader.report);
  const terms: Terms = { cache, ...reader };
  const at = (url: URL, name: string, token?: string): File => ({
    url,
    weights: isWeights(name),
    sha256: hashOf(sha256, name),
    open: () => fetched(url, { ...terms, token }),
  });
  const single = place.kind === "bundle" || place.kind === "file";
  if (sha256 && (typeof sha256 === "string") !== single) {
    throw error("invalid_option", "sha256 is a string for a bundle, and an object by file for a folder");
  }
  switch (place.kind) {
    case "folder":
      return source(place.url, async (name) => read(at(inside(place.url, name), name, place.token), tally));
    case "files": {
      const files = new Map(place.files);
      return source(place.label, (name) => read(own(files.get(name), name, sha256), tally));
    }
    case "bundle":
      return whole(read({ ...at(new URL(place.url), place.url), weights: true, sha256: hashOf(sha256) }, tally));
    case "file":
      return whole(read({ ...own(place.file, place.label, sha256), weights: true }, tally));
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

function own(file: Blob | undefined, name: string, sha256: Wanted["sha256"]): File {
  const opened = file && { size: file.size, chunks: chunksOf(file.stream()) };
  return { weights: isWeights(name), sha256: hashOf(sha256, name), open: async () => opened };
}

/** What a file must come to: of several each its own, of one the only. */
function hashOf(sha256: Wanted["sha256"], name = ""): string | undefined {
  return typeof sha256 === "object" ? sha256[name] : sha256;
}

function isWeights(name: string): boolean {
  return /\.(safetensors|bin)$/.test(name);
}

/** Reads a file. What was kept and is damaged is fetched once more. */
async function read(file: File, tally: Tally): Promise<Uint8Array | undefined> {
  try {
    return await readOnce(file, tally);
  } catch (thrown) {
    if (!(thrown instanceof Damaged) || !file.url || !(await forget(file.url.href))) throw thrown;
    return readOnce(file, tally);
  }
}

async function readOnce(file: File, tally: Tally): Promise<Uint8Array | undefined> {
  tally.begin();
  let opened: Opened | undefined;
  try {
    opened = await file.open();
  } finally {
    if (!opened) tally.absent();
  }
  if (!opened) return undefined;
  tally.found(opened.size, file.weights);
  const bytes = await collect(opened, (read) => tally.step(read));
  tally.end(bytes.length, opened.size);
  if (file.sha256) await check(bytes, file.sha256);
  return bytes;
}

async function check(bytes: Uint8Array, expected: string): Promise<void> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  const got = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (got !== expected.toLowerCase()) throw new Damaged(`SHA-256 ${expected}`, got);
}

/** Reads a file into one piece of memory, without a second copy where its length was right. */
async function collect({ size, chunks }: Opened, step: (read: number) => void): Promise<Uint8Array> {
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
