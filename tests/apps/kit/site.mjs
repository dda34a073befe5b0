// A host of static files on loopback, which counts what goes over the line.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { serveFile } from "../../browser/serve.mjs";

/** Serves folders, given as pairs of a prefix and a folder; `answer` takes what is posted. */
export async function siteOf(mounts, { headers = {}, answer = () => {} } = {}) {
  const sent = [];
  const server = createServer((request, response) => {
    if (request.method === "POST") return take(request, response, answer);
    const { pathname } = new URL(request.url, "http://x");
    const { socket } = request;
    const [began, before] = [performance.timeOrigin + performance.now(), socket.bytesWritten];
    response.on("close", () => sent.push({ pathname, began, bytes: socket.bytesWritten - before }));
    serveFile(mounts, pathname, response, headers);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** What was asked for before a moment, and its bytes: as they went, headers too, and as they
     *  would go from a host that packs them. */
    async before(moment) {
      const asked = sent.filter(({ began }) => began < moment);
      const bytes = asked.reduce((sum, { bytes }) => sum + bytes, 0);
      const files = await Promise.all(asked.map(({ pathname }) => fileAt(mounts, pathname)));
      const packed = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
      return { paths: asked.map(({ pathname }) => pathname), bytes, packed };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function fileAt(mounts, path) {
  const [prefix, folder] = mounts.find(([prefix]) => path.startsWith(prefix));
  return readFile(join(folder, path.slice(prefix.length) || "index.html")).catch(() => Buffer.alloc(0));
}

async function take(request, response, answer) {
  const parts = [];
  for await (const part of request) parts.push(part);
  response.writeHead(204).end();
  answer(JSON.parse(Buffer.concat(parts).toString()));
}

/** The policy of `serve.mjs`, for a page that has scripts written into it: each by its digest. */
export async function policyFor(page) {
  const inside = /<script(?![^>]*\ssrc=)[^>]*>([^]*?)<\/script>/g;
  const digests = Array.from((await readFile(page, "utf8")).matchAll(inside), ([, text]) => {
    return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  });
  const scripts = ["'self'", "'wasm-unsafe-eval'", ...digests].join(" ");
  const policy = `default-src 'self'; script-src ${scripts}; worker-src 'self'; object-src 'none'; base-uri 'none'`;
  return { "content-security-policy": policy };
}
