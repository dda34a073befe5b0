// A map of sentences, beside a list of them.

import { pipeline } from "trireme";

import { hide, made, part, say } from "./dom.js";
import { groupsOf } from "./groups.js";
import { icon, mark, showLegend } from "./marks.js";
import { own } from "./opening.js";
import { planeOf } from "./pca.js";
import { plot } from "./plot.js";
import { latest } from "./typing.js";
import { linesOf, Vectors } from "./vectors.js";
import { count, failure, percent } from "./words.js";
import { work } from "./work.js";

/** More sentences than this are no map that a person can read. */
const MOST = 150;

/** How long fingers rest before sentences are read again, in milliseconds. */
const REST = 400;

/** What the marks may show of sentences. */
interface Kinds {
  /** Each sentence's kind. */
  of: number[];
  /** Each kind, in words. */
  said: string[];
}

const lines = part<HTMLTextAreaElement>("lines");
const list = part("sentences");
const goOn = part("go-on");
const drawing = plot(part<SVGSVGElement>("map"), near, (spot) => list.querySelectorAll("button")[spot]?.focus());

const embed = await own((options) => pipeline("feature-extraction", options));
const vectors = new Vectors(embed);
/** The class of each sentence that was read. */
const classes = new Map<string, number>();
let sentences: string[] = [];

async function read(text: string, newer: AbortSignal): Promise<void> {
  goOn.hidden = true;
  const all = linesOf(text);
  const wanted = all.slice(0, MOST);
  const whole = await work(async (signal, report) => {
    const say = (done: number, all: number) => report(done, all, `${done} of ${count(all, "new sentence")} embedded`);
    await vectors.take(wanted, signal, say);
    for (const sentence of wanted.filter((sentence) => !classes.has(sentence))) {
      classes.set(sentence, (await embed.model.predict(sentence, { signal })).prediction);
    }
  });
  if (newer.aborted) return;
  goOn.hidden = whole;
  if (!whole) return say("facts", "Stopped. The map is as it was.");
  sentences = wanted;
  show();
  if (all.length > MOST) say("facts", `The first ${MOST} of ${count(all.length, "sentence")} are on the map.`);
}

function show(): void {
  const known = sentences.map((sentence) => vectors.of(sentence) ?? new Float32Array());
  const { points, shown } = planeOf(known);
  const kinds = part<HTMLInputElement>("by-class").checked ? byClass() : byGroup(known);
  drawing.show(points.map((at, index) => ({ at, kind: kinds.of[index] ?? 0 })));
  showLegend(part("legend"), kinds.said);
  list.replaceChildren(...sentences.map((sentence, index) => item(sentence, index, kinds)));
  const about = `${count(sentences.length, "sentence")} on the map. It shows ${percent(shown)} of how they differ.`;
  part("map").setAttribute("aria-label", `Map of ${count(sentences.length, "sentence")}; the list has all of them`);
  say("facts", about);
  say("told", "Point at a number, or choose a sentence.");
}

function byGroup(known: readonly Float32Array[]): Kinds {
  const { of, middles } = groupsOf(known);
  return { of, said: middles.map((middle, group) => `Group ${group + 1}, around sentence ${middle + 1}`) };
}

function byClass(): Kinds {
  const names = embed.model.labels;
  return { of: sentences.map((sentence) => classes.get(sentence) ?? 0), said: [...names] };
}

function item(sentence: string, index: number, { of, said }: Kinds): HTMLLIElement {
  const kind = of[index] ?? 0;
  const words = made("span", "", sentence);
  const unseen = made("span", "unseen", `, ${said[kind]}`);
  const button = made("button", "sentence", icon(mark(kind, index + 1)), words, unseen);
  button.type = "button";
  button.addEventListener("pointerenter", () => near(index));
  button.addEventListener("focus", () => near(index));
  return made("li", "", button);
}

/** Links a mark and its sentence. */
function near(index: number): void {
  drawing.near(index);
  list.querySelector(".near")?.classList.remove("near");
  list.children[index]?.classList.add("near");
  say("told", `${index + 1}: ${sentences[index]}`);
}

const reread = latest(read, () => hide("failure"), (error) => say("failure", failure(error)));
lines.addEventListener("input", () => reread(lines.value, REST));
goOn.addEventListener("click", () => reread(lines.value, 0));
for (const id of ["by-group", "by-class"]) part(id).addEventListener("change", show);
reread(lines.value, 0);
