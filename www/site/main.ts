// The first page: a model, a text, and answers as one types.

import { load, type Model, type ModelSource } from "trireme";

import { part, say } from "./dom.js";
import { open } from "./opening.js";
import { latest } from "./typing.js";
import { showAnswers, showNothing, type Answers } from "./view.js";
import { failure } from "./words.js";

const text = part<HTMLTextAreaElement>("text");
let model: Model | undefined;

const type = latest<Answers | undefined>(
  ask,
  (answers) => (answers ? showAnswers(answers) : showNothing()),
  (error) => say("failure", failure(error)),
);

async function ask(text: string, signal: AbortSignal): Promise<Answers | undefined> {
  if (!model || text.trim() === "") return undefined;
  const [vector, classes] = await Promise.all([
    model.encode(text, { signal }),
    model.labels.length > 0 ? model.predict(text, { signal }) : undefined,
  ]);
  return { vector, classes };
}

/** Loads a model. The one before answers until the new one can. */
async function use(source: ModelSource): Promise<void> {
  // The site keeps the default model itself: see `keep.ts`.
  const cache = source === "default" ? "off" : "check";
  const loaded = await open((options) => load(source, { ...options, cache }));
  if (!loaded) return;
  model?.dispose();
  model = loaded;
  part("classes-card").hidden = model.labels.length === 0;
  type(text.value, 0);
}

function pick(button: string, input: string): void {
  const files = part<HTMLInputElement>(input);
  part(button).addEventListener("click", () => files.click());
  files.addEventListener("change", () => {
    if (files.files?.length) void use([...files.files]);
    // The same files may be picked again once they are mended.
    files.value = "";
  });
}

text.addEventListener("input", () => type(text.value));
part("use-default").addEventListener("click", () => void use("default"));
pick("use-folder", "folder");
pick("use-files", "files");
part("by-url").addEventListener("submit", (event) => {
  event.preventDefault();
  void use(part<HTMLInputElement>("url").value);
});
void use("default");
