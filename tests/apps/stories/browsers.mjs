// The package in places of browsers other than a page's window, and in the other browser.

import { cp } from "node:fs/promises";
import { join } from "node:path";

import { same } from "../kit/expect.mjs";
import { withExtension } from "../kit/extension.mjs";
import { postedIn } from "../kit/firefox.mjs";
import { run } from "../kit/program.mjs";
import { program } from "../kit/project.mjs";
import { parsed, read, visitFolder } from "../kit/visit.mjs";

export const stories = {
  "service worker": async ({ project, expected }) => {
    const folder = join(project.folder, "service-worker");
    const flags = ["--bundle", "--format=esm", "--minify", "--log-level=warning", "--outdir=dist"];
    await run(program(project, "esbuild"), ["worker.js", ...flags], { cwd: folder });
    await run("cp", ["index.html", "main.js", "dist/"], { cwd: folder });
    same((await visitFolder([["/trireme/", project.library], ["/", join(folder, "dist")]])).answer, expected);
    return "answers over messages, in itself";
  },

  extension: async ({ project, expected }) => {
    const folder = join(project.folder, "extension");
    await cp(project.library, join(folder, "trireme"), { recursive: true });
    await cp(join(project.folder, "small"), join(folder, "small"), { recursive: true });
    const browser = await withExtension(folder);
    try {
      const worker = browser.serviceWorkers()[0] ?? (await browser.waitForEvent("serviceworker"));
      const { answer } = await read(await browser.newPage(), new URL("page.html", worker.url()).href);
      same(answer, expected);
    } finally {
      await browser.close();
    }
    return "its background answers a message";
  },

  firefox: async ({ project, expected }) => {
    const mounts = [
      ["/trireme/", project.library],
      ["/small/", join(project.folder, "small")],
      ["/", join(project.folder, "firefox")],
    ];
    const answers = await postedIn(mounts);
    for (const edition of ["index", "inline"]) same(parsed(answers[edition]), expected);
    return "answers, with workers and without";
  },
};
