// Makes the npm package and the site in a folder that holds the engines already.
//
//     node www/build.mjs FOLDER
//
// FOLDER/trireme/engine, engine-relaxed and engine-threads are what `wasm-bindgen --target web`
// made. `TRIREME_NODE_MODULES` says where esbuild and typescript are.

import { execFileSync } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { buildOffline, buildSite } from "./site/build.mjs";

const www = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? "");
const library = join(folder, "trireme");
const modules = process.env.TRIREME_NODE_MODULES;
if (!process.argv[2] || !modules) {
  console.error("usage: TRIREME_NODE_MODULES=… node www/build.mjs FOLDER");
  process.exit(2);
}
const { build } = createRequire(join(modules, "/"))("esbuild");
const source = (file) => join(www, "src", file);

const ENGINES = ["engine", "engine-relaxed", "engine-threads"];

/** The package once for each kind of place: what it brings, which model is inside, and what it is
 *  made into. */
const EDITIONS = [
  { entries: { index: "index.ts", worker: "worker.ts", helper: "helper.ts" } },
  { entries: { slim: "index.ts" }, model: "slim" },
  { entries: { inline: "index.ts" }, place: "inline" },
  { entries: { "inline-slim": "index.ts" }, place: "inline", model: "slim" },
  { entries: { node: "index.ts", "node-worker": "worker.ts", "node-helper": "helper.ts" }, place: "node" },
  { entries: { "node-slim": "index.ts" }, place: "node", model: "slim" },
  { entries: { workerd: "index.ts" }, place: "workerd", model: "workerd" },
  { entries: { "workerd-slim": "index.ts" }, place: "workerd", model: "slim" },
];

/** Sends an import to another file; `external` leaves it as it is. */
const send = (filter, path, external = false) => ({
  name: `send ${filter}`,
  setup: ({ onResolve }) => onResolve({ filter }, ({ path: asked }) => ({ path: path ?? asked, external })),
});

const shared = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: "linked",
  logLevel: "warning",
};

/** The JavaScript around an engine keeps one instance of it; a function around that makes as many as
 *  are wanted. */
async function factory(engine) {
  const glue = join(library, engine, "trireme.js");
  const { outputFiles } = await build({
    entryPoints: [glue],
    bundle: true,
    format: "iife",
    globalName: "glue",
    target: shared.target,
    write: false,
    logLevel: "warning",
  });
  const [{ text }] = outputFiles;
  writeFileSync(join(library, engine, "factory.js"), `export default () => {\n${text}\nreturn glue;\n};\n`);
  const types = 'declare const make: () => typeof import("./trireme.js");\nexport default make;\n';
  writeFileSync(join(library, engine, "factory.d.ts"), types);
}

function edition({ entries, place, model }) {
  const entryPoints = Object.entries(entries).map(([out, file]) => ({ in: source(file), out }));
  return build({
    ...shared,
    entryPoints,
    outdir: library,
    ...(place === "node" && { platform: "node" }),
    plugins: [
      ...ENGINES.map((engine) => send(new RegExp(`/${engine}/factory\\.js$`), join(library, engine, "factory.js"))),
      ...(place ? [send(/^\.\/platform\.js$/, source(`platform/${place}.ts`))] : []),
      ...(model ? [send(/^\.\/default\.js$/, source(`default/${model}.ts`))] : []),
      // A Worker is deployed with the files that it imports.
      send(/\.(wasm|bin)$/, undefined, true),
    ],
  });
}

function types() {
  const config = join(library, "tsconfig.json");
  const options = {
    extends: join(www, "tsconfig.json"),
    compilerOptions: {
      // The engine's types lie where its imports will find it in the package.
      rootDirs: [join(www, "src"), library],
      rootDir: join(www),
      outDir: join(library, "types"),
      paths: { trireme: [join(www, "src/index.ts")] },
      typeRoots: [join(modules, "@types")],
    },
    include: [join(www, "src"), join(www, "site")],
  };
  writeFileSync(config, JSON.stringify(options));
  const tsc = join(modules, ".bin/tsc");
  execFileSync(tsc, ["--project", config], { stdio: "inherit" });
  for (const inside of ["platform", "default"]) rmSync(join(library, "types/src", inside), { recursive: true });
  cpSync(join(library, "types/src"), library, { recursive: true });
  rmSync(join(library, "types"), { recursive: true });
  rmSync(config);
}

/** What only this script needs of the engines. */
function tidy() {
  for (const engine of ENGINES) {
    for (const file of ["trireme.js", "factory.js", "factory.d.ts", "trireme_bg.wasm.d.ts", "snippets"]) {
      rmSync(join(library, engine, file), { recursive: true, force: true });
    }
  }
}

await Promise.all(ENGINES.map(factory));
await Promise.all(EDITIONS.map(edition));
// The site takes the package from beside it, as a stranger's page would.
await buildSite(folder, build, { ...shared, plugins: [send(/^trireme$/, "../trireme/index.js", true)] });
types();
tidy();
for (const file of ["package.json", "README.md"]) cpSync(join(www, file), join(library, file));
const models = resolve(www, "../models/default");
// Cloudflare's tools take files of this ending as they are.
cpSync(join(models, "default.trireme"), join(library, "models/default/default.bin"));
cpSync(join(models, "README.md"), join(library, "models/default/README.md"));
await buildOffline(folder, build, shared);
