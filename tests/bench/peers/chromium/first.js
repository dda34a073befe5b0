// Loads a model and asks once; `answered` is when, in milliseconds since the page was gone to.

import { load } from "/web/trireme/index.js";

const asked = new URLSearchParams(location.search);
const model = asked.get("model");

window.answered = answer();

async function answer() {
  const source = model === "default" ? model : `/files${model}`;
  const loaded = await load(source, { precision: asked.get("precision") });
  await loaded.encode("what a wonderful film");
  return performance.now();
}
