// Our package beside transformers.js in one Chromium: the same weights, the same texts, in turn.
//
//     node bench.mjs --web FOLDER --modules FOLDER --models FOLDER
//         [--rounds N] [--batches N] [--brotli N]
//
// FOLDERs: what `cargo xtask build web` made; the `node_modules` of `package-lock.json` here; and
// one with MiniLM in it, as `hub.py` wrote it to `minilm` and as a bundle in int8, `minilm.trireme`.
// It prints a table, and ends with an error only where an answer is wrong.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { launch } from "../../../browser/chromium.mjs";
import { ISOLATION, serveFile } from "../../../browser/serve.mjs";
import { ownBytes, renderers, workedFor } from "./processes.mjs";

const { values } = parseArgs({
  options: {
    web: { type: "string" },
    modules: { type: "string" },
    models: { type: "string" },
    rounds: { type: "string", default: "5" },
    // After so many, memory is looked at for the last time.
    batches: { type: "string", default: "1000" },
    // What servers do on the way; 11 is what a CDN keeps, and takes minutes of theirs.
    brotli: { type: "string", default: "5" },
  },
});
const rounds = Number(values.rounds);
/** What takes less than a second is measured more often. */
const SHORT = 3;

const SIDES = ["ours", "theirs"];

/** What each side loads, and how both call these numbers. Each has a file of its own for bytes; ours
 *  makes them of singles, too, where nobody packed a bundle. */
const MODELS = {
  f32: { dtype: "fp32", ours: "minilm/", theirs: "minilm" },
  int8: { dtype: "q8", ours: "minilm.trireme", theirs: "minilm" },
  "int8, no bundle": { dtype: "q8", ours: "minilm/", theirs: "minilm" },
};

/** Where code lies, and what is beside it. */
const CODE = { "/web/": resolve(values.web), "/modules/": resolve(values.modules) };
const mounts = [
  ...Object.entries(CODE),
  ["/models/", resolve(values.models)],
  ["/", import.meta.dirname],
];
/** The paths asked for since this was last emptied. */
const requested = new Set();
// Theirs imports a part of its engine by the URL of a blob.
const policy = "script-src 'self' blob: 'wasm-unsafe-eval'";
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://x");
  requested.add(pathname);
  serveFile(mounts, pathname, response, { ...ISOLATION, "content-security-policy": policy });
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const browser = await launch();

const rows = [];
try {
  await sameVectors();
  await code();
  for (const numbers of Object.keys(MODELS)) await firstAnswer(numbers);
  for (const numbers of ["int8", "f32"]) await speed(numbers);
  await memory("int8", [10, 100, Number(values.batches)]);
  await memory("f32", [10]);
} finally {
  await browser.close();
  server.close();
}

const manifest = join(values.modules, "@huggingface/transformers/package.json");
const { version } = JSON.parse(await readFile(manifest, "utf8"));
console.log(`
MiniLM-L6 in Chromium ${browser.version()}, wasm, one thread: ours in its worker and transformers.js ${version}
in the page, as each does unless told otherwise. Medians of ${rounds} rounds in turn; a ratio is the median of
the rounds' own.

| | ours | transformers.js | ratio |
|---|---:|---:|---:|
${rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}`);

/** The same answers, or there is nothing to compare. */
async function sameVectors() {
  const texts = lines(64);
  const vectors = async (side, numbers) => {
    const place = await open(side, numbers);
    const found = await place.ask((side, texts) => side.vectors(texts), texts);
    await place.close();
    return found;
  };
  const truth = await vectors("theirs", "f32");
  // What bytes cost is each side's own.
  for (const [side, numbers, least] of [
    ["ours", "f32", 0.9999],
    ["ours", "int8", 0.99],
    ["theirs", "int8", 0.95],
  ]) {
    const found = await vectors(side, numbers);
    const worst = Math.min(...found.map((vector, text) => dot(vector, truth[text])));
    console.error(`${numbers} of ${side}: the least cosine with f32 of theirs is ${worst.toFixed(5)}`);
    if (!(worst >= least)) throw new Error(`${numbers} of ${side}: a cosine of ${worst}`);
  }
}

/** What comes over the wire until the first answer, but for the model. */
async function code() {
  const total = {};
  for (const side of SIDES) {
    const place = await open(side, "int8");
    const files = [...requested].flatMap((path) => {
      const [mount, folder] = Object.entries(CODE).find(([mount]) => path.startsWith(mount)) ?? [];
      return folder ? [join(folder, path.slice(mount.length))] : [];
    });
    await place.close();
    const packed = files.map(async (file) => weights(await readFile(file)));
    total[side] = (await Promise.all(packed)).reduce((sum, each) => sum.map((some, at) => some + each[at]));
  }
  ["raw", "gzip 9", `brotli ${values.brotli}`].forEach((how, at) => {
    add(`code, ${how}`, { ours: [total.ours[at]], theirs: [total.theirs[at]] }, megabytes);
  });
}

function weights(bytes) {
  const { BROTLI_PARAM_QUALITY: quality, BROTLI_PARAM_LGWIN: window } = constants;
  const params = { [quality]: Number(values.brotli), [window]: constants.BROTLI_MAX_WINDOW_BITS };
  return [bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes, { params })].map((all) => all.length);
}

/** The time from going to a page to its first answer, by the clock and by what a busy machine leaves
 *  as it is: how long processors worked for the page. */
async function firstAnswer(numbers) {
  const worked = { ours: [], theirs: [] };
  const clock = await inTurn(async (side) => {
    const place = await open(side, numbers);
    worked[side].push((await workedFor(place.process)) * 1000);
    const time = await place.ask((side) => side.answered);
    await place.close();
    return time;
  });
  addBoth(`first answer, ${numbers}`, clock, worked, (time) => `${time.toFixed(0)} ms`);
}

/** Tokens a second, by both likewise. */
async function speed(numbers) {
  const places = await openBoth(numbers);
  for (const [label, size] of [["batches of 32", 32], ["one text at a time", 1]]) {
    const parts = slices(lines(SHORT * rounds * 32), 32).map((texts) => slices(texts, size));
    for (const side of SIDES) await places[side].ask((side, batches) => side.time(batches), parts[0]);
    const worked = { ours: [], theirs: [] };
    const clock = await inTurn(async (side, round) => {
      const batches = parts[round];
      const { ask, process } = places[side];
      const tokens = await places.theirs.ask((side, texts) => side.tokens(texts), batches.flat());
      const before = await workedFor(process);
      const time = await ask((side, batches) => side.time(batches), batches);
      worked[side].push(tokens / ((await workedFor(process)) - before));
      return (tokens / time) * 1000;
    }, SHORT * rounds);
    addBoth(`${label}, ${numbers}`, clock, worked, (rate) => `${rate.toFixed(0)} tokens/s`);
  }
  for (const side of SIDES) await places[side].close();
}

/** Memory after so many batches: the engine's, and all that the page's process has. */
async function memory(numbers, counts) {
  const places = await openBoth(numbers);
  let done = 0;
  for (const count of counts) {
    const batches = slices(lines((count - done) * 4, count), 4);
    const [engine, all] = [{}, {}];
    for (const side of SIDES) {
      await places[side].ask((side, batches) => side.time(batches), batches);
      engine[side] = [await places[side].ask((side) => side.memory())];
      all[side] = [await ownBytes(places[side].process)];
    }
    add(`wasm memory after ${count} batches, ${numbers}`, engine, megabytes);
    add(`process after ${count} batches, ${numbers}`, all, megabytes);
    done = count;
  }
  for (const side of SIDES) await places[side].close();
}

async function openBoth(numbers) {
  const [ours, theirs] = [await open("ours", numbers), await open("theirs", numbers)];
  return { ours, theirs };
}

/** A page with one side in it that has answered once, in a context that has seen nothing before. */
async function open(side, numbers) {
  const before = await renderers(browser);
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`${side}: ${error}`));
  requested.clear();
  const { dtype, [side]: model } = MODELS[numbers];
  const asked = new URLSearchParams({ side, model, dtype });
  await page.goto(`http://127.0.0.1:${server.address().port}/page.html?${asked}`);
  await page.evaluate("window.side.then(() => {})");
  const added = (await renderers(browser)).filter((id) => !before.includes(id));
  const sizes = await Promise.all(added.map(ownBytes));
  return {
    // A browser keeps one more ready, which is empty.
    process: added[sizes.indexOf(Math.max(...sizes))],
    ask: (work, given) => page.evaluate(`window.side.then((side) => (${work})(side, ${JSON.stringify(given)}))`),
    close: () => context.close(),
  };
}

/** Both sides' figures over all rounds; the second of one round is the first of the next. */
async function inTurn(measure, times = rounds) {
  const figures = { ours: [], theirs: [] };
  for (let round = 0; round < times; round++) {
    for (const side of round % 2 ? SIDES.toReversed() : SIDES) {
      figures[side].push(await measure(side, round));
    }
  }
  return figures;
}

/** A row of the table. What else the machine did in a round, it did to both sides. */
function add(label, { ours, theirs }, show) {
  const ratio = median(ours.map((own, round) => own / theirs[round]));
  rows.push([label, show(median(ours)), show(median(theirs)), `${ratio.toFixed(2)}×`]);
  console.error(rows.at(-1).join("  "));
}

function addBoth(label, clock, worked, show) {
  add(label, clock, show);
  add(`${label}, of processors`, worked, show);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

function megabytes(count) {
  return `${(count / 1e6).toFixed(2)} MB`;
}

function dot(a, b) {
  return a.reduce((sum, value, at) => sum + value * b[at], 0);
}

function slices(list, size) {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}

/** Texts of 8 to 40 words, as long as those of films; always the same for a seed. */
function lines(count, seed = 1) {
  const words =
    "the a of film and is it that this with its one but as about movie story be what in funny never " +
    "characters performances although disappointingly charm an unforgettable i've you screenplay , . " +
    "heart too long at ninety minutes yet director's eye for detail makes up bittersweet nonsense";
  const list = words.split(" ");
  let state = seed;
  const below = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const text = () => Array.from({ length: 8 + below(33) }, () => list[below(list.length)]).join(" ");
  return Array.from({ length: count }, text);
}
