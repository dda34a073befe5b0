// The micro-kernels in Chromium: one JSON request a line, one JSON answer a line.
//
// A request names a module, a kernel of it, the rows of its tile, and how many rounds to run. The
// answer is the seconds that they took.

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { launch } from "../../../browser/chromium.mjs";

const browser = await launch();
const page = await browser.newPage();
await page.evaluate(() => (window.modules = new Map()));
console.log(JSON.stringify({ name: "Chromium", version: browser.version() }));
const brought = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (!brought.has(asked.module)) {
    brought.add(asked.module);
    await page.evaluate(bring, [asked.module, (await readFile(asked.module)).toString("base64")]);
  }
  console.log(JSON.stringify({ seconds: await page.evaluate(run, asked) }));
}
await browser.close();

/** In the page: makes a module ready. */
async function bring([name, base64]) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(bytes);
  window.modules.set(name, instance.exports);
}

/** In the page: runs a kernel. */
function run({ module, kernel, rows, rounds }) {
  const begin = performance.now();
  window.modules.get(module)[kernel](rows, rounds);
  return (performance.now() - begin) / 1000;
}
