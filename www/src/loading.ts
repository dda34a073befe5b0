// Loads a model: an engine and its files, and once more past what is kept where that is damaged.

import { compiled, engineFor, memoryFor } from "./engines.js";
import type { Model } from "./engine/trireme.js";
import { error, faultOf, wordsOf } from "./errors.js";
import { FAULTS } from "./faults.js";
import { open, type Reader } from "./files.js";
import { tilesHere } from "./gpu.js";
import { forget } from "./kept.js";
import { Pins } from "./pins.js";
import { Tally } from "./progress.js";
import type { Lane, Loaded, Placed, Progress, Shared, Wanted } from "./protocol.js";
import { Reading } from "./reading.js";
import { Damaged, Missing, Offline, Refused } from "./sources.js";

/** What an engine calls a processor. */
const PROCESSORS = { wasm: "cpu", webgpu: "gpu" } as const;

/** An engine that has its model, and what it says of it. */
export interface Ready {
  engine: Model;
  shared: Shared;
  loaded: Loaded;
}

/** Loads a model. One that is damaged, which no hash explains, may be so where it was kept: its files
 *  are read once more past what is kept, which stays until the others work. */
export async function load(
  wanted: Wanted,
  report: (progress: Progress) => void,
  signal: AbortSignal | undefined,
): Promise<Ready> {
  const reading = new Reading(signal);
  const reader: Reader = { tally: new Tally(report), pins: new Pins(wanted), reading };
  try {
    return await attempt(wanted, reader);
  } catch (thrown) {
    if (faultOf(thrown)?.code !== "invalid_model" || reading.damaged) throw thrown;
    // What came just now is not used again.
    for (const url of reading.came) await forget(url).catch(() => {});
    if (!reading.kept) throw thrown;
    return attempt(wanted, { ...reader, reading: new Reading(signal, true) }).catch((later) => {
      // What the files' servers say now is not what was wrong; anything else is.
      throw ofFiles(later) ? thrown : later;
    });
  }
}

function ofFiles(thrown: unknown): boolean {
  const fault = faultOf(thrown);
  return fault !== undefined && ["ModelError", "SourceError"].includes(FAULTS[fault.code].class);
}

/** One attempt. One that failed reads nothing more once it says so. */
async function attempt(wanted: Wanted, reader: Reader): Promise<Ready> {
  const { reading } = reader;
  try {
    return await opened(wanted, reader);
  } catch (thrown) {
    await reading.end();
    throw thrown;
  }
}

async function opened(wanted: Wanted, reader: Reader): Promise<Ready> {
  const source = Promise.resolve(open(wanted, reader)).catch(refused);
  // Told below; until then nobody listens.
  source.catch(() => {});
  const built = engineFor(wanted);
  const module = await compiled(built, wanted);
  const own = memoryFor(built, wanted.maxMemory);
  const glue = built.glue();
  const { memory } = await glue.default({ module_or_path: module, ...(own && { memory: own }) }).catch(unplaced);
  const tiles = wanted.processor === "webgpu" ? await tilesHere().catch(() => undefined) : undefined;
  const engine = await glue.Model.load(
    await source, wanted.name, wanted.version, wanted.precision, built.threads,
    wanted.processor && PROCESSORS[wanted.processor], tiles?.known,
  );
  try {
    await tiles?.keep();
    reader.pins.settle();
  } catch (thrown) {
    engine.free();
    throw thrown;
  }
  const { threads } = built;
  // What can't be replaced stays as it was, and then says why.
  for (const replace of reader.reading.instead) await replace().catch(() => {});
  const { unkept } = reader.reading;
  const loaded = { ...engine.info(), lane: engine.lane as Lane, threads, ...placeOf(engine), unkept };
  return { engine, shared: { module, memory }, loaded };
}

/** What computes now, by the engine itself. */
export function placeOf(engine: Model): Placed {
  return { processor: engine.device === "gpu" ? "webgpu" : "wasm", refused: engine.refused };
}

/** An engine could not be started. */
function unplaced(thrown: unknown): never {
  if (!(thrown instanceof RangeError)) throw thrown;
  throw error("out_of_memory", `there is no memory for the engine here: ${thrown.message}`);
}

/** A bundle's source failed. */
function refused(thrown: unknown): never {
  if (faultOf(thrown)) throw thrown;
  if (thrown instanceof Missing) throw error("model_not_found", "there is no bundle at this place");
  if (thrown instanceof Offline) throw error("offline", `${thrown.message}, and nothing may be fetched`);
  if (thrown instanceof Damaged) throw error("invalid_model", `the bundle is damaged: ${thrown.message}`);
  if (thrown instanceof Refused && (thrown.status === 401 || thrown.status === 403)) {
    throw error("source_refused", `the bundle's server wants another token: ${thrown.message}`);
  }
  throw error("source_unavailable", `could not read the bundle: ${wordsOf(thrown)}`);
}
