// First answers in Chromium: one JSON request a line, one JSON answer a line.
//
//     node first.mjs --web FOLDER
//
// FOLDER: what `cargo xtask build web` made. A request names a model's folder or bundle, or `default`, and a
// precision. The answer is the seconds from going to a page, in a browser that has seen nothing
// yet, to its first answer.

import { createServer } from "node:http";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { launch } from "../../../browser/chromium.mjs";
import { serveFile } from "../../../browser/serve.mjs";

const { values } = parseArgs({ options: { web: { type: "string" } } });
const mounts = [
  ["/files/", "/"],
  ["/web/", resolve(values.web)],
  ["/", dirname(fileURLToPath(import.meta.url))],
];
const server = createServer((request, response) => {
  serveFile(mounts, new URL(request.url, "http://x").pathname, response);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const browser = await launch();
console.log(JSON.stringify({ name: "Chromium", version: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  const asked = new URLSearchParams(JSON.parse(line));
  await page.goto(`http://127.0.0.1:${server.address().port}/first.html?${asked}`);
  console.log(JSON.stringify({ seconds: (await page.evaluate("window.answered")) / 1000 }));
  await context.close();
}
await browser.close();
server.close();
