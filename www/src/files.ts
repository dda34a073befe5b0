// Model files from a server or from the person's own disk, with their progress.

import type { Source } from "./engine/trireme.js";
import type { Place, Progress } from "./protocol.js";

/** A file that is being read. */
interface Opened {
  /** Its length, where the source says so. */
  size: number | undefined;
  body: ReadableStream<Uint8Array>;
}

type Open = (name: string) => Promise<Opened | undefined>;

/** Opens what lies at a place, and says how far reading is. */
export function open(place: Place, report: (progress: Progress) => void): Source | Promise<Uint8Array> {
  const tally = new Tally(report);
  switch (place.kind) {
    case "folder":
      return source(place.url, tally, (name) => fetched(new URL(name, place.url)));
    case "files": {
      const files = new Map(place.files);
      return source(place.label, tally, async (name) => blob(files.get(name)));
    }
    case "bundle":
      return whole(tally, () => fetched(new URL(place.url)));
    case "file":
      return whole(tally, async () => blob(place.file));
  }
}

function source(described: string, tally: Tally, open: Open): Source {
  return {
    fetch: (name) => tally.read(isWeights(name), () => open(name)),
    describe: () => described,
  };
}

async function whole(tally: Tally, open: () => Promise<Opened | undefined>): Promise<Uint8Array> {
  const bytes = await tally.read(true, open);
  if (!bytes) throw new Missing();
  return bytes;
}

/** There is no file where one was said to be. */
export class Missing extends Error {}

/** A server's refusal. */
export class Refused extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
  }
}

async function fetched(url: URL): Promise<Opened | undefined> {
  const response = await fetch(url);
  const { status, headers, body } = response;
  if (status === 404 || status === 410) return undefined;
  if (!response.ok) throw new Refused(status);
  // A server of single-page applications has a page for every path; no model has one.
  if (headers.get("content-type")?.startsWith("text/html")) return undefined;
  // Of a body that is packed for the journey, the length that is said is not the file's.
  const said = headers.get("content-encoding") ? null : headers.get("content-length");
  return { size: said === null ? undefined : Number(said), body: body ?? new Blob([]).stream() };
}

function blob(file: Blob | undefined): Opened | undefined {
  return file && { size: file.size, body: file.stream() };
}

function isWeights(name: string): boolean {
  return /\.(safetensors|bin)$/.test(name);
}

/** Adds up what was read and what will be. */
class Tally {
  #loaded = 0;
  #expected = 0;
  /** Files whose length is not known yet. */
  #unknown = 0;
  /** Weights are nearly all of a model: until they are in sight, no total is true. */
  #weighty = false;

  constructor(readonly report: (progress: Progress) => void) {}

  async read(
    weights: boolean,
    open: () => Promise<Opened | undefined>,
  ): Promise<Uint8Array | undefined> {
    this.#unknown++;
    const opened = await open().finally(() => this.#unknown--);
    if (!opened) return undefined;
    if (opened.size === undefined) this.#unknown++;
    else this.#expected += opened.size;
    this.#weighty ||= weights;
    const bytes = await collect(opened, (read) => this.#step(read));
    if (opened.size === undefined) this.#unknown--;
    this.#expected += bytes.length - (opened.size ?? 0);
    this.#step(0);
    return bytes;
  }

  #step(read: number): void {
    this.#loaded += read;
    const known = this.#weighty && this.#unknown === 0 && this.#loaded <= this.#expected;
    this.report({ loaded: this.#loaded, ...(known && { total: this.#expected }) });
  }
}

/** Reads a file into one piece of memory, without a second copy where its length was right. */
async function collect({ size, body }: Opened, step: (read: number) => void): Promise<Uint8Array> {
  let bytes = new Uint8Array(size ?? 1 << 16);
  let length = 0;
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const needed = length + next.value.length;
    if (needed > bytes.length) bytes = grown(bytes, Math.max(needed, 2 * bytes.length));
    bytes.set(next.value, length);
    length = needed;
    step(next.value.length);
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(length);
  more.set(bytes);
  return more;
}
