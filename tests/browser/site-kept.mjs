// What becomes of the site without its model, without a network, and when there is a newer one.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { has } from "./site-checks.mjs";

const MODEL = "/trireme/models/default/default.bin";

/** What a server does that has lost the model. */
export const NO_MODEL = { [MODEL]: (_, response) => response.writeHead(404).end() };

/** Where the model is not there a page says so, and a person asks again. */
export async function withoutModel(page, { tricks }) {
  await has(page, "#model-failure", "model_not_found");
  delete tricks[MODEL];
  await page.click("#use-default");
  await has(page, "#facts", "16 notes can be searched");
  await page.locator("#model-failure").waitFor({ state: "hidden" });
  assert.ok(await page.locator("#use-default").isHidden());
  // What could not be kept with the model missing is kept now.
  await page.locator("#kept").waitFor();
}

const versions = (page) => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("trireme-site-")));

/** A new version of the site waits for the pages of the old one to close, and then takes its place. */
export async function newVersion(page, tricks, web) {
  await page.locator("#kept").waitFor();
  const [old] = await versions(page);
  const script = (await readFile(join(web, "sw.js"), "utf8")).replace(/"[0-9a-f]{16}"/, '"0123456789abcdef"');
  assert.match(script, /0123456789abcdef/);
  tricks["/sw.js"] = (_, response) => response.writeHead(200, { "content-type": "text/javascript" }).end(script);
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
    while (!registration.waiting) await new Promise((later) => setTimeout(later, 50));
  });
  assert.deepEqual(await versions(page), [old, "trireme-site-0123456789abcdef"]);
  const site = page.url();
  await page.goto("about:blank");
  await page.goto(site);
  await page.waitForFunction(async (old) => !(await caches.has(old)), old);
  assert.deepEqual(await versions(page), ["trireme-site-0123456789abcdef"]);
}

/** Once the site is kept it answers without a network, on every page, and is isolated as before. */
export async function offline(page, { context, origin, stop }) {
  await has(page, "#verdict", "positive");
  await page.locator("#kept").waitFor();
  const kept = await page.evaluate(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("trireme-site-"));
    const cache = await caches.open(names[0]);
    const sizes = await Promise.all((await cache.keys()).map(async (key) => (await (await cache.match(key)).blob()).size));
    return { versions: names.length, files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  });
  console.log(`site: kept ${kept.files} files, ${(kept.bytes / 1e6).toFixed(1)} MB`);
  assert.equal(kept.versions, 1);
  const browser = await context.newCDPSession(page);
  const { errors } = await browser.send("Page.getAppManifest");
  const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
  // A browser of tests has no past and no future; nothing else is missing.
  assert.deepEqual([errors, installabilityErrors.map(({ errorId }) => errorId)], [[], ["in-incognito"]]);

  await context.setOffline(true);
  await stop();
  for (const path of ["", "?once"]) {
    await page.goto(`${origin}/${path}`);
    await has(page, "#verdict", "positive");
  }
  await page.fill("#text", "a dull, lifeless mess");
  await has(page, "#verdict", "negative");
  assert.ok(await page.evaluate(() => crossOriginIsolated), "headers are kept too");
  await page.goto(`${origin}/search.html`);
  await has(page, "#facts", "16 notes can be searched");
  await page.goto(`${origin}/map.html`);
  await has(page, "#facts", "20 sentences on the map");
}
