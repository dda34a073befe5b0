// What a person does on each page of the site, and what comes of it.

import assert from "node:assert/strict";

import { has, read, texts } from "./site-checks.mjs";

export async function index(page) {
  await has(page, "#verdict", "positive");
  assert.equal(await page.locator("nav a").count(), 5);
  assert.equal(await read(page, "nav [aria-current=page]"), "Try it");
  for (const link of await page.locator("nav a, .doors a").all()) {
    const status = (await page.request.get(new URL(await link.getAttribute("href"), page.url()).href)).status();
    assert.equal(status, 200, await link.textContent());
  }
  await icons(page);
}

/** Every icon that a phone may ask for is there, in the size that is said of it. */
async function icons(page) {
  const found = await page.evaluate(async () => {
    const { icons } = await (await fetch("manifest.webmanifest")).json();
    const links = [...document.querySelectorAll("link[rel$=icon]")];
    const all = [
      ...icons.map(({ src, sizes }) => ({ src, sizes })),
      ...links.map((link) => ({ src: link.getAttribute("href"), sizes: link.getAttribute("sizes") ?? "any" })),
    ];
    const drawn = all.map(async ({ src, sizes }) => {
      const image = Object.assign(new Image(), { src });
      await image.decode();
      return { src, sizes, got: sizes === "any" ? "any" : `${image.naturalWidth}x${image.naturalHeight}` };
    });
    return Promise.all(drawn);
  });
  assert.equal(found.length, 5);
  for (const { src, sizes, got } of found) assert.equal(got, sizes, src);
}

export async function search(page) {
  await has(page, "#facts", "16 notes can be searched: 16 notes embedded");
  const first = async (query) => {
    await page.fill("#query", query);
    await page.waitForTimeout(400);
    return read(page, "#results li:first-child .name");
  };
  assert.match(await first("repair a water leak"), /leaking pipe/);
  assert.match(await first("my daughter is ill"), /doctor/);
  assert.match(await first("learning to play music"), /Piano/);
  const scores = (await texts(page, "#results .share")).map(Number);
  assert.deepEqual(scores, [...scores].sort((a, b) => b - a), "the best comes first");

  // Only what changed is embedded again.
  const notes = await page.inputValue("#notes");
  await page.fill("#notes", `${notes}\nMy guitar has a broken string.`);
  await has(page, "#facts", "17 notes can be searched: 1 note embedded");
  assert.match(await first("repair my guitar"), /guitar/);
  await page.fill("#notes", notes);
  await has(page, "#facts", "16 notes can be searched: nothing new to embed");
  await page.fill("#query", "");
  await page.waitForFunction(() => document.querySelectorAll("#results li").length === 0);
  await page.fill("#query", "something warm to eat");
  await has(page, "#results li:first-child", "soup");
}

export async function map(page) {
  await has(page, "#facts", "20 sentences on the map");
  assert.equal(await page.locator("#map .mark").count(), 20);
  assert.equal(await page.locator("#sentences button").count(), 20);
  // Pointing and the keyboard link both sides.
  await page.locator("#sentences button").nth(3).focus();
  assert.match(await read(page, "#told"), /^4: She baked a cake/);
  assert.equal(await read(page, "#map .near text"), "4");
  await page.locator("#map .mark", { hasText: /^7$/ }).click();
  assert.match(await read(page, "#told"), /^7: A dull movie/);
  assert.match(await page.evaluate(() => document.activeElement.textContent), /A dull movie/);

  const shapes = () => page.locator("#map .mark path").evaluateAll((all) => new Set(all.map((path) => path.getAttribute("d"))).size);
  assert.ok((await shapes()) > 2, "groups have shapes of their own");
  await page.check("#by-class");
  await has(page, "#legend", "positive");
  assert.equal(await shapes(), 2, "a shape for each class");
  await page.check("#by-group");
  await has(page, "#legend", "Group 1");

  await page.fill("#lines", "One.\nTwo sentences.\nThree of them here.");
  await has(page, "#facts", "3 sentences on the map");
  assert.equal(await page.locator("#map .mark").count(), 3);
  await page.fill("#lines", "");
  await has(page, "#facts", "0 sentences on the map");
  await page.reload();
  await has(page, "#facts", "20 sentences on the map");
}

export async function benchmark(page, { isolated }) {
  // It stops when it is told to, and begins anew.
  await page.click("#run");
  await page.locator("#speeds tr:first-child td", { hasText: /\d/ }).first().waitFor();
  await page.click("#stop");
  await has(page, "#facts", "Stopped");
  await page.click("#run");
  await has(page, "#facts", "Fastest here");
  const rows = await texts(page, "#speeds tr");
  assert.equal(rows.length, 4);
  const row = (name) => rows.find((row) => row.includes(name));
  const numbers = async (name) => texts(page, `#speeds tr:has-text("${name}") td`);
  for (const cell of [...(await numbers("simd")), ...(isolated ? await numbers("threads") : [])]) {
    assert.match(cell, /^[\d,]+$/, `speeds: ${rows}`);
  }
  if (!isolated) assert.match(row("threads"), /not cross-origin isolated.*unsupported_here/);
  assert.match(row("WebGPU"), /Not here: .{10}|\d/);
  console.log(`site: ${(await read(page, "#facts")).trim()} ${row("WebGPU")}`);
  assert.equal(await page.locator("#chart figure").count(), 3);
}

/** In place of an edge: a page of any origin may ask. */
export async function edge(request, response) {
  const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "content-type" };
  if (!request.url.startsWith("/edge/")) return response.writeHead(405, headers).end();
  response.writeHead(200, { ...headers, "content-type": "application/json" });
  response.end(JSON.stringify({ ...edge.answer, place: "edge" }));
}

export async function places(page, origin) {
  await has(page, "#answers tr", "positive");
  assert.match(await read(page, "#agreement"), /Only this page was asked/);
  const rows = () => texts(page, "#answers tr");
  assert.equal((await rows()).length, 2, "this page, and its server");
  assert.match((await rows())[1], /Not asked/);

  // What this page answered, as a server would say it.
  edge.answer = await page.evaluate(async () => {
    const { load } = await import("/trireme/index.js");
    const model = await load();
    const answer = await model.predict(document.getElementById("text").value);
    model.dispose();
    // Servers write numbers of 32 bits in as few digits as tell them apart.
    return { ...answer, confidence: Number(answer.confidence.toPrecision(9)) };
  });
  await page.fill("#edge", `${origin}/edge`);
  // Nobody listens at this port.
  await page.fill("#origin", "http://127.0.0.1:9");
  await page.click("#ask button");
  await has(page, "#answers tr", "source_unavailable");
  await has(page, "#agreement", "The digests agree: it is the same model. The answers agree to the last bit.");
  const [here, there, nowhere] = await rows();
  assert.match(here, /this page.*client.*default.*int8.*positive.*%.*ms/);
  assert.match(there, /edge.*positive.*%.*ms/);
  assert.match(nowhere, /Could not reach http:\/\/127\.0\.0\.1:9 \(source_unavailable\)/);

  edge.answer = { ...edge.answer, label: "negative", digest: "0".repeat(64) };
  await page.click("#ask button");
  await has(page, "#agreement", "The digests differ: the models do. The answers differ.");

  // Another text is this page's alone until the button is pressed; addresses outlast the visit.
  await page.fill("#text", "a dreadful bore");
  await has(page, "#answers tr:first-child", "negative");
  await has(page, "#agreement", "Only this page was asked");
  await page.reload();
  await has(page, "#answers tr", "positive");
  assert.equal(await page.inputValue("#edge"), `${origin}/edge`);

  // Without addresses the page's own server is asked, which here has no model.
  for (const input of ["#edge", "#origin"]) await page.fill(input, "");
  await page.click("#ask button");
  await has(page, "#answers tr", "HTTP 405");
  assert.equal((await rows()).length, 2);
  await page.fill("#edge", "not an address");
  await page.click("#ask button");
  await has(page, "#answers tr", "source_misconfigured");
  await page.fill("#edge", `${origin}/edge`);
  await page.click("#ask button");
  await has(page, "#agreement", "The digests differ");
}
