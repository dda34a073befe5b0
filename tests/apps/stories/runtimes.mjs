// The package where there is no page: each runtime finds its edition by the exports map.

import { symlink } from "node:fs/promises";
import { join } from "node:path";

import { same } from "../kit/expect.mjs";
import { run, start } from "../kit/program.mjs";
import { program } from "../kit/project.mjs";

export const stories = {
  node: (told) => script(told, process.execPath, []),

  deno: (told) => {
    const deno = join(told.tools, "@deno/linux-x64-glibc/deno");
    return script(told, deno, ["run", "--allow-read", "--allow-env", "--no-remote", "--no-prompt"]);
  },

  bun: (told) => script(told, join(told.tools, "@oven/bun-linux-x64/bin/bun"), ["run"]),

  workerd: async ({ project, expected, tools }) => {
    const folder = join(project.folder, "workerd");
    // As Cloudflare's own tools do it: an engine and a model stay modules beside the script.
    const kept = ["--external:*.wasm", "--external:*.bin"];
    const flags = ["--bundle", "--format=esm", "--conditions=workerd,worker", "--outfile=dist/main.mjs", ...kept];
    await run(program(project, "esbuild"), ["worker.mjs", ...flags, "--log-level=warning"], { cwd: folder });
    await symlink(project.library, join(folder, "trireme"));
    const runtime = join(tools, "@cloudflare/workerd-linux-64/bin/workerd");
    const workerd = await start(runtime, ["serve", "config.capnp", "--control-fd=1"], {
      cwd: folder,
      of: (line) => /"port":(\d+)/.exec(line)?.[1],
    });
    try {
      const response = await fetch(`http://127.0.0.1:${workerd.found}`);
      if (!response.ok) throw new Error(`the Worker answered ${response.status}: ${await response.text()}`);
      same(await response.json(), expected);
    } finally {
      await workerd.end();
    }
    return "a Worker answers";
  },
};

/** Runs the script to its end, with models that are disposed of and with some that are not. */
async function script({ project, expected }, runtime, flags) {
  const begin = performance.now();
  for (const last of ["dispose", "leave"]) {
    const args = [...flags, "runtimes/script.mjs", last];
    same(JSON.parse(await run(runtime, args, { cwd: project.folder, patience: 60_000 })), expected);
  }
  const seconds = ((performance.now() - begin) / 2000).toFixed(1);
  return `answers, refuses, stops, and ends by itself after ${seconds} s`;
}
