// A thread of an engine: it shares the memory of the worker that has the model, and does pieces of
// its operations until it is terminated.

import threaded from "./engine-threads/factory.js";
import { deathOf } from "./errors.js";
import { scope } from "./platform.js";
import type { FromHelper, Shared } from "./protocol.js";

scope.listen(async ({ module, memory }: Shared) => {
  scope.tell({ started: true } satisfies FromHelper);
  const { default: init, work } = threaded();
  try {
    await init({ module_or_path: module, memory });
    work();
  } catch (thrown) {
    // The others wait for this one's piece: nothing goes on without it.
    const last: FromHelper = { crash: deathOf(thrown) };
    scope.tell(last);
  }
});
