// A script of Node, Deno or Bun, over the package as its exports say. Prints the app's answer.
//
//     node runtimes/script.mjs dispose|leave
//
// `leave` ends with a model that nobody disposed of: the process must end all the same.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { InputError, pipeline } from "trireme";
import { pipeline as inline } from "trireme/inline";
import { pipeline as slim } from "trireme/slim";
import { app } from "../small/app.mjs";

const TEXT = "a quiet, moving film";
const bundle = await readFile(new URL("../node_modules/trireme/models/default/default.bin", import.meta.url));
const answer = await app(pipeline, {}, { device: "wasm" });

// Without a model inside, one is named, or given as bytes.
await fails(() => slim("text-classification"), "model_not_found");
await gives(await slim("text-classification", bundle));

// Without a worker, and with an engine that the caller compiled.
const engine = await readFile(new URL(import.meta.resolve("trireme/engine.wasm")));
await gives(await inline("text-classification", { model: bundle, module: await WebAssembly.compile(engine) }));

const embed = await pipeline("feature-extraction");
const refused = await fails(() => embed(""), "empty_text");
assert.ok(refused instanceof InputError, `an empty text: expected an InputError, got ${refused}`);
assert.equal(refused.name, "InputError");

// Whoever has seen enough of a long list says so, and gets no more.
const enough = new AbortController();
let seen = 0;
const taken = async () => {
  for await (const vector of embed.stream(endless(), { signal: enough.signal })) {
    if (vector.length === 384 && ++seen === 3) enough.abort();
  }
};
await fails(taken, "cancelled");
assert.ok(seen >= 3 && seen < 1000, `vectors of an endless list: expected a few, got ${seen}`);
assert.deepEqual([...(await embed(TEXT)).dims], [1, 384], "after an abort the next text is answered");

if (process.argv[2] === "dispose") await embed.dispose();
console.log(JSON.stringify(answer));

function* endless() {
  for (;;) yield TEXT;
}

/** Holds a classifier to the app's answer, and ends it. */
async function gives(classify) {
  const [{ label, score }] = await classify(TEXT);
  assert.deepEqual({ label, score }, answer.labels[0]);
  if (process.argv[2] === "dispose") await classify.dispose();
}

async function fails(ask, code) {
  const thrown = await ask().then(() => undefined, (error) => error);
  assert.equal(thrown?.code, code, `expected ${code}, got ${thrown?.stack ?? "no error"}`);
  return thrown;
}
