// The card of the model: it loads one at a time, and says how far that is and what it is.

import { Model, type LoadOptions, type Progress, type Task } from "trireme";

import { hide, made, part, say } from "./dom.js";
import { keepOffline } from "./keep.js";
import { bytes, count, failure } from "./words.js";

let current = new AbortController();

/** Loads a model, or a task over one. Nothing, where that failed, which the card says, or was
 *  stopped. */
export async function open<T extends Model | Task>(
  start: (options: LoadOptions) => Promise<T>,
): Promise<T | undefined> {
  current.abort();
  const { signal } = (current = new AbortController());
  const onProgress = (progress: Progress) => {
    if (!signal.aborted) showProgress(progress);
  };
  let opened: T | undefined;
  try {
    showProgress({ loaded: 0 });
    opened = await start({ onProgress, signal });
    if (!signal.aborted) await showModel(opened instanceof Model ? opened : opened.model);
    if (signal.aborted) return void opened.dispose();
    hide("loading");
    return opened;
  } catch (error) {
    void opened?.dispose();
    if (signal.aborted) return undefined;
    hide("loading");
    say("model-failure", failure(error));
    return undefined;
  } finally {
    keepOffline();
  }
}

/** The package's own model; where loading failed or was stopped, as soon as the person has asked
 *  again and it worked. */
export async function own<T extends Model | Task>(start: (options: LoadOptions) => Promise<T>): Promise<T> {
  const again = part("use-default");
  for (;;) {
    again.hidden = true;
    // The site keeps this model itself: see `keep.ts`.
    const opened = await open((options) => start({ ...options, cache: "off" }));
    if (opened) return opened;
    again.hidden = false;
    await new Promise((resolve) => again.addEventListener("click", resolve, { once: true }));
  }
}

/** Says what model answers. */
async function showModel(model: Model): Promise<void> {
  const digest = made("code", "", model.digest.slice(0, 12));
  digest.title = model.digest;
  const classes = model.labels.length > 0 ? count(model.labels.length, "class", "classes") : "no classes";
  const name = `${readable(model.name)}, ${model.version}`;
  const { memory } = await model.stats();
  part("about").replaceChildren(`${name}: ${classes}, ${bytes(memory)} of memory, digest `, digest);
}

/** A name that is an address, in its own letters. Not every name is one: "100 %" is no escape. */
function readable(name: string): string {
  try {
    return decodeURI(name);
  } catch {
    return name;
  }
}

function showProgress({ loaded, total }: Progress): void {
  part("loading").hidden = false;
  hide("model-failure");
  const bar = part<HTMLProgressElement>("progress");
  if (total === undefined) bar.removeAttribute("value");
  else bar.value = total > 0 ? loaded / total : 1;
  say("bytes", total === undefined ? bytes(loaded) : `${bytes(loaded)} of ${bytes(total)}`);
}

part("cancel").addEventListener("click", () => {
  current.abort();
  hide("loading");
});
