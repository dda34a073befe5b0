// Both sides in a page: ours through the package, in its worker; theirs in the page itself.

import { load } from "/web/trireme/index.js";

const asked = new URLSearchParams(location.search);
const [threads, device] = [Number(asked.get("threads")), asked.get("device")];
if (device === "webgpu") await import("/watch/gpu-side.js");
const ort = await import(`/ort/ort.${device}.min.mjs`);
ort.env.wasm.numThreads = threads;
ort.env.wasm.wasmPaths = "/ort/";

export const version = ort.env.versions.web;

/** What was loaded, by side, model and precision. */
const ready = new Map();

/** The seconds that a side needs for its batches. */
export async function run({ side, graphs, precision, batches }) {
  const prepared = batches.map(side === "ours" ? texts : feeds);
  const key = `${side} ${graphs} ${precision}`;
  const graph = (inputs) => `/files${graphs}/${inputs?.mask ? "masked" : "plain"}.${precision}.onnx`;
  if (!ready.has(key)) {
    const loading =
      side === "ours"
        ? load(`/files${graphs}/`, { precision, threads, device })
        : ort.InferenceSession.create(graph(), { executionProviders: [device] });
    ready.set(key, loading);
  }
  const model = await ready.get(key);
  const begin = performance.now();
  for (const inputs of prepared) {
    await (side === "ours" ? model.encode({ texts: inputs }) : model.run(inputs));
  }
  return (performance.now() - begin) / 1000;
}

/** Texts that are so many tokens long: a frequent word, and two special tokens. */
function texts(lengths) {
  return lengths.map((length) => Array(length - 2).fill("sea").join(" "));
}

function feeds(lengths) {
  const longest = Math.max(...lengths);
  if (lengths.some((length) => length !== longest)) throw new Error("only batches of one length");
  const ids = BigInt64Array.from({ length: lengths.length * longest }, (_, at) =>
    BigInt(1000 + (((at % longest) * 7919) % 20000)),
  );
  const positions = BigInt64Array.from({ length: longest }, (_, at) => BigInt(at));
  return {
    ids: new ort.Tensor("int64", ids, [lengths.length, longest]),
    positions: new ort.Tensor("int64", positions, [1, longest]),
  };
}
