// What the package does when something goes wrong, and when much is asked of it, in a real Chromium.
//
//     node tests/browser/package.mjs --web FOLDER --drill FOLDER --minilm FOLDER [--only CASE] [--long]
//
// FOLDERs: what `cargo xtask build` made of `web` and `web-drill`, and all-MiniLM-L6-v2. It prints a
// line for each case, and ends with an error at the first that is not as it should be. `--long` is
// the size of a soak.

import { cases as asking } from "./package/asking.mjs";
import { cases as devices } from "./package/devices.mjs";
import { browser, server, values } from "./package/kit.mjs";
import { cases as loading } from "./package/loading.mjs";

for (const [name, run] of Object.entries({ ...loading, ...asking, ...devices })) {
  if (values.only && !name.includes(values.only)) continue;
  const start = performance.now();
  try {
    await run();
  } catch (error) {
    console.error(`not ok: ${name}`);
    throw error;
  }
  console.log(`ok: ${name} (${Math.round(performance.now() - start)} ms)`);
}
await browser.close();
server.close();
