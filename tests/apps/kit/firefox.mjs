// Firefox without a driver: it opens a page, and the page sends back what it found.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { siteOf } from "./site.mjs";

const PATIENCE = 120_000;

/** It asks its maker for many things at its start; a proxy that is not there keeps it from that, and
 *  loopback goes past a proxy. */
const PREFERENCES = `
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.startup.max_resumed_crashes", -1);
`;

/** What a page of a folder posts. */
export async function postedIn(mounts) {
  const profile = await mkdtemp(join(tmpdir(), "trireme-firefox-"));
  await writeFile(join(profile, "user.js"), PREFERENCES);
  let came;
  const answer = new Promise((resolve) => (came = resolve));
  const site = await siteOf(mounts, { answer: came });
  const program = process.env.TRIREME_FIREFOX ?? "/usr/bin/firefox-esr";
  const flags = ["--headless", "--no-remote", "--profile", profile, site.origin];
  // It starts others; a group of their own lets all be ended at once.
  const firefox = spawn(program, flags, { stdio: "ignore", detached: true });
  const gone = once(firefox, "exit");
  try {
    const early = gone.then(([code]) => Promise.reject(new Error(`${program} ended with ${code} before its page answered`)));
    return await Promise.race([answer, early, late(program)]);
  } finally {
    site.close();
    if (firefox.pid !== undefined && firefox.exitCode === null) process.kill(-firefox.pid);
    await gone.catch(() => {});
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function late(program) {
  return new Promise((_, reject) => {
    const error = new Error(`${program}'s page did not answer within ${PATIENCE / 1000} s`);
    setTimeout(reject, PATIENCE, error).unref();
  });
}
