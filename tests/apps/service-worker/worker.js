// A service worker: it computes in itself, for there are no workers in one, and answers messages.

import { pipeline } from "trireme/inline";
import { app } from "../small/app.mjs";
import { inWords } from "../small/show.mjs";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", (event) => {
  const answer = app(pipeline, {}, { device: "wasm", assets: "/trireme/" });
  event.waitUntil(answer.then(JSON.stringify, inWords).then((said) => event.source.postMessage(said)));
});
