// Apps of strangers: our package from its tarball, built by bundlers, and run where people run it.
//
//     node tests/apps/run.mjs --package FOLDER --modules FOLDER [--only NAME]… [--without NAME]…
//
// FOLDERs: the package, and the `node_modules` that `package.json` here describes. The environment
// says where the other programs are: `TRIREME_NODE_MODULES`, `TRIREME_BROWSER`, `TRIREME_FIREFOX`.
// Models for the migration are `--minilm FOLDER` and the tiny ones of this checkout. One line says how
// each app went; the first that fails ends it.

import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { sensible } from "./kit/expect.mjs";
import { run } from "./kit/program.mjs";
import { projectOf } from "./kit/project.mjs";
import { stories as browsers } from "./stories/browsers.mjs";
import { stories as bundlers } from "./stories/bundlers.mjs";
import { stories as migration } from "./stories/migration.mjs";
import { stories as runtimes } from "./stories/runtimes.mjs";

const STORIES = { ...bundlers, ...runtimes, ...browsers, ...migration };

const { values: said } = parseArgs({
  options: {
    package: { type: "string" },
    modules: { type: "string" },
    minilm: { type: "string" },
    only: { type: "string", multiple: true, default: Object.keys(STORIES) },
    without: { type: "string", multiple: true, default: [] },
  },
});
const unknown = [...said.only, ...said.without].filter((name) => !Object.hasOwn(STORIES, name));
if (!said.package || !said.modules || unknown.length > 0) {
  const more = "[--minilm FOLDER] [--only NAME]… [--without NAME]…";
  console.error(`usage: node tests/apps/run.mjs --package FOLDER --modules FOLDER ${more}`);
  console.error(`names: ${Object.keys(STORIES).join(", ")}${unknown.length > 0 ? `; not: ${unknown.join(", ")}` : ""}`);
  process.exit(2);
}

const tools = process.env.TRIREME_NODE_MODULES;
if (!tools) throw new Error("TRIREME_NODE_MODULES does not say where the other programs are");

const project = await projectOf(resolve(said.package), resolve(said.modules));
try {
  console.log(`app: the tarball has ${Math.round(project.size / 1000)} kB`);
  // What all others are held against.
  const expected = JSON.parse(await run("node", ["runtimes/answer.mjs"], { cwd: project.folder }));
  sensible(expected);
  for (const name of said.only.filter((name) => !said.without.includes(name))) {
    const facts = await STORIES[name]({ project, expected, tools, minilm: said.minilm });
    console.log(`app: ${name}: ${facts}: ok`);
  }
} catch (thrown) {
  console.error(`app: failed: ${thrown.message}`);
  process.exitCode = 1;
} finally {
  if (!process.env.TRIREME_KEEP) await rm(project.folder, { recursive: true, force: true });
  else console.log(`app: kept ${project.folder}`);
}
