// The package's rules, by themselves: when a GPU pays, how far loading is, how lists are cut, what is
// kept of files.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { buildSync } = createRequire(join(process.env.TRIREME_NODE_MODULES, "/"))("esbuild");

/** Some of the package's files, as one. */
async function rules(...files) {
  const stdin = {
    contents: files.map((file) => `export * from "./${file}";`).join("\n"),
    resolveDir: fileURLToPath(new URL("../../www/src", import.meta.url)),
    loader: "ts",
  };
  const { outputFiles } = buildSync({ stdin, bundle: true, format: "esm", write: false });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const { crossover } = await rules("crossover.ts");
const at = (tokens, wasm, webgpu) => ({ tokens, wasm, webgpu });
for (const [name, measured, expected] of [
  ["nothing was measured", [], Infinity],
  ["slower everywhere", [at(8, 1, 9), at(32, 3, 10)], Infinity],
  ["faster everywhere", [at(8, 9, 1), at(32, 30, 2)], 8],
  ["faster when long", [at(8, 1, 5), at(32, 4, 5), at(120, 16, 6), at(480, 64, 10)], 120],
  ["a lucky short one decides nothing", [at(8, 9, 1), at(32, 4, 5), at(120, 16, 6)], 120],
  ["slower again at the longest", [at(8, 9, 1), at(32, 9, 1), at(120, 9, 10)], Infinity],
  ["as fast is not faster", [at(8, 10, 9.5)], Infinity],
  ["in any order", [at(120, 16, 6), at(8, 1, 5)], 120],
]) {
  assert.equal(crossover(measured), expected, `crossover: ${name}`);
}

const { Tally } = await rules("progress.ts");
function told(script) {
  const seen = [];
  let now = 0;
  const tally = new Tally((progress) => seen.push(progress), () => now);
  script(tally, (seconds) => (now += seconds));
  return seen;
}
assert.deepEqual(
  told((tally, wait) => {
    tally.begin();
    tally.found(100, false);
    tally.step(100);
    tally.end(100, 100);
    tally.begin();
    wait(1);
    tally.found(1000, true);
    wait(1);
    tally.step(450);
  }).map(({ loaded, total, secondsLeft }) => [loaded, total, secondsLeft]),
  [[100, undefined, undefined], [100, undefined, undefined], [550, 1100, 550 / 225]],
  "no total before the weights are in sight; then what is left, at the rate of late",
);
assert.equal(
  told((tally, wait) => {
    tally.begin();
    tally.found(100, true);
    wait(1);
    tally.step(150);
  }).at(-1).total,
  undefined,
  "a length that was too short is no total",
);

const { answered, checked } = await rules("pieces.ts");
async function cut(texts) {
  const all = [];
  for await (const piece of answered(texts, async (piece) => piece)) all.push(piece.length);
  return all;
}
assert.deepEqual(await cut([]), []);
assert.deepEqual(await cut("a text is one text"), [1]);
assert.deepEqual(await cut(Array(300).fill("short")), [128, 128, 44]);
assert.deepEqual(await cut(["a".repeat(30_000), "b".repeat(30_000), "c"]), [1, 2]);
await assert.rejects(cut(["fine", 7]), { code: "invalid_request", message: /^text 1 is of type number/ });
await assert.rejects(cut(["x".repeat(131_073)]), { code: "text_too_long" });
assert.equal(checked("half a \ud83d face"), "half a \ufffd face");
assert.equal(checked("a whole 🙂"), "a whole 🙂");
assert.throws(() => checked("x".repeat(131_073), "the query"), { code: "text_too_long", message: /^the query has / });

// A source that rests: what it brought is asked for, and told, before it brings more.
let told_;
const heard = new Promise((resolve) => (told_ = resolve));
async function* slow() {
  yield "one";
  await heard;
  yield "two";
}
const answers = [];
for await (const piece of answered(slow(), async (piece, from) => `${from}: ${piece}`)) {
  answers.push(piece);
  told_();
}
assert.deepEqual(answers, ["0: one", "1: two"]);

// Who has seen enough ends the source, and no answer is lost on the way.
let closed = false;
function* many() {
  try {
    for (let n = 0; ; n++) yield `text ${n}`;
  } finally {
    closed = true;
  }
}
for await (const piece of answered(many(), async (piece) => piece)) {
  assert.equal(piece[0], "text 0");
  break;
}
assert.ok(closed, "the source was left open");
// An abort while answers wait is thrown once, and by nobody else.
let stray = 0;
process.on("unhandledRejection", () => stray++);
const enough = new AbortController();
const stopped = (async () => {
  for await (const _ of answered(many(), async (piece) => piece, enough.signal)) enough.abort();
})();
await assert.rejects(stopped, { code: "cancelled" });
await new Promise((turn) => setTimeout(turn));
assert.equal(stray, 0, "rejections that nobody heard");

// A source that goes quiet holds nobody: it is told to end, and who leaves or has seen enough goes on.
function quiet(first) {
  const source = { ended: 0, asked: 0 };
  source[Symbol.asyncIterator] = () => ({
    next: () => (source.asked++ === 0 ? Promise.resolve({ done: false, value: first }) : new Promise(() => {})),
    return: async () => ({ done: true, value: void source.ended++ }),
  });
  return source;
}
/** A generator hears of its end only when it goes on. */
async function* generated() {
  yield "one";
  await new Promise(() => {});
}
const soon = (work, what) => {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(reject, 5000, new Error(`${what} never settled`))));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};
const echo = async (piece) => piece;
for (const [name, make] of [["an iterator", () => quiet("one")], ["a generator", generated]]) {
  const source = make();
  const left = new AbortController();
  const stream = answered(source, echo, left.signal);
  assert.deepEqual((await stream.next()).value, ["one"]);
  const waits = stream.next();
  left.abort();
  await assert.rejects(soon(waits, `an abort with ${name}`), { code: "cancelled" });

  const other = make();
  const seen = [];
  const enough = (async () => {
    for await (const piece of answered(other, echo)) {
      seen.push(piece);
      break;
    }
  })();
  await soon(enough, `a break with ${name}`);
  assert.deepEqual(seen, [["one"]]);
  if ("ended" in source) assert.deepEqual([source.ended, other.ended], [1, 1], "sources that were not told to end");
}

// Who left before it began asks for nothing that it would have to wait for.
await assert.rejects(soon(answered(quiet(), echo, AbortSignal.abort()).next(), "who had left"), { code: "cancelled" });

// One that ends by itself, or fails, is not told to end.
let endings = 0;
const over = (last) => ({
  [Symbol.asyncIterator]: () => ({ next: async () => last(), return: async () => ({ done: true, value: void endings++ }) }),
});
for await (const _ of answered(over(() => ({ done: true })), echo)) assert.fail("there is no text");
await assert.rejects(answered(over(() => Promise.reject(new Error("torn"))), echo).next(), /torn/);
assert.equal(endings, 0);
await new Promise((turn) => setTimeout(turn));
assert.equal(stray, 0, "rejections that nobody heard of quiet sources");

const faulty = answered(["a", "b"], async () => Promise.reject(new Error("broken")));
await assert.rejects(faulty.next(), /broken/);

// Files that are kept: what is damaged is fetched past what is kept, alone, and takes its place last.
const kept = new Map();
let full = Infinity;
globalThis.caches = {
  open: async () => ({
    match: async (key) => kept.get(key.url ?? key)?.clone(),
    keys: async () => [...kept.keys()].map((url) => ({ url })),
    delete: async (key) => kept.delete(key.url ?? key),
    put: async (key, response) => {
      if (full-- <= 0) throw new DOMException("full", "QuotaExceededError");
      kept.set(key, response);
    },
  }),
};
const served = new Map();
let gets = [];
globalThis.fetch = async (url, { method = "GET" } = {}) => {
  const name = url.href.split("/").at(-1);
  if (method === "GET") gets.push(name);
  const { body, etag } = served.get(name) ?? {};
  if (body === undefined) return new Response(null, { status: 404 });
  return new Response(method === "HEAD" ? null : body, { headers: { etag, "content-length": `${body.length}` } });
};
const { open, Pins, Reading, Tally: Count } = await rules("files.ts", "pins.ts", "reading.ts", "progress.ts");
const hash = (text) => createHash("sha256").update(text).digest("hex");
/** Reads files in one attempt. */
async function readAll(names, { sha256, past, cache } = {}) {
  const wanted = { place: { kind: "folder", url: "https://models.test/m/" }, sha256, cache };
  const reading = new Reading(undefined, past);
  gets = [];
  const files = open(wanted, { tally: new Count(() => {}), pins: new Pins(wanted), reading });
  const texts = [];
  for (const name of names) texts.push(await files.fetch(name).then((bytes) => new TextDecoder().decode(bytes), ({ got }) => got));
  return { reading, texts };
}
const takeAll = async ({ reading }) => {
  for (const replace of reading.instead) await replace();
};
/** Damages what is kept of a file. */
const spoil = (name) => {
  for (const key of kept.keys()) if (decodeURIComponent(key).includes(`/m/${name}/`) && !key.endsWith("meta")) kept.set(key, new Response("spoilt"));
};
for (const name of ["a", "b", "c"]) served.set(name, { body: `${name} good`, etag: name });
assert.deepEqual((await readAll(["a", "b", "c"])).texts, ["a good", "b good", "c good"]);

const pinned = { a: hash("a good"), b: hash("b good") };
spoil("a");
assert.deepEqual((await readAll(["a", "b", "c"], { sha256: pinned })).texts, ["a good", "b good", "c good"]);
assert.deepEqual(gets, ["a"], "one is damaged, and it alone is fetched");
assert.deepEqual((await readAll(["a", "b", "c"], { sha256: pinned })).reading.kept, true);
assert.deepEqual(gets, [], "it took the other's place");

const wrong = await readAll(["a"], { sha256: { a: hash("another") } });
assert.deepEqual([wrong.texts, wrong.reading.damaged, gets], [[hash("a good")], true, ["a"]]);
assert.deepEqual((await readAll(["a"], { cache: "only" })).texts, ["a good"], "a wrong hash costs nothing");

const anew = await readAll(["a", "b", "c"], { sha256: pinned, past: true });
assert.deepEqual([gets, anew.reading.instead.length], [["c"], 1], "what came to its hash is not in question");

// A newer file: the older stays until the engine has taken the other, and where there is no room.
served.set("c", { body: "c newer", etag: "c2" });
const newer = await readAll(["c"]);
assert.deepEqual(newer.texts, ["c newer"]);
assert.deepEqual((await readAll(["c"], { cache: "only" })).texts, ["c good"]);
const before = [...kept.keys()].sort();
full = 1;
await takeAll(newer);
assert.match(newer.reading.unkept, /no more room/);
assert.deepEqual([...kept.keys()].sort(), before);
full = Infinity;
assert.deepEqual((await readAll(["c"], { cache: "only" })).texts, ["c good"]);
await takeAll(newer);
assert.deepEqual((await readAll(["c"])).texts, ["c newer"]);
assert.deepEqual(gets, []);
assert.equal(kept.size, before.length, "nothing is left of the older");

// One that is gone from its server is gone here once the model works without it.
served.delete("c");
const gone = await readAll(["c"]);
assert.deepEqual((await readAll(["c"], { cache: "only" })).texts, ["c newer"]);
await takeAll(gone);
assert.equal((await readAll(["c"])).texts[0], "");
assert.deepEqual(gets, []);

// An attempt that failed has stopped before it says so.
const hanging = new Reading(undefined);
const hangs = hanging.watch(new Promise((_, reject) => hanging.signal.addEventListener("abort", () => reject(new Error("left")))));
hangs.catch(() => {});
await soon(hanging.end(), "an attempt's end");
await assert.rejects(hangs, /left/);
const caller = new AbortController();
const following = new Reading(caller.signal);
caller.abort();
assert.ok(following.signal.aborted, "the caller's abort is its own");
assert.equal(stray, 0, "rejections that nobody heard of files");
console.log("ok: the rules hold");
