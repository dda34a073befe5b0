// What files must come to: hashes that the caller has from elsewhere.

import { error } from "./errors.js";
import type { Wanted } from "./protocol.js";
import { Damaged } from "./sources.js";

/** The hashes of a model's files, and which of them were asked for. */
export class Pins {
  readonly #sha256: Wanted["sha256"];
  readonly #asked = new Set<string>();

  constructor({ place, sha256 }: Wanted) {
    this.#sha256 = sha256;
    if (sha256 === undefined) return;
    if (!globalThis.crypto?.subtle) {
      throw error("unsupported_here", "a page without https can't check a SHA-256; serve it by https, or leave the hash out");
    }
    const single = place.kind === "bundle" || place.kind === "file";
    if (single ? typeof sha256 !== "string" : typeof sha256 !== "object" || sha256 === null) {
      throw error("invalid_option", "sha256 is a string for a bundle, and an object by file for a folder");
    }
    // One that is empty would check nothing.
    const hashes: unknown[] = typeof sha256 === "string" ? [sha256] : Object.values(sha256);
    if (!hashes.every((hash) => typeof hash === "string" && /^[0-9a-f]{64}$/i.test(hash))) {
      throw error("invalid_option", "a SHA-256 has 64 hexadecimal digits");
    }
  }

  /** What a file must come to; of a bundle, which has no name, the only one. */
  of(name = ""): string | undefined {
    if (typeof this.#sha256 !== "object") return this.#sha256;
    this.#asked.add(name);
    return Object.hasOwn(this.#sha256, name) ? this.#sha256[name] : undefined;
  }

  /** Refuses the names that nobody asked for, once all is read: a mistyped one would protect nothing. */
  settle(): void {
    const names = typeof this.#sha256 === "object" ? Object.keys(this.#sha256) : [];
    const idle = names.filter((name) => !this.#asked.has(name));
    if (idle.length === 0) return;
    throw error("invalid_option", `sha256 is for ${idle.join(", ")}, which nothing of this model was read from`);
  }
}

/** Refuses bytes that come to something else. */
export async function check(bytes: Uint8Array, expected: string): Promise<void> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  const got = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (got !== expected.toLowerCase()) throw new Damaged(wanted(expected), got);
}

/** A file that must come to something must be there: another container would be taken unchecked. */
export function absent(expected: string): Damaged {
  return new Damaged(wanted(expected), "no file");
}

function wanted(expected: string): string {
  return `SHA-256 ${expected}`;
}
