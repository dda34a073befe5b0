// Runs every library's cases against servers that are there: a line for each, and how many failed.
//
//     node run.mjs NODE_MODULES DEFAULT EMBEDDER
//
// The servers, given by their URLs, have the default model and one that only embeds. Their own
// routes say what the libraries must get.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { Wrong } from "./cases.mjs";
import { Server } from "./server.mjs";
import * as huggingface from "./with_huggingface_inference.mjs";
import * as openai from "./with_openai.mjs";

const [modules, ...urls] = process.argv.slice(2);
const [server, embedder] = await Promise.all(urls.map(Server.at));
const require = createRequire(join(modules, "/"));

// All of them take a second. A client that waits for ever fails.
setTimeout(() => {
  console.log("no end after 300 s");
  process.exit(1);
}, 300_000).unref();

let passed = 0;
let failed = 0;
for (const { library, cases } of [huggingface, openai]) {
  const { version } = JSON.parse(readFileSync(join(modules, library, "package.json"), "utf8"));
  console.log(`${library} ${version}`);
  for (const [title, holds] of Object.entries(cases(require(library)))) {
    try {
      await holds({ server, embedder });
      passed += 1;
      console.log(`  ${title}: ok`);
    } catch (error) {
      failed += 1;
      console.log(`  ${title}: FAILED: ${error instanceof Wrong ? error.message : error.stack}`);
    }
  }
}
console.log(`${passed} cases passed, ${failed} failed`);
if (failed || !passed) process.exitCode = 1;
