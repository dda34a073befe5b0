// Opens an app in a real browser and waits for its answer.

import { launch } from "../../browser/chromium.mjs";
import { siteOf } from "./site.mjs";

/** How long an app may take, in milliseconds. */
const PATIENCE = 60_000;

/** The answer of a page at an address, and when its first one came. */
export async function visit(address) {
  const browser = await launch();
  try {
    return await read(await browser.newPage(), address);
  } finally {
    await browser.close();
  }
}

/** The same of a folder that was built, with what went over the line. */
export async function visitFolder(mounts, { path = "/", headers } = {}) {
  const site = await siteOf(mounts, { headers });
  try {
    const { answer, first } = await visit(site.origin + path);
    return { answer, line: await site.before(first) };
  } finally {
    site.close();
  }
}

/** What an app shows in a page that is open already. */
export async function read(page, address) {
  const complaints = [];
  page.on("console", (said) => said.type() === "error" && complaints.push(said.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  const output = page.locator("#answer:not(:empty)");
  const came = await output.waitFor({ state: "attached", timeout: PATIENCE }).then(() => true, () => false);
  if (!came) throw new Error(`${address} gave no answer; the browser says:\n${complaints.join("\n")}`);
  try {
    const answer = parsed(await output.textContent());
    const marked = 'performance.getEntriesByName("first answer")[0]?.startTime ?? Infinity';
    return { answer, first: await page.evaluate(`performance.timeOrigin + (${marked})`) };
  } catch (thrown) {
    throw new Error([`${address}: ${thrown.message}`, ...complaints].join("\n"));
  }
}

/** An answer, or what an app failed of. */
export function parsed(said) {
  const { error, ...answer } = JSON.parse(said);
  if (error) throw new Error(`the app failed: ${error.name} ${error.code}: ${error.message}\n${error.stack}`);
  return answer;
}
