// Which build of the engine runs, and how it comes here.

import simd from "./engine/factory.js";
import relaxed from "./engine-relaxed/factory.js";
import threaded from "./engine-threads/factory.js";
import { error, wordsOf } from "./errors.js";
import { get, modules, sharing, type Folder } from "./platform.js";
import { relaxedDotsWork } from "./probe.js";
import type { Threads, Wanted } from "./protocol.js";

/** The JavaScript around an engine: a new one for each model, so that none shares another's memory. */
interface Glue {
  default(of: { module_or_path: WebAssembly.Module; memory?: WebAssembly.Memory }): Promise<{
    memory: WebAssembly.Memory;
  }>;
  Model: Pick<typeof import("./engine/trireme.js").Model, "load">;
}

/** A build of the engine. */
interface Built {
  glue: () => Glue;
  folder: Folder;
  threads: number;
}

/** More threads than this find no work in one text. */
const MOST_THREADS = 8;

const PAGE = 65536;

/** Pages that an engine begins with where its caller sets a limit: all have fewer. */
const FIRST_PAGES = 64;

/** The build for what the caller wants and this machine has. */
export function engineFor({ lane, threads = 1, module }: Wanted): Built {
  const relaxes = lane ? lane === "relaxed-simd" : !module && relaxedHere();
  const count = threadsFor(threads, relaxes);
  if (count > 1) return { glue: threaded, folder: "engine-threads", threads: count };
  if (relaxes) return { glue: relaxed, folder: "engine-relaxed", threads: 1 };
  return { glue: simd, folder: "engine", threads: 1 };
}

/** Whether relaxed SIMD is to be used: as the host's own engine does, or where it is right. */
function relaxedHere(): boolean {
  return modules["engine-relaxed"] !== undefined || relaxedDotsWork();
}

function threadsFor(wanted: Threads, relaxes: boolean): number {
  const able = relaxes && sharing;
  if (wanted === "auto") return able ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_THREADS) {
    const message = `threads is ${wanted}; it is "auto" or a number from 1 to ${MOST_THREADS}`;
    throw error("invalid_option", message);
  }
  if (wanted === 1 || able) return wanted;
  const reason = relaxes ? "the page is not cross-origin isolated" : "relaxed SIMD is not in use";
  throw error("unsupported_here", `${wanted} threads can't share memory here, because ${reason}; load with one`);
}

/** A memory that can't grow past the caller's limit; `undefined` leaves that to the engine. */
export function memoryFor({ threads }: Built, most: number | undefined): WebAssembly.Memory | undefined {
  if (most === undefined) return undefined;
  const maximum = Math.floor(most / PAGE);
  if (!(maximum >= FIRST_PAGES) || maximum > PAGE) {
    const message = `maxMemory is ${most}; it is between ${FIRST_PAGES * PAGE} and ${PAGE * PAGE} bytes`;
    throw error("invalid_option", message);
  }
  if (threads > 1) throw error("invalid_option", "maxMemory is for one thread");
  return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum });
}

/** An engine, compiled: by the caller, by the host, or here. */
export async function compiled({ folder }: Built, { module, assets }: Wanted): Promise<WebAssembly.Module> {
  const ready = module ?? modules[folder];
  if (ready) return ready;
  return compile(assets ? new URL(`${folder}/trireme_bg.wasm`, assets) : beside(folder));
}

/** Where an engine lies beside this script, in the words that bundlers look for. */
function beside(folder: Folder): URL {
  switch (folder) {
    case "engine":
      return new URL("./engine/trireme_bg.wasm", import.meta.url);
    case "engine-relaxed":
      return new URL("./engine-relaxed/trireme_bg.wasm", import.meta.url);
    case "engine-threads":
      return new URL("./engine-threads/trireme_bg.wasm", import.meta.url);
  }
}

/** Compiles an engine, while it comes in where the server calls it what it is. */
async function compile(url: URL): Promise<WebAssembly.Module> {
  try {
    const response = await get(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const streams = response.headers.get("content-type")?.startsWith("application/wasm");
    return await (streams
      ? WebAssembly.compileStreaming(response)
      : WebAssembly.compile(await response.arrayBuffer()));
  } catch (thrown) {
    const unable = thrown instanceof WebAssembly.CompileError;
    throw unable
      ? error("unsupported_here", `the engine can't run here, for want of WebAssembly with SIMD: ${thrown.message}`)
      : error("source_unavailable", `could not fetch the engine: ${wordsOf(thrown)}`);
  }
}
