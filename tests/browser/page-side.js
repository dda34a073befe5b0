// The bridge's end in the page: keeps a few models, asks them, and writes answers as JSON.

import { FAULTS, errorOf, load } from "/-/trireme/index.js";

/** Models in memory at once, besides those that are being asked. */
const MOST = 4;

/** Models by name, the one that was used last at the end. */
const models = new Map();

const VERBS = {
  predict: ["POST", (model, asked) => model.predict(bytes(asked.body), signal(asked))],
  encode: ["POST", (model, asked) => model.encode(bytes(asked.body), signal(asked))],
  health: ["GET", (model) => model.health()],
  memory: ["GET", async (model) => (await model.stats()).memory],
  times: ["GET", (_, { model }) => models.get(model).times],
  lane: ["GET", async (model) => model.lane],
  threads: ["GET", async (model) => model.threads],
  device: ["GET", async (model) => {
    const { device, refused } = await model.info();
    return { device, refused };
  }],
  dispose: ["POST", (_, { model }) => (dispose(model), null)],
};

/** Memories that leave no room for others. */
const hoard = [];

/** Answers a request with a status and JSON. */
export async function answer(asked) {
  try {
    if (asked.verb === "hoard") return { status: 200, json: `${takeAllMemories()}` };
    const [method, ask] = VERBS[asked.verb] ?? [];
    if (!ask) throw errorOf({ code: "not_found", message: `there is nothing at /${asked.verb}` });
    if (method !== asked.method) {
      const message = `/${asked.verb} does not answer ${asked.method}`;
      throw errorOf({ code: "method_not_allowed", message });
    }
    const answered = await use(asked.model, (model) => ask(model, asked));
    return { status: 200, json: JSON.stringify(answered, plain) };
  } catch (error) {
    const { code, message, name, status } = error;
    // What is none of the package's errors is the bridge's own, and ends the test.
    if (name !== FAULTS[code]?.class) throw error;
    return { status, json: JSON.stringify({ error: { code, message } }) };
  }
}

/** Makes memories until the browser refuses one; returns how many there are. */
function takeAllMemories() {
  for (const maximum of [65536, 1]) {
    try {
      for (;;) hoard.push(new WebAssembly.Memory({ initial: 0, maximum, shared: true }));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return hoard.length;
}

async function use(name, ask) {
  const entry = models.get(name) ?? { busy: 0, times: {}, model: undefined };
  models.delete(name);
  models.set(name, entry);
  entry.model ??= timed(entry.times, "load", () => load(...wanted(name)));
  entry.busy++;
  try {
    const model = await entry.model;
    return await timed(entry.times, "first", () => ask(model));
  } catch (error) {
    if (!entry.times.load) models.delete(name);
    throw error;
  } finally {
    entry.busy--;
    const idle = [...models].filter(([, { busy }]) => busy === 0);
    for (const [name] of idle.slice(0, Math.max(0, models.size - MOST))) dispose(name);
  }
}

/** What to load for a name: a path, behind `@PRECISION,LANE,THREADS,DEVICE/` where those are not the
 *  usual ones. */
function wanted(name) {
  const [, options = "", path] = /^(?:@([^/]*)\/)?(.*)$/.exec(name);
  const [precision, lane, threads, device] = options.split(",").map((option) => option || undefined);
  const source = path === "default" ? path : new URL(`/-/root/${path}`, location.href);
  const count = threads === undefined || threads === "auto" ? threads : Number(threads);
  return [source, { precision, lane, threads: count, device }];
}

function dispose(name) {
  models.get(name)?.model.then((model) => model.dispose());
  models.delete(name);
}

async function timed(times, what, work) {
  const start = performance.now();
  const done = await work();
  times[what] ??= performance.now() - start;
  return done;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function signal({ abort }) {
  return abort === undefined ? {} : { signal: AbortSignal.timeout(abort) };
}

/** JSON has no typed arrays. */
function plain(_, value) {
  return ArrayBuffer.isView(value) ? Array.from(value) : value;
}
