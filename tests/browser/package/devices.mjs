// Where it computes, and what that takes: GPUs, places without workers, bytes, memory.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { browser, fresh, server, values } from "./kit.mjs";

/** Bytes of code before a first answer, by gzip: a fifth of what transformers.js takes. */
const MOST_CODE = 1_400_000;

/** In a page: keeps the devices that are opened. `loseForGood` takes them away when they are asked for
 *  something next, and there will be no other. */
function losable() {
  const devices = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    devices.push(await requestDevice.apply(this, args));
    return devices.at(-1);
  };
  window.loseForGood = () => {
    GPUAdapter.prototype.requestDevice = () => Promise.reject(new Error("there is none any more"));
    const { submit } = GPUQueue.prototype;
    GPUQueue.prototype.submit = function (...args) {
      submit.apply(this, args);
      devices.splice(0).forEach((device) => device.destroy());
    };
    return devices;
  };
}

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

  async "a GPU that is gone for good costs none of the requests that were with it"() {
    await fresh(async (page) => {
      await page.evaluate(losable);
      const got = await page.evaluate(async () => {
        const texts = ["two oars", "a long day at sea", "the harbour at night"];
        const open = () => trireme.pipeline("feature-extraction", { device: "auto", precision: "f32" });
        const measured = await open();
        await measured.info();
        await measured.dispose();
        // As on a machine whose GPU is faster at every length.
        const cache = await caches.open("trireme-models-1");
        const keys = (await cache.keys()).filter(({ url }) => decodeURIComponent(url).includes("/crossover of "));
        for (const key of keys) await cache.put(key, new Response("0"));

        const embed = await open();
        const before = await embed.info();
        const devices = window.loseForGood();
        const vectors = (tensors) => tensors.map(({ data }) => [...data]);
        const together = vectors(await Promise.all(texts.map((text) => embed(text))));
        const after = await embed.info();
        const apart = [];
        for (const text of texts) apart.push(...vectors([await embed(text)]));
        await embed.dispose();
        return { keys: keys.length, before, left: devices.length, together, after, apart };
      });
      assert.deepEqual([got.keys, got.before.gpuFrom, got.left], [1, 0, 0], got.before.why);
      assert.match(got.after.why, /^the GPU failed: /);
      assert.equal(got.after.gpuFrom, Number.POSITIVE_INFINITY);
      assert.deepEqual(got.together, got.apart, "all of them by wasm");
    }, { edition: "inline" });
  },

  async "a model whose GPU is gone for good says that the processor computes, and why"() {
    await fresh(async (page) => {
      await page.evaluate(losable);
      const got = await page.evaluate(async () => {
        const embed = await trireme.pipeline("feature-extraction", { device: "webgpu", precision: "f32" });
        const said = async () => {
          const { device, processor, gpuFrom, refused = "", why } = await embed.info();
          const { model } = embed;
          return { device, processor, gpuFrom, refused, why, model: [model.device, model.refused ?? "", model.facts.processor] };
        };
        const before = await said();
        window.loseForGood();
        await embed("two oars");
        const after = await said();
        const { gpu } = await embed.stats();
        await embed.dispose();
        return { before, after, gpu };
      });
      const { refused, ...after } = got.after;
      assert.deepEqual(got.before, {
        device: "webgpu", processor: "webgpu", gpuFrom: 0, refused: "", why: "the GPU was asked for",
        model: ["webgpu", "", "webgpu"],
      });
      assert.ok(refused, "it says why");
      assert.deepEqual(after, {
        device: "wasm", processor: "wasm", gpuFrom: Number.POSITIVE_INFINITY, why: refused, model: ["wasm", refused, "wasm"],
      });
      assert.equal(got.gpu, 0);
    }, { edition: "inline" });
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

  async "without a worker a model that is disposed of frees its memory"() {
    const got = await fresh((page) => page.evaluate(async () => {
      // What the engine exports, with a look at who frees the model: 0 is its owner, 1 the collector.
      let freed = 0;
      const { instantiate } = WebAssembly;
      WebAssembly.instantiate = async (module, imports) => {
        const { exports } = await instantiate(module, imports);
        const free = (model, by) => {
          freed += by === 0;
          exports.__wbg_model_free(model, by);
        };
        return { instance: { exports: { ...exports, __wbg_model_free: free } }, module };
      };
      const settled = async (count) => {
        for (let turn = 0; turn < 1000 && freed < count; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
        return freed;
      };
      const idle = await trireme.load();
      await idle.predict("two oars");
      const before = freed;
      idle.dispose();
      const first = await settled(1);
      const busy = await trireme.load();
      const long = Array(64).fill("a long day at sea ".repeat(60));
      const waits = [busy.encode(long), busy.predict("two oars")].map((asked) => asked.catch(({ code }) => code));
      await new Promise((resolve) => setTimeout(resolve, 20));
      busy.dispose();
      const codes = await Promise.all(waits);
      const second = await settled(2);
      const { label } = await (await trireme.load()).predict("a warm and funny film");
      return { before, first, codes, second, label };
    }), { edition: "inline" });
    assert.deepEqual(got, { before: 0, first: 1, codes: ["shutting_down", "shutting_down"], second: 2, label: "positive" });
  },

  async "a worker that can't be started says why, and what to do"() {
    const got = await fresh((page) => page.evaluate(async (elsewhere) => {
      const told = [];
      for (const assets of [elsewhere, "/nowhere/", "/trireme/"]) {
        const loaded = trireme.load("default", { assets });
        told.push(await loaded.then(
          (model) => (model.dispose(), "loaded"),
          ({ code, name, retryable, message }) => ({ code, name, retryable, message }),
        ));
      }
      return told;
    }, `http://localhost:${server.port}/trireme/`));
    const [elsewhere, nowhere, here] = got;
    assert.deepEqual([elsewhere.code, elsewhere.name], ["unsupported_here", "UnsupportedError"], elsewhere.message);
    assert.match(elsewhere.message, /own origin.*`assets`.*trireme\/inline/);
    assert.deepEqual([nowhere.code, nowhere.name, nowhere.retryable], ["source_unavailable", "SourceError", true], nowhere.message);
    assert.equal(here, "loaded");
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
  const ofThePage = ({ name, pid, tid }) => /RunTask$/.test(name) && threads.has(`${pid} ${tid}`);
  const tasks = traceEvents.filter((event) => ofThePage(event) && event.tdur !== undefined);
  assert.ok(tasks.length > 10, "the browser traced tasks, and what they took of the processor");
  return Math.max(...tasks.map(({ tdur }) => tdur)) / 1000;
}
