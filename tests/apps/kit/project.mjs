// A stranger's project: our package from its tarball, and the bundlers.

import { cp, mkdtemp, readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { run } from "./program.mjs";

const APPS = dirname(dirname(fileURLToPath(import.meta.url)));

/** Makes the project in a new folder; `library` is the package's folder, and `modules` one with what
 *  `package.json` here names. */
export async function projectOf(library, modules) {
  const folder = await mkdtemp(join(tmpdir(), "trireme-apps-"));
  const [{ filename, size }] = JSON.parse(
    await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: library }),
  );
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const quiet = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...quiet, `./${filename}`], { cwd: folder });
  // Links would do for most, but Next.js leaves no folder that it was told is its root.
  const inside = join(folder, "node_modules");
  const names = (await readdir(modules)).filter((name) => !name.startsWith(".package-lock"));
  const all = names.map((name) => join(modules, name));
  await run("cp", ["-al", ...all, inside]).catch(() => run("cp", ["-a", ...all, inside]));
  await cp(APPS, folder, { recursive: true, filter: (path) => !/package(-lock)?\.json$/.test(path) });
  return { folder, modules: inside, library: join(inside, "trireme"), size };
}

/** A program of the project's modules, as `npx` would find it. */
export function program({ modules }, name) {
  return join(modules, ".bin", name);
}

/** Bytes of the files in a folder, by the ends of their names. */
export async function bytesIn(folder, ends = "") {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(ends));
  const all = await Promise.all(files.map((name) => stat(join(folder, name))));
  return all.filter((found) => found.isFile()).reduce((sum, { size }) => sum + size, 0);
}
