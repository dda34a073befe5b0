// Lets tests treat the browser as an HTTP host: requests go to the package in a page of a real
// Chromium, answers come back as JSON.
//
//     node tests/browser/bridge.mjs --web FOLDER --root FOLDER [--isolated] [--gpu right|broken]
//
// FOLDERs: what `cargo xtask build web` made, and where models lie. An isolated page may share
// memory between its workers; `--gpu` gives it a GPU that runs on the processor, and that computes
// right or not. It prints `listening on URL` and ends when its standard input does.
//
//     POST /MODEL/predict, /MODEL/encode   the body goes to the engine byte by byte;
//                                          `?abort=MS` aborts it after so long
//     GET  /MODEL/health
//     GET  /MODEL/memory                   bytes of the engine's memory
//     GET  /MODEL/times                    milliseconds of loading and of the first answer
//     GET  /MODEL/lane                     the vector instructions in use
//     GET  /MODEL/threads                  how many workers compute one answer
//     GET  /MODEL/device                   what computes now, and why not the GPU
//     POST /MODEL/dispose
//     POST /MODEL/hoard                    leaves the page no room for another memory
//     GET  /workers                        how many workers the page has
//     GET  /gpu                            what their engines asked of the GPU, summed
//     POST /lose                           takes the GPU away from them; `?good` for good
//
// MODEL is a path inside the root, or `default`; `@PRECISION,LANE,THREADS,DEVICE/` before it sets those.
// Each may be empty, and the last ones may be left out.

import { createServer } from "node:http";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { GPU, launch } from "./chromium.mjs";
import { ISOLATION, serveFile, serveWatched } from "./serve.mjs";

const { values } = parseArgs({
  options: { web: { type: "string" }, root: { type: "string" }, isolated: { type: "boolean" }, gpu: { type: "string" } },
});
const headers = values.isolated ? ISOLATION : {};
const mounts = [
  ["/-/root/", resolve(values.root)],
  ["/-/test/", dirname(fileURLToPath(import.meta.url))],
  ["/-/", resolve(values.web)],
];

const worker = join(resolve(values.web), "trireme/worker.js");
const watcher = `/-/test/gpu-side.js${values.gpu === "broken" ? "?broken" : ""}`;

const server = createServer(async (request, response) => {
  try {
    if (values.gpu && request.url === "/-/trireme/worker.js") await serveWatched(worker, watcher, response, headers);
    else if (request.url.startsWith("/-/")) {
      await serveFile(mounts, new URL(request.url, origin).pathname, response, headers);
    }
    else if (request.url === "/favicon.ico") response.writeHead(404).end();
    else await bridge(request, response);
  } catch (error) {
    console.error(error);
    response.destroy();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await launch(values.gpu ? GPU : []);
const page = await browser.newPage();
page.on("console", (message) => console.error(`page: ${message.text()}`));
page.on("pageerror", (error) => console.error(`page: ${error}`));
await page.goto(`${origin}/-/test/bridge.html`);
await page.evaluate("import('/-/test/page-side.js').then((side) => { window.side = side; })");

process.stdin.resume();
process.stdin.on("end", async () => {
  await browser.close();
  process.exit(0);
});
console.log(`listening on ${origin}`);

/** Asks the watcher in each worker; an engine that is not there yet has none. */
function inWorkers(what, told) {
  return Promise.all(page.workers().map((worker) => worker.evaluate(what, told)));
}

/** Hands a request to the page. A body crosses as base64, for not every body is text. */
async function bridge(request, response) {
  const { pathname, searchParams } = new URL(request.url, origin);
  if (pathname === "/workers") return void response.end(`${page.workers().length}`);
  if (pathname === "/lose") {
    await inWorkers((forGood) => globalThis.gpuSide?.lose(forGood), searchParams.has("good"));
    return void response.end("null");
  }
  if (pathname === "/gpu") {
    const all = await inWorkers(() => globalThis.gpuSide?.counts() ?? {});
    const sum = {};
    for (const counts of all) {
      for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
    }
    return void response.end(JSON.stringify(sum));
  }
  const [, model, verb] = /^\/(.+)\/(\w+)$/.exec(decodeURIComponent(pathname)) ?? [];
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const abort = searchParams.get("abort");
  const asked = {
    method: request.method,
    model,
    verb,
    body: Buffer.concat(chunks).toString("base64"),
    abort: abort === null ? undefined : Number(abort),
  };
  const { status, json } = await page.evaluate((asked) => window.side.answer(asked), asked);
  response.writeHead(status, { "content-type": "application/json" }).end(json);
}
