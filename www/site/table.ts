// The table of answers, and whether they agree.

import type { PredictAnswer } from "trireme";

import { made } from "./dom.js";
import { failure, milliseconds, percent } from "./words.js";

/** What one place said: an answer, or what came instead; neither, where it was not asked or has not
 *  answered yet. */
export interface Row {
  /** Who was asked. */
  asked: string;
  waiting?: boolean;
  answer?: PredictAnswer;
  error?: unknown;
  /** Milliseconds until the answer was here. */
  took?: number;
}

/** Columns behind the one of who was asked. */
const COLUMNS: readonly [name: string, cell: (answer: PredictAnswer, took: number) => Node | string][] = [
  ["Place", ({ place }) => place],
  ["Model", ({ model }) => model],
  ["Version", ({ version }) => version],
  ["Digest", ({ digest }) => short(digest)],
  ["Precision", ({ precision }) => precision],
  ["Label", ({ label }) => label],
  ["Confidence", ({ confidence }) => percent(confidence)],
  ["Time", (_, took) => milliseconds(took)],
];

export function showColumns(row: HTMLElement): void {
  for (const name of ["Asked", ...COLUMNS.map(([name]) => name)]) {
    const head = made("th", "", name);
    head.scope = "col";
    row.append(head);
  }
}

export function showRows(body: HTMLElement, rows: readonly Row[]): void {
  body.replaceChildren(...rows.map(shown));
}

/** Whether those that answered hold one model, and say one thing. */
export function agreement(rows: readonly Row[]): string {
  if (rows.some(({ waiting }) => waiting)) return "–";
  const answers = rows.flatMap(({ answer }) => answer ?? []);
  if (answers.length < 2) {
    const failed = rows.some(({ error }) => error !== undefined);
    return failed ? "There is nothing to compare: fewer than two places answered." : "Only this page was asked.";
  }
  const digests = new Set(answers.map(({ digest }) => digest)).size === 1;
  // Servers write numbers of 32 bits, in as few digits as tell them apart.
  const said = new Set(answers.map(({ label, confidence }) => `${label} ${Math.fround(confidence)}`));
  const labels = new Set(answers.map(({ label }) => label)).size === 1;
  const model = digests ? "The digests agree: it is the same model." : "The digests differ: the models do.";
  if (said.size === 1) return `${model} The answers agree to the last bit.`;
  return `${model} ${labels ? "The labels agree, the confidences differ." : "The answers differ."}`;
}

function shown({ asked, waiting, answer, error, took = 0 }: Row): HTMLElement {
  const head = made("th", "", asked);
  head.scope = "row";
  if (answer) return made("tr", "", head, ...COLUMNS.map(([name, cell]) => named(name, cell(answer, took))));
  const instead = waiting ? "Asked…" : "Not asked about this text.";
  const why = made("td", "why", error === undefined ? instead : failure(error));
  why.colSpan = COLUMNS.length;
  return made("tr", "", head, why);
}

/** A cell that can say its column's name, where rows are stacked. */
function named(name: string, inside: Node | string): HTMLElement {
  const cell = made("td", "", inside);
  cell.dataset["name"] = name;
  return cell;
}

function short(digest: string): HTMLElement {
  const code = made("code", "", digest.slice(0, 12));
  code.title = digest;
  return code;
}
