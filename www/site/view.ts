// What the first page shows of answers.

import type { EncodeAnswer, PredictAnswer } from "trireme";

import { showBars } from "./bars.js";
import { hide, part, say } from "./dom.js";
import { strip } from "./strip.js";
import { count, milliseconds, percent } from "./words.js";

/** Classes that are shown at once. */
const MOST_CLASSES = 8;

const plot = strip(part<HTMLCanvasElement>("strip"));

/** What was answered to a text. */
export interface Answers {
  vector: EncodeAnswer;
  classes: PredictAnswer | undefined;
}

/** Shows answers. */
export function showAnswers({ vector, classes }: Answers): void {
  hide("failure");
  const seconds = vector.processing_time + (classes?.processing_time ?? 0);
  say("facts", `${count(vector.tokens, "token")} in ${milliseconds(seconds * 1000)}, on the ${vector.place}.`);
  if (classes) showClasses(classes);
  const numbers = vector.embedding ?? new Float32Array();
  plot(numbers);
  const about = `${count(vector.dimensions, "number")}, length ${length(numbers).toFixed(3)}`;
  part("strip").setAttribute("aria-label", `Strip plot of a vector of ${about}`);
  say("vector-facts", `${about}: ${beginning(numbers)}`);
}

/** Nothing to answer. */
export function showNothing(): void {
  hide("failure");
  say("facts", "Answers appear as you type.");
  say("verdict", "–");
  part("classes").replaceChildren();
  say("vector-facts", "–");
  part("strip").setAttribute("aria-label", "No vector yet");
  plot([]);
}

function showClasses({ label, confidence, probabilities = {} }: PredictAnswer): void {
  say("verdict", `${label}, ${percent(confidence)}`);
  let rows = Object.entries(probabilities);
  if (rows.length > MOST_CLASSES) rows = rows.sort((a, b) => b[1] - a[1]).slice(0, MOST_CLASSES);
  const bars = rows.map(([name, share]) => ({ name, said: percent(share), share, best: name === label }));
  showBars(part("classes"), bars);
}

function length(vector: ArrayLike<number>): number {
  return Math.hypot(...Array.from(vector));
}

function beginning(vector: ArrayLike<number>): string {
  const first = Array.from(vector).slice(0, 4);
  return `${first.map((number) => number.toFixed(3)).join(", ")}, …`;
}
