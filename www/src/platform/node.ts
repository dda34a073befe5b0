// What Node brings, and Deno and Bun as Node does: its own workers, and files.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker, parentPort } from "node:worker_threads";
import { error, wordsOf } from "../errors.js";
import type { Folder, Heard, Started } from "./browser.js";

export type { Folder, Heard, Started };

export function start(which: "worker" | "helper", assets: string | undefined, heard: Heard): Started {
  const worker = opened(new URL(`./node-${which}.js`, assets ?? import.meta.url));
  worker.on("message", (data) => heard.message(data));
  worker.on("error", () => heard.broke());
  return {
    post: (message) => worker.postMessage(message),
    // A model keeps no process alive; a request that waits does.
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    end: () => void worker.terminate(),
  };
}

/** A worker's script is a file. */
function opened(script: URL): Worker {
  try {
    return new Worker(script);
  } catch (thrown) {
    throw error("unsupported_here", `${script.href} is no worker here: ${wordsOf(thrown)}; \`assets\` is a folder on this machine`);
  }
}

/** The folder that the process was started in: a path is a file's. */
export function base(): string {
  return pathToFileURL(`${process.cwd()}/`).href;
}

export async function get(url: URL, init?: RequestInit): Promise<Response> {
  if (url.protocol !== "file:") return fetch(url, init);
  const path = fileURLToPath(url);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return new Response(null, { status: 404 });
  const headers = { "content-length": `${found.size}` };
  return new Response(Readable.toWeb(createReadStream(path)) as ReadableStream, { headers });
}

export const sharing = true;

export const modules: Partial<Record<Folder, WebAssembly.Module>> = {};

export const scope = {
  listen(hear: (data: never) => void): void {
    parentPort?.on("message", (data) => hear(data as never));
  },
  tell(message: unknown, moved: Transferable[] = []): void {
    parentPort?.postMessage(message, moved as never);
  },
  accidents(hear: (thrown: unknown) => void): void {
    process.on("uncaughtException", hear);
    process.on("unhandledRejection", hear);
  },
};
