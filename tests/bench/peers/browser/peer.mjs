// Our package and onnxruntime-web in one Chromium, as peers of the benchmark: one JSON request a
// line, one JSON answer a line.
//
//     node peer.mjs --web FOLDER --ort FOLDER --threads N [--device webgpu]
//
// FOLDERs: what `cargo xtask build web` made, and onnxruntime-web's `dist`. A request says which
// side is asked, where its model lies, a precision, and batches, each a list of text lengths. The
// answer is the seconds that all of them took, and on a GPU what was asked of it.

import { createServer } from "node:http";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { GPU, launch } from "../../../browser/chromium.mjs";
import { ISOLATION, serveFile, serveWatched } from "../../../browser/serve.mjs";

const names = ["web", "ort", "threads", "device"];
const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
const { values } = parseArgs({ options });
// Without isolation no page has threads, and with it none is slower.
const here = dirname(fileURLToPath(import.meta.url));
const mounts = [
  ["/files/", "/"],
  ["/web/", resolve(values.web)],
  ["/ort/", resolve(values.ort)],
  ["/watch/", resolve(here, "../../../browser")],
  ["/", here],
];
const onGpu = values.device === "webgpu";
const worker = resolve(values.web, "trireme/worker.js");
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://x");
  if (onGpu && pathname === "/web/trireme/worker.js") {
    serveWatched(worker, "/watch/gpu-side.js", response, ISOLATION);
  } else {
    serveFile(mounts, pathname, response, ISOLATION);
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const browser = await launch(onGpu ? GPU : []);
const page = await browser.newPage();
page.on("pageerror", (error) => console.error(`page: ${error}`));
await page.goto(`http://127.0.0.1:${server.address().port}/page.html?threads=${values.threads}&device=${values.device ?? "wasm"}`);
const version = await page.evaluate(
  "import('/sides.js').then((sides) => { window.sides = sides; return sides.version; })",
);
console.log(JSON.stringify({ name: "onnxruntime-web", version }));
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const before = await counted(asked.side);
  const seconds = await page.evaluate((asked) => window.sides.run(asked), asked);
  const after = await counted(asked.side);
  console.log(JSON.stringify({ seconds, counts: difference(after, before) }));
}
await browser.close();
server.close();

/** What a side has asked of the GPU so far: ours in its workers, theirs in the page. */
async function counted(side) {
  if (!onGpu) return {};
  const places = side === "ours" ? page.workers() : [page];
  const all = await Promise.all(
    places.map((place) => place.evaluate(() => globalThis.gpuSide?.counts() ?? {})),
  );
  const sum = {};
  for (const [name, count] of all.flatMap(Object.entries)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function difference(after, before) {
  return Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]),
  );
}
