// Cloudflare's runtime: it compiles modules when a Worker is deployed, and none later.

import relaxed from "./engine-relaxed/trireme_bg.wasm";
import type { Folder } from "./browser.js";

export { scope } from "./browser.js";
export { sharing, start } from "./inline.js";
export type { Folder, Heard, Started } from "./browser.js";

/** There is no page: addresses are whole. */
export function base(): undefined {
  return undefined;
}

export function get(url: URL, init?: RequestInit): Promise<Response> {
  return fetch(url, init);
}

export const modules: Partial<Record<Folder, WebAssembly.Module>> = { "engine-relaxed": relaxed };
