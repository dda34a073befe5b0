// The app in both editions, with workers and without; what they answer is sent back.

import { app } from "/small/app.mjs";
import { inWords } from "/small/show.mjs";

const answers = {};
for (const edition of ["index", "inline"]) {
  const answer = import(`/trireme/${edition}.js`).then(({ pipeline }) => app(pipeline, {}, { device: "wasm" }));
  answers[edition] = await answer.then(JSON.stringify, inWords);
}
await fetch("/answer", { method: "POST", body: JSON.stringify(answers) });
