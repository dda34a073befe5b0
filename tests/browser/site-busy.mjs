// What the page's own thread does while the worker embeds many notes.

import assert from "node:assert/strict";

import { has, read } from "./site-checks.mjs";

/** The longest that it may compute at once, in milliseconds. */
const LONGEST = 50;

const NOTES = 1000;
const WORDS = ["harbour", "oar", "sail", "storm", "crew", "island", "letter", "market", "winter", "bread"];

/** Many notes: a person sees how far it is, can stop it and go on, and the page stays awake. */
export async function longLists(page) {
  await has(page, "#facts", "16 notes can be searched");
  const note = (_, i) => `Note ${i}: the ${WORDS[i % 10]} and the ${WORDS[(i * 7 + 3) % 10]} of day ${i}`;
  // All at once, as one pastes; what types them takes longer than what reads them.
  await page.locator("#notes").evaluate((notes, text) => {
    notes.value = text;
    notes.dispatchEvent(new Event("input"));
  }, Array.from({ length: NOTES }, note).join("\n"));
  await page.waitForFunction(() => /^[1-9]\d* of 1,000/.test(document.getElementById("work-words").textContent));
  await page.click("#stop");
  await has(page, "#facts", /^Stopped: \d+ of 1,000 notes can be searched/);
  const stopped = Number(/\d+/.exec(await read(page, "#facts")));
  assert.ok(stopped > 0 && stopped < NOTES, `${stopped} notes`);
  await page.locator("#work").waitFor({ state: "hidden" });

  await page.evaluate(() => {
    window.tasks = [];
    const note = (list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration));
    new PerformanceObserver(note).observe({ type: "longtask", buffered: true });
  });
  const computed = await traced(page, async () => {
    await page.click("#go-on");
    await has(page, "#facts", `1,000 notes can be searched: ${NOTES - stopped} notes embedded`);
  });
  // The observer's time goes on while other processes have the core; it is only told.
  const waited = Math.max(0, ...(await page.evaluate("tasks")));
  console.log(
    `site: while ${NOTES - stopped} notes were embedded the longest task computed for ${computed.toFixed(1)} ms; ` +
      `by the clock it was ${waited} ms (0: under 50)`,
  );
  assert.ok(computed <= LONGEST, `the page's thread computed for ${computed} ms at once`);
}

/** What the longest task of the page's thread computed for meanwhile, in milliseconds of the processor. */
async function traced(page, use) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await use();
  const { traceEvents: events } = JSON.parse(await browser.stopTracing());
  const thread = ({ pid, tid }) => `${pid} ${tid}`;
  const named = events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const pages = new Set(named.map(thread));
  const tasks = events.filter((event) => event.ph === "X" && pages.has(thread(event)) && event.tdur !== undefined);
  assert.ok(tasks.length > 10, "tasks were seen");
  return Math.max(...tasks.map(({ tdur }) => tdur)) / 1000;
}
