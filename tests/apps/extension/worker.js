// An extension's background: a service worker without a bundler, with the package's folder beside it.

import { app } from "./small/app.mjs";
import { inWords } from "./small/show.mjs";
import { pipeline } from "./trireme/inline.js";

chrome.runtime.onMessage.addListener((_question, _sender, answer) => {
  app(pipeline, {}, { device: "wasm" }).then(JSON.stringify, inWords).then(answer);
  // The answer comes later.
  return true;
});
