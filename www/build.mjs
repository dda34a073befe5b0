// Makes the npm package and the site in a folder that holds the engine already.
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

const www = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? "");
const library = join(folder, "trireme");
const modules = process.env.TRIREME_NODE_MODULES;
if (!process.argv[2] || !modules) {
  console.error("usage: TRIREME_NODE_MODULES=… node www/build.mjs FOLDER");
  process.exit(2);
}
const { build } = createRequire(join(modules, "/"))("esbuild");

/** Sends an import to another file; `external` leaves it to the browser. */
const send = (filter, path, external = false) => ({
  name: `send ${filter}`,
  setup: ({ onResolve }) => onResolve({ filter }, () => ({ path, external })),
});

const shared = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: "linked",
  logLevel: "warning",
};

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
    },
    include: [join(www, "src"), join(www, "site")],
  };
  writeFileSync(config, JSON.stringify(options));
  const tsc = join(modules, ".bin/tsc");
  execFileSync(tsc, ["--project", config], { stdio: "inherit" });
  cpSync(join(library, "types/src"), library, { recursive: true });
  rmSync(join(library, "types"), { recursive: true });
  rmSync(config);
}

await build({
  ...shared,
  entryPoints: [join(www, "src/index.ts"), join(www, "src/worker.ts"), join(www, "src/helper.ts")],
  outdir: library,
  plugins: ["engine", "engine-relaxed", "engine-threads"].map((engine) =>
    send(new RegExp(`/${engine}/trireme\\.js$`), join(library, engine, "trireme.js")),
  ),
});
await build({
  ...shared,
  entryPoints: [join(www, "site/main.ts"), join(www, "site/style.css")],
  outdir: join(folder, "site"),
  // The site takes the package from beside it, as a stranger's page would.
  plugins: [send(/^trireme$/, "../trireme/index.js", true)],
});
types();
for (const file of ["index.html", "site/icon.svg"]) cpSync(join(www, file), join(folder, file));
for (const file of ["package.json", "README.md"]) cpSync(join(www, file), join(library, file));
cpSync(resolve(www, "../models/default"), join(library, "models/default"), {
  recursive: true,
  filter: (path) => !path.endsWith(".toml"),
});
