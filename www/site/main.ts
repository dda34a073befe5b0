// The page: a model, a text, and answers as one types.

import { load, type Model, type ModelSource } from "trireme";

import { latest } from "./typing.js";
import {
  hide,
  part,
  showAnswers,
  showFailure,
  showModel,
  showNothing,
  showProgress,
  type Answers,
} from "./view.js";

const text = part<HTMLTextAreaElement>("text");
let model: Model | undefined;
let loading = new AbortController();

const type = latest<Answers | undefined>(
  ask,
  (answers) => (answers ? showAnswers(answers) : showNothing()),
  (error) => showFailure("failure", error),
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
  loading.abort();
  const mine = (loading = new AbortController());
  const onProgress = (progress: Parameters<typeof showProgress>[0]) => {
    if (!mine.signal.aborted) showProgress(progress);
  };
  try {
    showProgress({ loaded: 0 });
    const loaded = await load(source, { onProgress, signal: mine.signal });
    model?.dispose();
    model = loaded;
    await showModel(loaded);
    type(text.value, 0);
  } catch (error) {
    if (!mine.signal.aborted) showFailure("model-failure", error);
  }
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
part("cancel").addEventListener("click", () => {
  loading.abort();
  hide("loading");
});
void use("default");
