// One text, answered in several places, side by side.

import { load, type PredictAnswer } from "trireme";

import { predictAt } from "./asking.js";
import { part, say } from "./dom.js";
import { own } from "./opening.js";
import { agreement, showColumns, showRows, type Row } from "./table.js";
import { latest } from "./typing.js";

/** A place that can be asked. */
interface Place {
  name: string;
  ask: (text: string, signal: AbortSignal) => Promise<PredictAnswer>;
}

const text = part<HTMLTextAreaElement>("text");
const addresses = [part<HTMLInputElement>("edge"), part<HTMLInputElement>("origin")];

const model = own((options) => load("default", options));
const here: Place = {
  name: "this page",
  ask: async (text, signal) => (await model).predict(text, { signal }),
};

/** The places beside this page. Two without an address are one: the page's server. */
function others(): Place[] {
  const all = new Set(addresses.map(({ value }) => value.trim()));
  return Array.from(all, (address) => ({
    name: address || "this page's server",
    ask: (text, signal) => predictAt(address, text, signal),
  }));
}

/** Shows each answer when it is here. */
async function ask(text: string, everywhere: boolean, signal: AbortSignal): Promise<void> {
  const places = [here, ...others()];
  const rows = places.map(({ name }, index): Row => ({ asked: name, waiting: everywhere || index === 0 }));
  const fill = async ({ name, ask }: Place, index: number) => {
    const start = performance.now();
    try {
      const answer = await ask(text, signal);
      rows[index] = { asked: name, answer, took: performance.now() - start };
    } catch (error) {
      rows[index] = { asked: name, error };
    }
    if (!signal.aborted) show(rows);
  };
  show(rows);
  await Promise.all(places.filter((_, index) => rows[index]?.waiting).map(fill));
}

function show(rows: readonly Row[]): void {
  showRows(part("answers"), rows);
  say("agreement", agreement(rows));
}

let everywhere = false;
// Each row says itself what failed.
const nothing = () => {};
const type = latest((text, signal) => ask(text, everywhere, signal), nothing, nothing);

/** Asks this page, or all places, about the text as it is now. */
function answer(all: boolean, rest?: number): void {
  everywhere = all;
  type(text.value, rest);
}

/** Addresses are remembered where the browser may. */
function remember(input: HTMLInputElement): void {
  const key = `trireme address ${input.id}`;
  try {
    input.value = localStorage.getItem(key) ?? "";
    input.addEventListener("change", () => localStorage.setItem(key, input.value.trim()));
  } catch {
    // They are typed again.
  }
}

addresses.forEach(remember);
showColumns(part("columns"));
for (const input of [text, ...addresses]) input.addEventListener("input", () => answer(false));
part("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  answer(true, 0);
});
answer(false, 0);
