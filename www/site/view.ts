// What the page shows.

import { TriremeError, type EncodeAnswer, type Model, type PredictAnswer, type Progress } from "trireme";

import { strip } from "./strip.js";

/** Classes that are shown at once. */
const MOST_CLASSES = 8;

/** An element of the page. */
export function part<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

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
  part("facts").textContent =
    `${count(vector.tokens, "token")} in ${milliseconds(seconds)}, on the ${vector.place}.`;
  if (classes) showClasses(classes);
  const numbers = vector.embedding ?? new Float32Array();
  plot(numbers);
  const about = `${count(vector.dimensions, "number")}, length ${length(numbers).toFixed(3)}`;
  part("strip").setAttribute("aria-label", `Strip plot of a vector of ${about}`);
  part("vector-facts").textContent = `${about}: ${beginning(numbers)}`;
}

/** Nothing to answer. */
export function showNothing(): void {
  hide("failure");
  part("facts").textContent = "Answers appear as you type.";
  part("verdict").textContent = "–";
  part("classes").replaceChildren();
  part("vector-facts").textContent = "–";
  part("strip").setAttribute("aria-label", "No vector yet");
  plot([]);
}

function showClasses({ label, confidence, probabilities = {} }: PredictAnswer): void {
  part("verdict").textContent = `${label}, ${percent(confidence)}`;
  let rows = Object.entries(probabilities);
  if (rows.length > MOST_CLASSES) rows = rows.sort((a, b) => b[1] - a[1]).slice(0, MOST_CLASSES);
  const list = part("classes");
  // Rows that stay are changed in place, so that their bars move.
  while (list.children.length > rows.length) list.lastElementChild?.remove();
  rows.forEach(([name, share], i) => row(list, i, name, share, name === label));
}

function row(list: HTMLElement, index: number, name: string, share: number, best: boolean): void {
  const item = list.children[index] ?? list.appendChild(template());
  item.classList.toggle("best", best);
  const text = (which: string, content: string) => {
    const element = item.querySelector(which);
    if (element) element.textContent = content;
  };
  text(".name", name);
  text(".share", percent(share));
  const bar = item.querySelector<HTMLElement>(".bar");
  if (bar) bar.style.width = `${share * 100}%`;
}

function template(): HTMLElement {
  const element = (tag: string, name: string, ...inside: HTMLElement[]) => {
    const made = document.createElement(tag);
    made.className = name;
    made.append(...inside);
    return made;
  };
  const track = element("div", "track", element("div", "bar"));
  return element("li", "", element("span", "name"), element("span", "share"), track);
}

/** Says what model answers. */
export async function showModel(model: Model): Promise<void> {
  hide("model-failure");
  hide("loading");
  part("classes-card").hidden = model.labels.length === 0;
  const digest = document.createElement("code");
  digest.textContent = model.digest.slice(0, 12);
  digest.title = model.digest;
  const classes = model.labels.length > 0 ? count(model.labels.length, "class", "classes") : "no classes";
  const name = `${decodeURI(model.name)}, ${model.version}`;
  const { memory } = await model.stats();
  part("about").replaceChildren(`${name}: ${classes}, ${bytes(memory)} of memory, digest `, digest);
}

/** Says how far loading is. */
export function showProgress({ loaded, total }: Progress): void {
  part("loading").hidden = false;
  hide("model-failure");
  const bar = part<HTMLProgressElement>("progress");
  if (total === undefined) bar.removeAttribute("value");
  else bar.value = total > 0 ? loaded / total : 1;
  part("bytes").textContent = total === undefined ? bytes(loaded) : `${bytes(loaded)} of ${bytes(total)}`;
}

/** Says in words what went wrong. */
export function showFailure(where: "failure" | "model-failure", error: unknown): void {
  if (where === "model-failure") hide("loading");
  const words = error instanceof TriremeError ? `${error.message} (${error.code})` : String(error);
  // A sentence, unless it begins with an address.
  part(where).textContent = words.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
  part(where).hidden = false;
}

/** Takes something away. */
export function hide(id: string): void {
  part(id).hidden = true;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function milliseconds(seconds: number): string {
  const value = seconds * 1000;
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

function bytes(number: number): string {
  return number < 1e6 ? `${Math.ceil(number / 1e3)} kB` : `${(number / 1e6).toFixed(1)} MB`;
}

function length(vector: ArrayLike<number>): number {
  return Math.hypot(...Array.from(vector));
}

function beginning(vector: ArrayLike<number>): string {
  const first = Array.from(vector).slice(0, 4);
  return `${first.map((number) => number.toFixed(3)).join(", ")}, …`;
}
