// What computes fastest in this browser.

import { load, type Model } from "trireme";

import { showChart } from "./chart.js";
import { made, part, say } from "./dom.js";
import { keepOffline } from "./keep.js";
import { measure, SIZES, WAYS, type Size, type Way } from "./measure.js";
import { count, failure, whole } from "./words.js";
import { work } from "./work.js";

/** What is known of one way: a number for each size that was measured, or why there is none. */
interface Row {
  speeds: number[];
  refused?: string;
}

/** Steps of one way: the model is loaded, and each size measured. */
const STEPS = 1 + SIZES.length;

let rows: Row[] = [];

async function run(): Promise<void> {
  rows = WAYS.map(() => ({ speeds: [] }));
  show();
  try {
    const whole = await work(async (signal, report) => {
      for (const [index, way] of WAYS.entries()) {
        const step = (done: number, words: string) => report(index * STEPS + done, WAYS.length * STEPS, words);
        step(0, `${way.name}: loading`);
        rows[index] = await measured(way, signal, (row) => {
          rows[index] = row;
          step(1 + row.speeds.length, way.name);
          show();
        });
        show();
      }
    });
    say("facts", whole ? verdict() : "Stopped. What was measured is in the table.");
  } catch (error) {
    say("failure", failure(error));
  }
}

/** Measures one way, as far as the browser has it. */
async function measured(way: Way, signal: AbortSignal, heard: (row: Row) => void): Promise<Row> {
  const speeds: number[] = [];
  let model: Model | undefined;
  try {
    // The site keeps this model itself: see `keep.ts`.
    model = await load("default", { ...way.options, cache: "off", signal });
    const refused = way.refusal?.(model);
    if (refused !== undefined) return { speeds, refused };
    heard({ speeds });
    for (const size of SIZES) {
      speeds.push(await measure(model, size, signal));
      heard({ speeds });
    }
    return { speeds };
  } catch (error) {
    signal.throwIfAborted();
    return { speeds, refused: failure(error) };
  } finally {
    model?.dispose();
  }
}

function show(): void {
  part("speeds").replaceChildren(...WAYS.map((way, index) => line(way, rows[index])));
  const groups = SIZES.map((size, column) => ({
    title: titleOf(size),
    bars: WAYS.flatMap(({ name }, index) => {
      const value = rows[index]?.speeds[column];
      return value === undefined ? [] : [{ name, value }];
    }),
  }));
  if (groups.some(({ bars }) => bars.length > 0)) showChart(part("chart"), groups);
}

function line({ name }: Way, row: Row = { speeds: [] }): HTMLElement {
  const head = made("th", "", name);
  head.scope = "row";
  if (row.refused !== undefined) {
    const why = made("td", "why", `Not here: ${row.refused}`);
    why.colSpan = SIZES.length;
    return made("tr", "", head, why);
  }
  const cells = SIZES.map((_, column) => {
    const speed = row.speeds[column];
    return made("td", "", speed === undefined ? "–" : whole(speed));
  });
  return made("tr", "", head, ...cells);
}

function titleOf({ texts, tokens }: Size): string {
  return count(texts * tokens, "token");
}

/** The fastest at the most that is read at once. */
function verdict(): string {
  const last = rows.map(({ speeds }) => speeds[SIZES.length - 1] ?? 0);
  const best = last.indexOf(Math.max(...last));
  const many = last[best] ?? 0;
  if (many === 0) return "Nothing could be measured.";
  return `Fastest here: ${WAYS[best]?.name}, with ${whole(many)} tokens a second.`;
}

for (const size of SIZES) {
  const head = made("th", "", titleOf(size));
  head.scope = "col";
  part("sizes").append(head);
}
show();
part("run").addEventListener("click", () => void run());
addEventListener("load", keepOffline);
