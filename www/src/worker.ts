// The engine's side: one model in one worker. It answers one request after another, and dies of
// the first that breaks it; the page starts the next worker.

import * as simd from "./engine/trireme.js";
import * as relaxed from "./engine-relaxed/trireme.js";
import type { InitOutput, Model } from "./engine/trireme.js";
import { errorOf, faultOf, type Fault } from "./errors.js";
import { Missing, open } from "./files.js";
import { relaxedDotsWork } from "./probe.js";
import type { Ask, FromWorker, Lane, Loaded, ToWorker, Wanted } from "./protocol.js";

const aborts = new Map<number, AbortController>();
let wasm: InitOutput | undefined;
let engine: Model | undefined;
/** The request that is being answered. */
let current: number | undefined;
/** Settles when the requests so far are answered. */
let queue = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if ("abort" in data) return aborts.get(data.abort)?.abort();
  const { id, ask } = data;
  if (ask.do === "health" || ask.do === "memory") return void answer(id, ask);
  aborts.set(id, new AbortController());
  queue = queue.then(async () => {
    current = id;
    await answer(id, ask);
    current = undefined;
    aborts.delete(id);
  });
});

// A trap surfaces here and not in the promise that the engine gave: nothing is left to reject it.
addEventListener("error", (event) => crash(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => crash(event.reason));

async function answer(id: number, ask: Ask): Promise<void> {
  try {
    tell({ id, answer: await perform(ask, aborts.get(id)?.signal) });
  } catch (thrown) {
    const fault = faultOf(thrown);
    if (fault) tell({ id, fault });
    else crash(thrown);
  }
}

async function perform(ask: Ask, abort: AbortSignal | undefined): Promise<unknown> {
  if (ask.do === "load") return load(ask.wanted);
  if (!engine || !wasm) throw errorOf({ code: "internal", message: "no model is loaded" });
  switch (ask.do) {
    case "predict":
      return engine.predict(ask.request, abort);
    case "encode":
      return engine.encode(ask.request, abort);
    case "health":
      return engine.health();
    case "memory":
      return wasm.memory.buffer.byteLength;
  }
}

async function load({ place, name, version, precision, lane }: Wanted): Promise<Loaded> {
  const source = Promise.resolve(open(place, (progress) => tell({ progress }))).catch(refused);
  // Told below; until then nobody listens.
  source.catch(() => {});
  const { Model } = await start(lane ?? (relaxedDotsWork() ? "relaxed-simd" : "simd128"));
  engine = await Model.load(await source, name, version, precision);
  return { ...engine.health(), labels: engine.labels, lane: engine.lane as Lane };
}

/** Compiles the engine of a lane. */
async function start(lane: Lane): Promise<typeof simd> {
  const [glue, url] = lane === "relaxed-simd"
    ? [relaxed, new URL("./engine-relaxed/trireme_bg.wasm", import.meta.url)]
    : [simd, new URL("./engine/trireme_bg.wasm", import.meta.url)];
  try {
    wasm = await glue.default({ module_or_path: url });
    return glue as typeof simd;
  } catch (thrown) {
    const unable = thrown instanceof WebAssembly.CompileError;
    const message = unable
      ? `this browser can't run the engine, it lacks WebAssembly with SIMD: ${thrown.message}`
      : `could not fetch the engine: ${words(thrown)}`;
    throw errorOf({ code: unable ? "unsupported_here" : "source_unavailable", message });
  }
}

/** A bundle's source failed. */
function refused(thrown: unknown): never {
  if (thrown instanceof Missing) {
    throw errorOf({ code: "model_not_found", message: "there is no bundle at this place" });
  }
  throw errorOf({ code: "source_unavailable", message: `could not read the bundle: ${words(thrown)}` });
}

function crash(thrown: unknown): void {
  tell({ crash: verdict(thrown), id: current });
}

/** What the engine died of. A panic says so itself; Rust ends in `unreachable` only where an
 *  allocation failed. */
function verdict(thrown: unknown): Fault {
  if (thrown instanceof WebAssembly.RuntimeError && /unreachable/i.test(thrown.message)) {
    return { code: "out_of_memory", message: "the engine ran out of memory; ask for less at once" };
  }
  return { code: "internal", message: `the engine broke on this request: ${words(thrown)}` };
}

function words(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function tell(message: FromWorker): void {
  postMessage(message);
}
