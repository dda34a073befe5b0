// Whether two answers are of one file, by what servers say of it.

import type { Meta } from "./kept.js";

/** What changes when a file does, as far as a server says it. */
type Validators = Pick<Meta, "etag" | "modified" | "size">;

/** What an answer says of them. */
export function validators(response: Response): Validators {
  const { headers, type } = response;
  return {
    // How a body was packed makes a tag weak, and no other file.
    etag: headers.get("etag")?.replace(/^W\//, "") ?? null,
    modified: headers.get("last-modified"),
    // Another origin hides that a body was packed: its length is a hint, and no more.
    size: type === "cors" ? undefined : lengthOf(response),
  };
}

/** Of a body that is packed for the journey, the length that is said is not the file's. */
export function lengthOf({ headers }: Response): number | undefined {
  const said = headers.get("content-encoding") ? null : headers.get("content-length");
  return said === null ? undefined : Number(said);
}

/** Whether two files may be one: they differ in nothing that is known of both. */
export function agree(one: Validators, other: Validators): boolean {
  const same = (a: unknown, b: unknown) => a == null || b == null || a === b;
  return same(one.etag, other.etag) && same(one.modified, other.modified) && same(one.size, other.size);
}

/** Whether they are one: by a tag or a date that both have, for a length alone says little. */
export function isKnown(one: Validators, other: Validators): boolean {
  const told = (one.etag !== null && other.etag !== null) || (one.modified !== null && other.modified !== null);
  return told && agree(one, other);
}

/** Whether a part of a file belongs behind what is here. Another origin's headers may be hidden; that
 *  it is a part then has to do. */
export function continues(meta: Validators, part: Response): boolean {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(part.headers.get("content-range") ?? "")?.[1];
  const size = total === undefined ? undefined : Number(total);
  return part.status === 206 && agree(meta, { ...validators(part), size });
}

/** A server of single-page applications has a page for every path; no model has one. */
export function isAbsent(response: Response): boolean {
  if (response.status === 404 || response.status === 410) return true;
  return response.ok && (response.headers.get("content-type")?.startsWith("text/html") ?? false);
}
