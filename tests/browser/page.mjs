// Uses the page as a person would, in a real Chromium, and takes pictures of it.
//
//     node tests/browser/page.mjs --web FOLDER --embedder FOLDER --classifier FOLDER --shots FOLDER
//
// FOLDERs: what `cargo xtask build web` made, a model that only embeds, one that classifies, and
// where pictures go. It ends with an error at the first thing that is not as it should be.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { launch } from "./chromium.mjs";
import { serveFile } from "./serve.mjs";

const names = ["web", "embedder", "classifier", "shots"];
const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
const { values: folders } = parseArgs({ options });
const mounts = [
  ["/models/embedder/", resolve(folders.embedder)],
  ["/", resolve(folders.web)],
];
const server = createServer((request, response) => {
  if (request.url.startsWith("/slow/")) drip(request.url, response);
  else serveFile(mounts, request.url, response);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${server.address().port}`;

/** Resolves when a client has left before it had its file. */
let left;
const dripped = new Promise((resolve) => (left = resolve));

/** Serves the default model over a slow line. */
async function drip(path, response) {
  const file = join(folders.web, "trireme/models/default", path.slice("/slow/".length));
  const bytes = await readFile(file).catch(() => undefined);
  if (!bytes) return void response.writeHead(404).end();
  response.on("close", () => response.writableFinished || left());
  response.writeHead(200, { "content-length": bytes.length });
  for (let at = 0; at < bytes.length && !response.destroyed; at += 1 << 17) {
    response.write(bytes.subarray(at, at + (1 << 17)));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  response.end();
}

const LOOKS = [
  ["light-wide", "light", 1200, 860],
  ["light-narrow", "light", 380, 1250],
  ["dark-wide", "dark", 1200, 860],
  ["dark-narrow", "dark", 380, 1250],
];

const browser = await launch();
const page = await browser.newPage();
const complaints = [];
page.on("console", (said) => said.type() === "error" && complaints.push(said.text()));
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(origin) && !url.startsWith("blob:")) complaints.push(`asked ${url}`);
});

const has = (selector, text) => page.locator(selector, { hasText: text }).waitFor();
const read = (selector) => page.locator(selector).textContent();

const begin = performance.now();
await page.goto(origin);
await has("#verdict", "positive");
console.log(`page: first answer ${Math.round(performance.now() - begin)} ms after going there`);
await has("#vector-facts", "numbers, length 1.000");
await has("#about", "2 classes");

await page.fill("#text", "");
await has("#verdict", "–");
await page.locator("#text").pressSequentially("a dull, lifeless mess of a film", { delay: 15 });
await has("#verdict", "negative");
await has("#facts", "on the client");
assert.equal(await page.locator("#classes li.best .name").textContent(), "negative");

for (const [name, colorScheme, width, height] of LOOKS) {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height });
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folders.shots, `${name}.png`) });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `${name}: the page is ${wider} px wider than the window`);
}

// The page stays awake while a long text is answered, and only the last text has an answer.
await page.evaluate(() => {
  window.longest = 0;
  let last = performance.now();
  const frame = (now) => {
    window.longest = Math.max(window.longest, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
});
await page.fill("#text", "a wonderful and moving story ".repeat(2000));
await page.waitForTimeout(100);
await page.fill("#text", "wonderful");
await has("#facts", /^3 tokens/);
await has("#verdict", "positive");
console.log(`page: longest frame ${Math.round(await page.evaluate("longest"))} ms`);

// A text that is too long is refused in words, and the next is answered.
await page.fill("#text", "x".repeat(200_000));
await has("#failure", "text_too_long");
await page.fill("#text", "wonderful again");
await page.locator("#failure").waitFor({ state: "hidden" });

assert.deepEqual(complaints, [], "the default model needs nothing that is not there");

// A wrong address leaves the model that works.
await page.fill("#url", "/models/nowhere");
await page.click("#by-url button");
await has("#model-failure", "holds no model");
await page.emulateMedia({ colorScheme: "light" });
await page.screenshot({ path: join(folders.shots, "failure.png"), fullPage: true });
await page.fill("#text", "a dreadful bore");
await has("#verdict", "negative");

await page.fill("#url", "/models/embedder");
await page.click("#by-url button");
await has("#about", "no classes");
await page.locator("#model-failure").waitFor({ state: "hidden" });
await page.locator("#classes-card").waitFor({ state: "hidden" });
assert.match(await read("#vector-facts"), /^\d+ numbers/);

// A name is shown in its own letters, and one that is no address as it is.
await page.fill("#url", "/models/embedder/?100%");
await page.click("#by-url button");
await has("#about", "?100%, remote: no classes");

// Loading says how far it is, and stops when it is told to.
await page.evaluate(() => {
  window.seen = [];
  const bar = document.getElementById("progress");
  const look = () => bar.hasAttribute("value") && window.seen.push(bar.value);
  new MutationObserver(look).observe(bar, { attributes: true });
});
await page.fill("#url", "/slow/default.bin");
await page.click("#by-url button");
await page.waitForFunction(() => window.seen.at(-1) > 0.4);
await page.screenshot({ path: join(folders.shots, "loading.png"), fullPage: true });
await page.click("#cancel");
await page.locator("#loading").waitFor({ state: "hidden" });
const seen = await page.evaluate("seen");
assert.deepEqual(seen, [...seen].sort((a, b) => a - b), "progress went back");
assert.ok(seen.length > 5 && seen.at(-1) < 1, `progress was ${seen}`);
await dripped;

// The person's own files, one by one and as a folder.
const file = (name) => join(folders.classifier, name);
const own = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
await page.setInputFiles("#files", own.map(file));
await has("#about", "local, local");
await page.locator("#classes-card").waitFor();
await page.setInputFiles("#folder", resolve(folders.classifier));
await has("#about", "bert-classify, local");
await page.setInputFiles("#files", file("model.safetensors"));
await has("#model-failure", /bundle/i);

const missing = (said) => said.includes("404");
assert.deepEqual(complaints.filter((said) => !missing(said)), []);
await browser.close();
server.close();
