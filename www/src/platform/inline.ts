// No worker: the engine computes where it is asked, and gives the event loop its turn every 8 ms.
// For service workers, extensions, and who has a worker of their own.

import { error } from "../errors.js";
import { Room } from "../room.js";
import { scope, type Heard, type Started } from "./browser.js";

export { base, get, modules, scope } from "./browser.js";
export type { Folder, Heard, Started } from "./browser.js";

/** One thread has one memory. */
export const sharing = false;

const rooms = new Set<Room>();
let listening = false;

export function start(which: "worker" | "helper", _assets: string | undefined, heard: Heard): Started {
  if (which === "helper") throw error("unsupported_here", "there are no helpers without workers");
  listen();
  const room = new Room((message) => heard.message(message));
  rooms.add(room);
  return {
    post: (message) => room.hear(message as never),
    hold: () => {},
    end: () => {
      rooms.delete(room);
      room.end();
    },
  };
}

/** What an engine dies of comes as an accident of the whole place, and is its own only if it is busy. */
function listen(): void {
  if (listening) return;
  listening = true;
  scope.accidents((thrown) => {
    if (!ofAnEngine(thrown)) return;
    for (const room of [...rooms].filter(({ busy }) => busy)) room.crash(thrown);
  });
}

function ofAnEngine(thrown: unknown): boolean {
  if (thrown instanceof WebAssembly.RuntimeError) return true;
  return thrown instanceof Error && /\bpanicked at\b/.test(thrown.message);
}
