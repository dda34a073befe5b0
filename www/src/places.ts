// What a person may give as a model, and where that lies.

import { DEFAULT } from "./default.js";
import { error } from "./errors.js";
import { base } from "./platform.js";
import type { Place, Wanted } from "./protocol.js";

/** The model of this package; the id of one on a hub; the URL of a folder or a bundle; files of the
 *  person's own, a bundle or all that a model's folder holds; or a bundle's bytes. */
export type ModelSource =
  | "default"
  | (string & {})
  | URL
  | Blob
  | Iterable<File>
  | ArrayBuffer
  | Uint8Array
  | ReadableStream<Uint8Array>
  | Response;

/** A hub of models, and what of it. */
export interface Hub {
  /** The hub's address; `https://huggingface.co` unless said. */
  hub?: string;
  /** A branch, a tag or a commit of the model; `main` unless said. */
  revision?: string;
  /** What the hub wants to see before it gives a model. */
  token?: string;
}

const HUGGING_FACE = "https://huggingface.co";

type Named = Pick<Wanted, "place" | "name" | "version">;

/** Finds out where a model lies. */
export async function placeOf(source: ModelSource, hub: Hub = {}, assets?: string): Promise<Named> {
  if (source === "default") return { place: ofThisPackage(assets), name: "default" };
  if (typeof source === "string" && isId(source)) return onHub(source, hub);
  if (typeof source === "string" || source instanceof URL) return remote(addressOf(source));
  if (source instanceof Response) return single(await source.blob(), "a response");
  // A stream is read once; an engine that died is loaded again.
  if (source instanceof ReadableStream) return single(await new Response(source).blob(), "a stream");
  if (source instanceof Blob) return single(source);
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) {
    return single(new Blob([source as Uint8Array<ArrayBuffer>]), "bytes");
  }
  return folder([...source]);
}

/** An address, whole; one that is not is relative to the page. */
export function addressOf(source: string | URL): URL {
  try {
    return new URL(source, base());
  } catch {
    throw error("source_misconfigured", `${String(source)} is not a URL`);
  }
}

/** Where everything of a model lies that has an address: a folder's or a bundle's. */
export function rootOf(source: string | URL, hub: Hub = {}): string {
  if (source === "default") {
    const place = ofThisPackage(undefined);
    return place.kind === "bundle" ? place.url : "";
  }
  if (typeof source === "string" && isId(source)) return hubUrl(source, hub);
  return remoteUrl(addressOf(source)).href;
}

function ofThisPackage(assets: string | undefined): Place {
  if (!DEFAULT) {
    throw error("model_not_found", "this build has no model inside; name one, or import the package whole");
  }
  return assets ? { kind: "bundle", url: new URL("models/default/default.bin", assets).href } : DEFAULT();
}

/** A name as hubs give it, and no path: `owner/name`, or `name` alone. */
function isId(source: string): boolean {
  return /^[\w-][\w.-]*(\/[\w.-]+)?$/.test(source) && !/\.(trireme|safetensors|bin)$/.test(source);
}

function onHub(id: string, hub: Hub): Named {
  const { token, revision = "main" } = hub;
  const place: Place = { kind: "folder", url: hubUrl(id, hub), ...(token !== undefined && { token }) };
  return { place, name: id, version: revision };
}

function hubUrl(id: string, { hub = HUGGING_FACE, revision = "main" }: Hub): string {
  return new URL(`${id}/resolve/${encodeURIComponent(revision)}/`, `${addressOf(hub).href.replace(/\/*$/, "")}/`).href;
}

function remote(address: URL): Named {
  const url = remoteUrl(address);
  const kind = url.pathname.endsWith("/") ? "folder" : "bundle";
  return { place: { kind, url: url.href }, name: address.href, version: "remote" };
}

function remoteUrl(address: URL): URL {
  const url = new URL(address);
  const bundle = /\.(trireme|safetensors|bin)$/.test(url.pathname);
  if (!bundle && !url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function single(file: Blob, what = "a blob"): Named {
  const label = file instanceof File ? file.name : what;
  const name = label.replace(/\.[^.]*$/, "");
  return { place: { kind: "file", label, file }, name, version: "local" };
}

function folder(files: File[]): Named {
  const [first] = files;
  if (!first) throw error("model_not_found", "no file was given");
  const picked = (first.webkitRelativePath ?? "") !== "";
  if (files.length === 1 && !picked) return single(first);
  // A folder picker puts the folder's own name first.
  const [root = ""] = (first.webkitRelativePath ?? "").split("/");
  const path = (file: File) => (picked ? file.webkitRelativePath.slice(root.length + 1) : file.name);
  const label = picked ? root : `${files.length} files`;
  const named = files.map((file): [string, Blob] => [path(file), file]);
  return { place: { kind: "files", label, files: named }, name: picked ? root : "local", version: "local" };
}
