// The engine's side: one model in one worker. It answers one request after another, and dies of
// the first that breaks it; the page starts the next worker.

import * as simd from "./engine/trireme.js";
import * as relaxed from "./engine-relaxed/trireme.js";
import * as threaded from "./engine-threads/trireme.js";
import type { InitOutput, Model } from "./engine/trireme.js";
import { deathOf, errorOf, faultOf, wordsOf } from "./errors.js";
import { Missing, open } from "./files.js";
import { relaxedDotsWork } from "./probe.js";
import type { Ask, Device, FromWorker, Lane, Loaded, Threads, ToWorker, Wanted } from "./protocol.js";

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

async function load({ place, name, version, precision, lane, threads, device }: Wanted): Promise<Loaded> {
  const source = Promise.resolve(open(place, (progress) => tell({ progress }))).catch(refused);
  // Told below; until then nobody listens.
  source.catch(() => {});
  const built = engineFor(lane, threads);
  const module = await compile(built.url);
  wasm = await built.glue.default({ module_or_path: module }).catch(unplaced);
  const processor = device && processorOf(device);
  engine = await built.glue.Model.load(
    await source, name, version, precision, built.threads, processor,
  );
  if (built.threads > 1) tell({ seats: built.threads - 1, shared: { module, memory: wasm.memory } });
  return {
    ...engine.health(),
    labels: engine.labels,
    lane: engine.lane as Lane,
    threads: built.threads,
    device: engine.device === "gpu" ? "webgpu" : "wasm",
    refused: engine.refused,
  };
}

/** A device as the engine calls it. */
function processorOf(device: Device): "cpu" | "gpu" {
  if (device === "wasm") return "cpu";
  if (device === "webgpu") return "gpu";
  const message = `there is no device "${device}"; there are: wasm, webgpu`;
  throw errorOf({ code: "invalid_option", message });
}

/** A build of the engine, with the JavaScript around it. */
interface Built {
  glue: typeof simd;
  url: URL;
  threads: number;
}

/** More threads than this find no work in one text. */
const MOST_THREADS = 8;

/** The build for what the caller wants and the browser has. */
function engineFor(lane: Lane | undefined, wanted: Threads = 1): Built {
  const relaxes = lane ? lane === "relaxed-simd" : relaxedDotsWork();
  const threads = threadsFor(wanted, relaxes);
  const [glue, folder] = threads > 1
    ? [threaded, "engine-threads"]
    : relaxes ? [relaxed, "engine-relaxed"] : [simd, "engine"];
  const url = new URL(`./${folder}/trireme_bg.wasm`, import.meta.url);
  // They differ in what each adds to the first.
  return { glue: glue as typeof simd, url, threads };
}

function threadsFor(wanted: Threads, relaxes: boolean): number {
  const able = relaxes && crossOriginIsolated;
  if (wanted === "auto") return able ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_THREADS) {
    const message = `threads is ${wanted}; it is "auto" or a number from 1 to ${MOST_THREADS}`;
    throw errorOf({ code: "invalid_option", message });
  }
  if (wanted === 1 || able) return wanted;
  const reason = relaxes ? "the page is not cross-origin isolated" : "relaxed SIMD is not in use";
  const message = `${wanted} threads can't share memory here, because ${reason}; load with one`;
  throw errorOf({ code: "unsupported_here", message });
}

/** Compiles an engine, while it comes in where the server calls it what it is. */
async function compile(url: URL): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const streams = response.headers.get("content-type")?.startsWith("application/wasm");
    return await (streams
      ? WebAssembly.compileStreaming(response)
      : WebAssembly.compile(await response.arrayBuffer()));
  } catch (thrown) {
    const unable = thrown instanceof WebAssembly.CompileError;
    const message = unable
      ? `this browser can't run the engine, it lacks WebAssembly with SIMD: ${thrown.message}`
      : `could not fetch the engine: ${wordsOf(thrown)}`;
    throw errorOf({ code: unable ? "unsupported_here" : "source_unavailable", message });
  }
}

/** An engine could not be started. */
function unplaced(thrown: unknown): never {
  if (!(thrown instanceof RangeError)) throw thrown;
  const message = `this browser has no memory for the engine: ${thrown.message}`;
  throw errorOf({ code: "out_of_memory", message });
}

/** A bundle's source failed. */
function refused(thrown: unknown): never {
  if (thrown instanceof Missing) {
    throw errorOf({ code: "model_not_found", message: "there is no bundle at this place" });
  }
  throw errorOf({ code: "source_unavailable", message: `could not read the bundle: ${wordsOf(thrown)}` });
}

function crash(thrown: unknown): void {
  tell({ crash: deathOf(thrown), id: current });
}

function tell(message: FromWorker): void {
  postMessage(message);
}
