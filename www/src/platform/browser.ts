// What browsers bring, and what has their workers: a worker for each engine.

import { error, wordsOf } from "../errors.js";

/** A worker that was started. */
export interface Started {
  post(message: unknown): void;
  /** Keeps the process alive, or no longer. */
  hold(busy: boolean): void;
  /** Ends it, which frees its memory. */
  end(): void;
}

/** Who hears of it. */
export interface Heard {
  message(data: unknown): void;
  /** Its script could not be loaded, or broke. */
  broke(): void;
}

/** Starts a worker; `assets` is the package's folder where it does not lie beside this script. */
export function start(which: "worker" | "helper", assets: string | undefined, heard: Heard): Started {
  if (typeof Worker === "undefined") {
    throw error("unsupported_here", 'there are no workers here; import "trireme/inline" to compute in this one');
  }
  const worker = allowed(() => opened(which, assets));
  worker.addEventListener("message", ({ data }) => heard.message(data));
  worker.addEventListener("error", () => heard.broke());
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    end: () => worker.terminate(),
  };
}

/** A browser starts no worker from another origin than the page's. */
function allowed(open: () => Worker): Worker {
  try {
    return open();
  } catch (thrown) {
    const instead = "serve the package's folder from the page's own origin and name it as `assets`, or import trireme/inline";
    throw error("unsupported_here", `no worker may be started here: ${wordsOf(thrown)}; ${instead}`);
  }
}

function opened(which: "worker" | "helper", assets: string | undefined): Worker {
  if (assets) return new Worker(new URL(`${which}.js`, assets), { type: "module" });
  // In the words that bundlers look for.
  return which === "worker"
    ? new Worker(new URL("./worker.js", import.meta.url), { type: "module" })
    : new Worker(new URL("./helper.js", import.meta.url), { type: "module" });
}

/** What an address is relative to. */
export function base(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}

/** Fetches. */
export function get(url: URL, init?: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Whether engines may share their memory between workers. */
export const sharing = globalThis.crossOriginIsolated !== false;

/** An engine's folder. */
export type Folder = "engine" | "engine-relaxed" | "engine-threads";

/** Engines that are compiled already, where only the host may compile. */
export const modules: Partial<Record<Folder, WebAssembly.Module>> = {};

/** A worker's own end. */
export const scope = {
  listen(hear: (data: never) => void): void {
    addEventListener("message", ({ data }) => hear(data as never));
  },
  tell(message: unknown, moved: Transferable[] = []): void {
    postMessage(message, { transfer: moved });
  },
  /** Hears of what nothing caught. A trap surfaces here and not in the promise that the engine gave:
   *  nothing is left to reject it. */
  accidents(hear: (thrown: unknown) => void): void {
    // Node has none, and ends with its process's own words.
    globalThis.addEventListener?.("error", (event) => hear(event.error ?? event.message));
    globalThis.addEventListener?.("unhandledrejection", (event) => hear(event.reason));
  },
};
