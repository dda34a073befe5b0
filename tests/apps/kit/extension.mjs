// Chromium with an extension. It needs a profile, and none of the flags that keep extensions out.

import { createRequire } from "node:module";
import { join } from "node:path";

export function withExtension(folder) {
  const { chromium } = createRequire(join(process.env.TRIREME_NODE_MODULES, "/"))("playwright-core");
  return chromium.launchPersistentContext("", {
    executablePath: process.env.TRIREME_BROWSER ?? "/usr/bin/chromium",
    headless: true,
    ignoreDefaultArgs: ["--disable-extensions"],
    args: [
      "--no-sandbox",
      "--disable-features=DisableLoadExtensionCommandLineSwitch",
      `--disable-extensions-except=${folder}`,
      `--load-extension=${folder}`,
    ],
  });
}
