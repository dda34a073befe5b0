// Where it computes, and what that takes: GPUs, places without workers, bytes, memory.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { browser, fresh, values } from "./kit.mjs";

/** Bytes of code before a first answer, by gzip: a fifth of what transformers.js takes. */
const MOST_CODE = 1_400_000;

/** What takes a minute where a processor stands in for a GPU. */
const long = {
  async "a GPU is measured once, and its tiles are kept"() {
    await fresh(async (page) => {
      const got = await page.evaluate(async () => {
        // What this browser has only looks like a GPU, and is not measured unless it says otherwise.
        Object.defineProperty(GPUAdapterInfo.prototype, "isFallbackAdapter", { value: false });
        const took = [];
        const kept = [];
        for (const _ of [1, 2]) {
          const begin = performance.now();
          const model = await trireme.load("default", { device: "webgpu", precision: "f32" });
          took.push(Math.round(performance.now() - begin));
          model.dispose();
          const cache = await caches.open("trireme-models-1");
          const keys = (await cache.keys()).filter(({ url }) => decodeURIComponent(url).includes("/tiles of "));
          kept.push(await Promise.all(keys.map(async (key) => (await cache.match(key)).text())));
        }
        return { took, kept, files: (await trireme.cache.list()).map(({ url }) => url.split("/").at(-1)) };
      });
      console.log(`    loaded in ${got.took.join(" ms, and again in ")} ms: ${got.kept[0]}`);
      assert.equal(got.kept[0].length, 1);
      assert.match(got.kept[0][0], /f32":"\d+x\d+x\d+ by \d+x\d+, /);
      assert.deepEqual(got.kept[1], got.kept[0]);
      assert.deepEqual(got.files, ["default.bin"], "tiles are no model's file");
    }, { edition: "inline" });
  },
};

export const cases = {
  ...(values.long && long),

  async "a limit of memory holds"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const most = 48 << 20;
      const small = await trireme.load("default", { maxMemory: most });
      await small.encode(Array.from({ length: 64 }, () => "a long day at sea ".repeat(40)));
      const { memory } = await small.stats();
      small.dispose();
      const large = await trireme.load("/minilm/", { maxMemory: most }).catch((error) => error);
      const none = await trireme.load("default", { maxMemory: 1000 }).catch((error) => error);
      return { memory, most, large: large.code, none: none.code };
    }));
    assert.ok(got.memory <= got.most, `${got.memory} of ${got.most}`);
    assert.deepEqual([got.large, got.none], ["out_of_memory", "invalid_option"]);
  },

  async "auto begins on wasm, measures the GPU, and remembers"() {
    await fresh(async (page) => {
      const got = await page.evaluate(async () => {
        const runs = [];
        for (const _ of [1, 2]) {
          const embed = await trireme.pipeline("feature-extraction", { device: "auto", precision: "f32" });
          const [first] = await embed("two oars");
          const { device, gpuFrom, why } = await embed.info();
          const [long] = (await embed(Array.from({ length: 40 }, () => "two oars ".repeat(50)))).dims;
          const stats = await embed.stats();
          runs.push({ device, gpuFrom: `${gpuFrom}`, why, first: [...first], long, gpu: stats.gpu });
          await embed.dispose();
        }
        return runs;
      });
      const [one, two] = got;
      console.log(`    ${one.why}; from ${one.gpuFrom} tokens; then: ${two.why}`);
      assert.equal(one.device, "auto");
      assert.match(one.why, /8 tokens: [\d.]+ ms on wasm, [\d.]+ ms on the GPU/);
      assert.match(two.why, /measured/);
      assert.equal(one.gpuFrom, two.gpuFrom);
      assert.deepEqual(one.first, two.first);
      assert.equal(one.gpu > 0, one.gpuFrom !== "Infinity");
    });
  },

  async "auto without a GPU is wasm, and says why"() {
    const got = await fresh((page) => page.evaluate(async () => {
      Object.defineProperty(navigator, "gpu", { value: undefined });
      const embed = await trireme.pipeline("feature-extraction", { device: "auto" });
      return { why: (await embed.info()).why, dims: (await embed("two oars")).dims };
    }));
    assert.deepEqual(got, { why: "there is no GPU here", dims: [1, 384] });
  },

  async "without a worker the same answers come, and the page goes on"() {
    const ask = (page) => page.evaluate(async () => {
      const embed = await trireme.pipeline("feature-extraction");
      return [...(await embed("two oars")).data];
    });
    const [worker, inline] = [await fresh(ask), await fresh(ask, { edition: "inline" })];
    assert.deepEqual(inline, worker);
  },

  async "without a worker an accident is its own request's alone"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const model = await trireme.load();
      const answers = [];
      for (const text of ["two oars", "drill: panic", "two oars", "drill: trap", "two oars"]) {
        answers.push(await model.predict(text).then(({ label }) => label, ({ code }) => code));
      }
      return answers;
    }), { edition: "inline", root: "/drill" });
    assert.deepEqual(got.filter((_, at) => at % 2 === 1), ["internal", "internal"]);
    assert.equal(new Set(got.filter((_, at) => at % 2 === 0)).size, 1, got.join(", "));
    assert.ok(["positive", "negative"].includes(got[0]), got.join(", "));
  },

  async "the page stays awake while a GPU is made ready and many texts are embedded"() {
    await fresh(async (page) => {
      const longest = await longestTask(page, () => page.evaluate(async () => {
        const onGpu = await trireme.pipeline("feature-extraction", { device: "webgpu", precision: "f32" });
        await onGpu("a long day at sea");
        await onGpu.dispose();
        const embed = await trireme.pipeline("feature-extraction");
        await embed(Array.from({ length: 1000 }, (_, n) => `note ${n} on a long day at sea`));
      }));
      console.log(`    the longest task of the page took ${longest.toFixed(1)} ms of its processor`);
      assert.ok(longest < 50, `${longest} ms`);
    });
  },

  async "few bytes come before the first answer"() {
    const asked = new Map();
    await fresh(async (page) => {
      page.on("request", (request) => asked.set(new URL(request.url()).pathname, request));
      await page.reload();
      asked.clear();
      await page.evaluate(async () => {
        const { pipeline } = await import("/trireme/index.js");
        await (await pipeline("text-classification"))("two oars");
      });
    });
    const code = [...asked.keys()].filter((path) => !path.includes("/models/") && path !== "/favicon.ico");
    const files = await Promise.all(code.map((path) => readFile(join(values.web, path))));
    const sum = (pack) => files.reduce((bytes, file) => bytes + pack(file).length, 0);
    const [raw, gzip] = [sum((file) => file), sum((file) => gzipSync(file, { level: 9 }))];
    console.log(`    ${code.join(", ")}: ${raw} bytes, ${gzip} by gzip`);
    assert.deepEqual(code.map((path) => path.split("/").at(-1)).sort(), ["index.js", "trireme_bg.wasm", "worker.js"]);
    assert.ok(gzip < MOST_CODE, `${gzip} bytes of code, more than ${MOST_CODE}`);
  },
};

/** The longest task of a page's own thread, in milliseconds of its processor: a thread that has to wait
 *  for one is not at work. */
async function longestTask(page, work) {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await work();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const named = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const threads = new Set(named.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(({ name, pid, tid }) => /RunTask$/.test(name) && threads.has(`${pid} ${tid}`));
  assert.ok(tasks.length > 0, "the browser traced no task");
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
}
