// Has the browser keep the site, so that it works without a network: `offline.ts` does it.

import { part } from "./dom.js";

/** Begins to keep the site; pages call it when they have answered, so that it takes no line from that.
 *  Where a browser can't, as in some private windows, the page works all the same. */
export function keepOffline(): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers) return;
  workers.register("sw.js").catch(() => {});
  void workers.ready.then(() => (part("kept").hidden = false));
}
