// A server of one file that fails as it is told to, and writes down what it was asked.

import { createServer } from "node:http";

/**
 * Serves `bytes` at every path but those of `besides`, which are another handler's.
 *
 * `how` decides each answer: it is given the request and how many came before it, and returns
 * nothing for a good answer, or `{ status, cut, said, range, etag, silent, damaged }`: another status; the
 * part of the body after which the line breaks; a length that is not true; `false` for a server that
 * has no ranges; another tag, or none; a body that never comes; one whose last byte is another.
 */
export async function faulty(bytes, besides) {
  const state = { asked: [], how: () => undefined };
  const server = createServer((request, response) => {
    if (besides(request, response)) return;
    const how = state.how(request, state.asked.length) ?? {};
    state.asked.push({ method: request.method, path: request.url, range: request.headers.range });
    answer(bytes, how, request, response);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    port: server.address().port,
    /** Begins a case: forgets what was asked, and fails like this. */
    now(how = () => undefined) {
      state.asked = [];
      state.how = how;
    },
    /** What was asked since. */
    asked: () => state.asked,
    bodies: () => state.asked.filter(({ method }) => method === "GET"),
    close: () => server.close(),
  };
}

function answer(bytes, { status, cut, said, range = true, etag = '"one"', silent, damaged }, request, response) {
  if (status) return void response.writeHead(status).end();
  const from = range ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
  if (from >= bytes.length) return void response.writeHead(416).end();
  const part = damaged ? Buffer.from(bytes.subarray(from)) : bytes.subarray(from);
  if (damaged) part[part.length - 1] ^= 1;
  response.writeHead(from > 0 ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": said ?? part.length,
    ...(etag && { etag }),
    ...(from > 0 && { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
  });
  if (request.method === "HEAD") return void response.end();
  if (silent) return void response.flushHeaders();
  if (cut === undefined) return void response.end(part);
  const end = Math.max(0, Math.floor(bytes.length * cut) - from);
  response.write(part.subarray(0, end), () => response.destroy());
}
