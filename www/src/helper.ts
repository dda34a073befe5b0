// A thread of an engine: it shares the memory of the worker that has the model, and does pieces of
// its operations until it is terminated.

import init, { work } from "./engine-threads/trireme.js";
import { deathOf } from "./errors.js";
import type { FromHelper, Shared } from "./protocol.js";

addEventListener("message", async ({ data: { module, memory } }: MessageEvent<Shared>) => {
  try {
    await init({ module_or_path: module, memory });
    work();
  } catch (thrown) {
    // The others wait for this one's piece: nothing goes on without it.
    const last: FromHelper = { crash: deathOf(thrown) };
    postMessage(last);
  }
});
