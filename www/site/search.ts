// Search over a person's own notes.

import { pipeline } from "trireme";

import { showBars } from "./bars.js";
import { hide, part, say } from "./dom.js";
import { own } from "./opening.js";
import { latest } from "./typing.js";
import { linesOf, Vectors } from "./vectors.js";
import { count, failure, milliseconds } from "./words.js";
import { work } from "./work.js";

/** Notes that are shown. */
const MOST_RESULTS = 8;

/** How long fingers rest before notes are read again, in milliseconds. */
const REST = 300;

const notes = part<HTMLTextAreaElement>("notes");
const query = part<HTMLInputElement>("query");
const goOn = part("go-on");

const embed = await own((options) => pipeline("feature-extraction", options));
const vectors = new Vectors(embed);
let asked: Float32Array | undefined;

/** Embeds what is new among the notes. */
async function read(text: string, newer: AbortSignal): Promise<void> {
  goOn.hidden = true;
  const lines = linesOf(text);
  const start = performance.now();
  let fresh = 0;
  const whole = await work(async (signal, report) => {
    const say = (done: number, all: number) => report(done, all, `${done} of ${count(all, "new note")} embedded`);
    fresh = await vectors.take(lines, signal, say);
  });
  if (newer.aborted) return;
  const known = vectors.lines.length;
  if (whole) {
    const took = milliseconds(performance.now() - start);
    const done = fresh > 0 ? `${count(fresh, "note")} embedded in ${took}` : "nothing new to embed";
    say("facts", `${count(known, "note")} can be searched: ${done}.`);
  } else {
    say("facts", `Stopped: ${known} of ${count(lines.length, "note")} can be searched.`);
    goOn.hidden = false;
  }
  show();
}

async function ask(text: string, signal: AbortSignal): Promise<Float32Array | undefined> {
  if (text.trim() === "") return undefined;
  return (await embed(text, { signal })).row(0);
}

function found(vector: Float32Array | undefined): void {
  asked = vector;
  hide("failure");
  show();
}

function show(): void {
  const near = asked ? vectors.nearest(asked, MOST_RESULTS) : [];
  const all = count(vectors.lines.length, "note");
  say("found", asked ? `The nearest of ${all}, with their cosines: 1 is the most.` : "–");
  showBars(
    part("results"),
    near.map(({ line, score }, place) => ({ name: line, said: score.toFixed(2), share: score, best: place === 0 })),
  );
}

const fail = (error: unknown) => say("failure", failure(error));
const reread = latest(read, () => {}, fail);
const search = latest(ask, found, fail);

notes.addEventListener("input", () => reread(notes.value, REST));
goOn.addEventListener("click", () => reread(notes.value, 0));
query.addEventListener("input", () => search(query.value));
reread(notes.value, 0);
search(query.value, 0);
