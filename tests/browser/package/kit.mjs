// What the cases share: a browser, a server that can fail, and pages with the package in them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { GPU, launch } from "../chromium.mjs";
import { faulty } from "../faulty.mjs";
import { serveFile } from "../serve.mjs";

export const { values } = parseArgs({
  options: {
    web: { type: "string" },
    drill: { type: "string" },
    minilm: { type: "string" },
    only: { type: "string" },
    long: { type: "boolean" },
  },
});
const mounts = [
  ["/drill/", resolve(values.drill)],
  ["/minilm/", resolve(values.minilm)],
  ["/test/", dirname(dirname(fileURLToPath(import.meta.url)))],
  ["/", resolve(values.web)],
];
export const bundle = await readFile(join(values.web, "trireme/models/default/default.bin"));
export const sha256 = createHash("sha256").update(bundle).digest("hex");
export const server = await faulty(bundle, (request, response) => {
  if (request.url.startsWith("/model/")) return false;
  if (request.url === "/favicon.ico") response.writeHead(404).end();
  else void serveFile(mounts, request.url, response);
  return true;
});

// A name that is no loopback's is no secure context.
export const insecure = `http://insecure.test:${server.port}`;
export const browser = await launch([...GPU, "--host-resolver-rules=MAP insecure.test 127.0.0.1"]);

/** A page of its own, with the package in `trireme`; what is kept is its context's alone. */
export async function fresh(work, { origin = server.origin, edition = "index", root = "", context } = {}) {
  const own = context ?? (await browser.newContext());
  const page = await own.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  await page.goto(`${origin}/test/bridge.html`);
  await page.evaluate(`import("${root}/trireme/${edition}.js").then((all) => { window.trireme = all; })`);
  try {
    return await work(page, own);
  } finally {
    await page.close();
    if (!context) await own.close();
  }
}

/** Loads the served model and asks it; what came of it. */
function use(page, options = {}) {
  return page.evaluate(async (options) => {
    const seen = [];
    const onProgress = (progress) => seen.push(progress);
    const start = performance.now();
    try {
      const model = await trireme.load(new URL("/model/default.bin", location.href), { onProgress, ...options });
      const { label } = await model.predict("a warm and funny film");
      const { unkept } = model.facts;
      model.dispose();
      return { label, unkept, seen, took: performance.now() - start };
    } catch (error) {
      const { code, message, name, retryable, hint } = error;
      if (code === undefined) throw error;
      return { code, message, name, retryable, hint, seen };
    }
  }, options);
}

export async function answers(page, options) {
  const got = await use(page, options);
  assert.equal(got.label, "positive", JSON.stringify({ ...got, seen: [] }));
  return got;
}

export async function fails(page, code, options) {
  const got = await use(page, options);
  assert.equal(got.code, code, JSON.stringify({ ...got, seen: [] }));
  return got;
}

/** The page has no worker any more. Each look is a journey to the browser and back. */
export async function ended(page) {
  for (let look = 0; page.workers().length > 0; look++) {
    assert.ok(look < 1000, `${page.workers().length} workers outlived their model`);
    await page.evaluate(() => true);
  }
}
