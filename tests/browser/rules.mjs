// The package's rules, by themselves: when a GPU pays, how far loading is, how lists are cut.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { buildSync } = createRequire(join(process.env.TRIREME_NODE_MODULES, "/"))("esbuild");

async function rule(file) {
  const path = fileURLToPath(new URL(`../../www/src/${file}`, import.meta.url));
  const { outputFiles } = buildSync({ entryPoints: [path], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const { crossover } = await rule("crossover.ts");
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

const { Tally } = await rule("progress.ts");
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

const { answered, checked, pieces } = await rule("pieces.ts");
async function cut(texts) {
  const all = [];
  for await (const piece of pieces(texts)) all.push(piece.length);
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

const faulty = answered(["a", "b"], async () => Promise.reject(new Error("broken")));
await assert.rejects(faulty.next(), /broken/);
console.log("ok: the rules hold");
