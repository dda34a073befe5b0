// Our package and onnxruntime-web in one Chromium, as peers of the benchmark: one JSON request a
// line, one JSON answer a line.
//
//     node peer.mjs --web FOLDER --ort FOLDER --threads N
//
// FOLDERs: what `cargo xtask build web` made, and onnxruntime-web's `dist`. A request says which
// side is asked, where its model lies, a precision, and batches, each a list of text lengths. The
// answer is the seconds that all of them took.

import { createServer } from "node:http";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { launch } from "../../../browser/chromium.mjs";
import { ISOLATION, serveFile } from "../../../browser/serve.mjs";

const options = Object.fromEntries(["web", "ort", "threads"].map((name) => [name, { type: "string" }]));
const { values } = parseArgs({ options });
// Without isolation no page has threads, and with it none is slower.
const mounts = [
  ["/files/", "/"],
  ["/web/", resolve(values.web)],
  ["/ort/", resolve(values.ort)],
  ["/", dirname(fileURLToPath(import.meta.url))],
];
const server = createServer((request, response) => {
  serveFile(mounts, new URL(request.url, "http://x").pathname, response, ISOLATION);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const browser = await launch();
const page = await browser.newPage();
page.on("pageerror", (error) => console.error(`page: ${error}`));
await page.goto(`http://127.0.0.1:${server.address().port}/page.html?threads=${values.threads}`);
const version = await page.evaluate(
  "import('/sides.js').then((sides) => { window.sides = sides; return sides.version; })",
);
console.log(JSON.stringify({ name: "onnxruntime-web", version }));
for await (const line of createInterface({ input: process.stdin })) {
  const seconds = await page.evaluate((asked) => window.sides.run(asked), JSON.parse(line));
  console.log(JSON.stringify({ seconds }));
}
await browser.close();
server.close();
