// The one browser of a test.

import { createRequire } from "node:module";
import { join } from "node:path";

const FLAGS = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Gives pages a GPU also where the machine has none. */
export const GPU = ["--enable-unsafe-webgpu"];

/** Starts Chromium without a window. */
export async function launch(flags = []) {
  const modules = process.env.TRIREME_NODE_MODULES;
  if (!modules) throw new Error("TRIREME_NODE_MODULES does not say where playwright-core is");
  const { chromium } = createRequire(join(modules, "/"))("playwright-core");
  const executablePath = process.env.TRIREME_BROWSER ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: [...FLAGS, ...flags], headless: true });
}
