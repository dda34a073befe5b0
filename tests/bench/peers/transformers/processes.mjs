// What a browser's processes take, as Linux tells it.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";

/** How many of Linux's ticks a second has. */
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"]));

/** The ids of the processes that pages are in. */
export async function renderers(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/** Bytes that a process has for itself alone: no file's, and none shared with another. */
export async function ownBytes(id) {
  const status = await readFile(`/proc/${id}/status`, "utf8");
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
}

/** The seconds that processors have worked for a process. */
export async function workedFor(id) {
  const stat = await readFile(`/proc/${id}/stat`, "utf8");
  // A name may have spaces in it, and ends with the last bracket.
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
  return (Number(user) + Number(system)) / TICKS;
}
