// Serves folders over HTTP, as a host of static files would: types, lengths, and a strict CSP.

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** All that the package needs; a page that allows more proves less. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
].join("; ");

/** What lets a page share memory between its workers. */
export const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** Answers with the file that a path names; `mounts` are pairs of a prefix and a folder, the
 *  longest prefix first. */
export async function serveFile(mounts, path, response, headers = {}) {
  const [prefix, folder] = mounts.find(([prefix]) => path.startsWith(prefix)) ?? [];
  if (folder === undefined) return notFound(response);
  const inside = normalize(decodeURIComponent(path.slice(prefix.length)));
  if (inside.startsWith("..")) return notFound(response);
  const file = join(folder, inside === "." ? "index.html" : inside);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return notFound(response);
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": found.size,
    "content-security-policy": POLICY,
    "cache-control": "no-cache",
    ...headers,
  });
  createReadStream(file).pipe(response);
}

/** Answers with a module that imports another one first: modules run in the order of imports. */
export async function serveWatched(file, watcher, response, headers = {}) {
  const text = `import "${watcher}";\n${await readFile(file, "utf8")}`;
  response.writeHead(200, { "content-type": TYPES[".js"], ...headers }).end(text);
}

function notFound(response) {
  response.writeHead(404).end();
}
