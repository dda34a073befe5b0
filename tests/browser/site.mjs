// Uses every page of the site as a person would, in a real Chromium, and takes pictures of it.
//
//     node tests/browser/site.mjs --web FOLDER --shots FOLDER [--only NAME]
//
// FOLDERs: what `cargo xtask build web` made, and where pictures go. NAME is that of a visit below.
// It ends with an error at the first thing that is not as it should be.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { launch } from "./chromium.mjs";
import { ISOLATION, serveFile } from "./serve.mjs";
import { longLists } from "./site-busy.mjs";
import { keyboard, looks, named } from "./site-checks.mjs";
import * as kept from "./site-kept.mjs";
import * as visits from "./site-visits.mjs";

const options = { web: { type: "string" }, shots: { type: "string" }, only: { type: "string" } };
const { values: given } = parseArgs({ options });
const mounts = [["/", resolve(given.web)]];

/** The site's own policy; it lets a person ask servers of their own. */
const POLICY = {
  "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src *; object-src 'none'",
};

/** How long anything may take on a busy machine, in milliseconds. */
const PATIENCE = 90_000;

/** Serves the site, in place of an edge one answer, and whatever else a visit does on the way. */
async function serve(headers) {
  const tricks = {};
  const server = createServer((request, response) => {
    // The address without what follows `?`, as hosts read it.
    const [path] = request.url.split("?");
    const trick = request.method === "POST" ? visits.edge : tricks[path];
    if (trick) return void trick(request, response);
    serveFile(mounts, path, response, { ...POLICY, ...headers });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { stop, tricks, origin: `http://127.0.0.1:${server.address().port}` };
}

const plain = await serve({});
const isolated = await serve(ISOLATION);
const browser = await launch();

/** Opens a page in a browser without a past. `expected` are complaints that belong to the visit, and
 *  `elsewhere` what it may ask for beside the site. */
async function visit(name, path, { server = plain, tricks = {}, expected = /^$/, elsewhere = /^$/ } = {}, use) {
  if (given.only && !name.startsWith(given.only)) return;
  const { origin } = server;
  Object.assign(server.tricks, tricks);
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (said) => said.type() === "error" && complaints.push(said.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("blob:") && !elsewhere.test(url)) complaints.push(`asked ${url}`);
  });
  const begin = performance.now();
  await page.goto(`${origin}/${path}`);
  await use(page, { context, origin, tricks: server.tricks, stop: server.stop });
  assert.deepEqual(complaints.filter((said) => !expected.test(said)), [], name);
  await context.close();
  for (const path of Object.keys(server.tricks)) delete server.tricks[path];
  console.log(`site: ${name}: right after ${Math.round(performance.now() - begin)} ms`);
}

/** The same for every page, when it has done its work. */
async function checked(page, name) {
  await named(page, name);
  await keyboard(page, name);
  await looks(page, name, given.shots);
}

await visit("index", "", {}, async (page) => {
  await visits.index(page);
  await checked(page, "index");
});
await visit("search", "search.html", {}, async (page) => {
  await visits.search(page);
  await checked(page, "search");
});
await visit("long lists", "search.html", {}, longLists);
await visit("map", "map.html", {}, async (page) => {
  await visits.map(page);
  await checked(page, "map");
});
await visit("benchmark", "benchmark.html", {}, async (page) => {
  await visits.benchmark(page, { isolated: false });
  await checked(page, "benchmark");
});
await visit("benchmark, isolated", "benchmark.html", { server: isolated }, (page) =>
  visits.benchmark(page, { isolated: true }),
);
// A browser says itself when it could not reach something, or was told so.
const unreached = { expected: /Failed to load resource/, elsewhere: /^http:\/\/(127\.0\.0\.1|localhost):/ };
await visit("places", "places.html", unreached, async (page, { origin }) => {
  await visits.places(page, origin);
  await checked(page, "places");
});
await visit("no model", "search.html", { tricks: kept.NO_MODEL, expected: /404/ }, kept.withoutModel);
await visit("new version", "", {}, (page, { tricks }) => kept.newVersion(page, tricks, given.web));
await visit("offline", "", { server: isolated }, kept.offline);

await browser.close();
await plain.stop();
await isolated.stop();
