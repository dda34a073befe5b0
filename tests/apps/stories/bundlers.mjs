// The app as bundlers build it, in Chromium, from a host of static files with a strict policy. None of
// them is told anything for our package's sake; esbuild, which moves scripts and leaves what lies
// beside them, wants the package's folder on the server.

import { join } from "node:path";

import { same, sensible } from "../kit/expect.mjs";
import { run, start } from "../kit/program.mjs";
import { bytesIn, program } from "../kit/project.mjs";
import { policyFor } from "../kit/site.mjs";
import { visit, visitFolder } from "../kit/visit.mjs";

export const stories = {
  vite: (told) => {
    const [folder, vite] = [join(told.project.folder, "vite"), program(told.project, "vite")];
    return built(told, join(folder, "dist"), () => run(vite, ["build", "--logLevel", "warn"], { cwd: folder }));
  },

  "vite dev": async ({ project, expected }) => {
    const server = await start(program(project, "vite"), ["--host", "127.0.0.1", "--port", "0"], {
      cwd: join(project.folder, "vite"),
      env: { NO_COLOR: "1" },
      of: (line) => /Local:\s+(\S+)/.exec(line)?.[1],
    });
    try {
      same((await visit(server.found)).answer, expected);
    } finally {
      await server.end();
    }
    return "served while developing";
  },

  webpack: (told) => {
    const [folder, webpack] = [join(told.project.folder, "webpack"), program(told.project, "webpack")];
    return built(told, join(folder, "dist"), async () => {
      await run(webpack, [], { cwd: folder });
      await run("cp", ["index.html", "dist/"], { cwd: folder });
    });
  },

  esbuild: (told) => {
    const [folder, esbuild] = [join(told.project.folder, "esbuild"), program(told.project, "esbuild")];
    const flags = ["--bundle", "--format=esm", "--minify", "--log-level=warning", "--outfile=dist/bundle.js"];
    return built(told, join(folder, "dist"), async () => {
      await run(esbuild, ["main.js", ...flags], { cwd: folder });
      await run("cp", ["-r", "index.html", told.project.library, "dist/"], { cwd: folder });
    });
  },

  next: (told) => {
    const [folder, next] = [join(told.project.folder, "next"), program(told.project, "next")];
    const env = { NEXT_TELEMETRY_DISABLED: "1", NEXT_IGNORE_INCORRECT_LOCKFILE: "1" };
    const output = join(folder, "out");
    return built(told, output, () => run(next, ["build"], { cwd: folder, env }), {
      // Next.js writes scripts into its pages; the policy names them by their digests.
      headers: () => policyFor(join(output, "index.html")),
    });
  },

  types: async ({ project }) => {
    const tsc = program(project, "tsc");
    await run(tsc, ["--project", "types"], { cwd: project.folder });
    await run(tsc, ["--project", "types", "--module", "esnext", "--moduleResolution", "bundler"], { cwd: project.folder });
    return "the package's types hold for a strict TypeScript, as bundlers and as Node resolve them";
  },
};

/** Builds an app, opens what was built, and says what it weighs. */
async function built({ expected }, output, build, { headers = () => undefined } = {}) {
  const begin = performance.now();
  await build();
  const seconds = (performance.now() - begin) / 1000;
  const { answer, line } = await visitFolder([["/", output]], { headers: await headers() });
  sensible(answer);
  same(answer, expected);
  const [scripts, whole] = [await bytesIn(output, ".js"), await bytesIn(output)];
  return [
    `built in ${seconds.toFixed(1)} s`,
    `${kB(scripts)} JS of ${kB(whole)}`,
    `${kB(line.bytes)} until the first answer (${kB(line.packed)} gzipped)`,
  ].join(", ");
}

function kB(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}
