// What a person may give as a model, and where that lies.

import { errorOf } from "./errors.js";
import type { Wanted } from "./protocol.js";

/** The model of this package, the URL of a folder or a bundle, or files of the person's own:
 *  a bundle, or all that a model's folder holds. */
export type ModelSource = "default" | (string & {}) | URL | Blob | Iterable<File>;

/** Finds out where a model lies. */
export function wantedOf(source: ModelSource): Wanted {
  if (source === "default") {
    const url = new URL("./models/default/default.trireme", import.meta.url).href;
    return { place: { kind: "bundle", url }, name: "default" };
  }
  if (typeof source === "string" || source instanceof URL) return remote(address(source));
  if (source instanceof Blob) return single(source);
  return folder([...source]);
}

function address(source: string | URL): URL {
  try {
    return new URL(source, document.baseURI);
  } catch {
    throw errorOf({ code: "source_misconfigured", message: `${String(source)} is not a URL` });
  }
}

function remote(url: URL): Wanted {
  const name = url.href;
  if (/\.(trireme|safetensors)$/.test(url.pathname)) {
    return { place: { kind: "bundle", url: name }, name, version: "remote" };
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return { place: { kind: "folder", url: url.href }, name, version: "remote" };
}

function single(file: Blob): Wanted {
  const label = file instanceof File ? file.name : "a blob";
  const name = label.replace(/\.[^.]*$/, "");
  return { place: { kind: "file", label, file }, name, version: "local" };
}

function folder(files: File[]): Wanted {
  const [first] = files;
  if (!first) throw errorOf({ code: "model_not_found", message: "no file was given" });
  const picked = first.webkitRelativePath !== "";
  if (files.length === 1 && !picked) return single(first);
  // A folder picker puts the folder's own name first.
  const [root = ""] = first.webkitRelativePath.split("/");
  const path = (file: File) => (picked ? file.webkitRelativePath.slice(root.length + 1) : file.name);
  const label = picked ? root : `${files.length} files`;
  const named = files.map((file): [string, Blob] => [path(file), file]);
  return { place: { kind: "files", label, files: named }, name: picked ? root : "local", version: "local" };
}

