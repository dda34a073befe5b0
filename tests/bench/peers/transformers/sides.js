// One side in a page of its own, by the line that both share: a pipeline, and texts put into it. Ours
// computes in its worker, theirs in the page; that is what each does unless told otherwise.

const asked = new URLSearchParams(location.search);
const model = asked.get("model");
const options = { dtype: asked.get("dtype"), device: "wasm" };

// Theirs does not say how much memory its engine has; whatever is made is seen here.
const memories = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(given) {
    super(given);
    memories.push(this);
  }
};

const PIPELINES = {
  async ours() {
    const { pipeline } = await import("/web/trireme/index.js");
    return pipeline("feature-extraction", `/models/${model}`, options);
  },
  async theirs() {
    const { env, pipeline } = await import(
      "/modules/@huggingface/transformers/dist/transformers.min.js"
    );
    // As from a hub: what it is given as a file of the page's own it does not keep, as ours does.
    env.remoteHost = location.origin;
    env.remotePathTemplate = "models/{model}/";
    const { wasm } = env.backends.onnx;
    wasm.numThreads = 1;
    // The files that it would take from a CDN; named like this, it keeps them as it would those.
    const engine = "/modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify";
    wasm.wasmPaths = { mjs: `${engine}.mjs`, wasm: `${engine}.wasm` };
    return pipeline("feature-extraction", model, options);
  },
};

window.side = start();

async function start() {
  const embed = await PIPELINES[asked.get("side")]();
  const embedded = (texts) => embed(texts, { pooling: "mean", normalize: true });
  await embedded("what a wonderful film");
  return {
    /** When the first answer was there, in milliseconds since the page was gone to. */
    answered: performance.now(),

    /** A vector for each text, of length one. */
    async vectors(texts) {
      const { data, dims } = await embedded(texts);
      const width = dims.at(-1);
      return texts.map((_, row) => [...data.subarray(row * width, (row + 1) * width)]);
    },

    /** The milliseconds that batches take, one after the other. */
    async time(batches) {
      const begin = performance.now();
      for (const texts of batches) await embedded(texts);
      return performance.now() - begin;
    },

    /** Bytes of the engine's memory. */
    async memory() {
      if (embed.stats) return (await embed.stats()).memory;
      return memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    },

    /** How many tokens texts have; theirs counts them, for both. */
    tokens: (texts) => Number(embed.tokenizer(texts, { padding: true }).attention_mask.sum().item()),
  };
}
