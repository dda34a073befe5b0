// What the package does when something goes wrong, and when much is asked of it, in a real Chromium.
//
//     node tests/browser/package.mjs --web FOLDER --drill FOLDER --minilm FOLDER [--only CASE] [--long]
//
// FOLDERs: what `cargo xtask build` made of `web` and `web-drill`, and all-MiniLM-L6-v2. It prints a
// line for each case, and ends with an error at the first that is not as it should be. `--long` is
// the size of a soak.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

import { GPU, launch } from "./chromium.mjs";
import { faulty } from "./faulty.mjs";
import { serveFile } from "./serve.mjs";

const { values } = parseArgs({
  options: {
    web: { type: "string" },
    drill: { type: "string" },
    minilm: { type: "string" },
    only: { type: "string" },
    long: { type: "boolean" },
  },
});
const mounts = [
  ["/drill/", resolve(values.drill)],
  ["/minilm/", resolve(values.minilm)],
  ["/test/", dirname(fileURLToPath(import.meta.url))],
  ["/", resolve(values.web)],
];
const bundle = await readFile(join(values.web, "trireme/models/default/default.bin"));
const sha256 = createHash("sha256").update(bundle).digest("hex");
const server = await faulty(bundle, (request, response) => {
  if (request.url.startsWith("/model/")) return false;
  if (request.url === "/favicon.ico") response.writeHead(404).end();
  else void serveFile(mounts, request.url, response);
  return true;
});

/** Bytes of code before a first answer, by gzip: a fifth of what transformers.js takes. */
const MOST_CODE = 1_400_000;

// A name that is no loopback's is no secure context.
const insecure = `http://insecure.test:${server.port}`;
const browser = await launch([...GPU, "--host-resolver-rules=MAP insecure.test 127.0.0.1"]);

/** A page of its own, with the package in `trireme`; what is kept is its context's alone. */
async function fresh(work, { origin = server.origin, edition = "index", root = "", context } = {}) {
  const own = context ?? (await browser.newContext());
  const page = await own.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  await page.goto(`${origin}/test/bridge.html`);
  await page.evaluate(`import("${root}/trireme/${edition}.js").then((all) => { window.trireme = all; })`);
  try {
    return await work(page, own);
  } finally {
    await page.close();
    if (!context) await own.close();
  }
}

/** Loads the served model and asks it; what came of it. */
function use(page, options = {}) {
  return page.evaluate(async (options) => {
    const seen = [];
    const onProgress = (progress) => seen.push(progress);
    const start = performance.now();
    try {
      const model = await trireme.load(new URL("/model/default.bin", location.href), { onProgress, ...options });
      const { label } = await model.predict("a warm and funny film");
      const { unkept } = model.facts;
      model.dispose();
      return { label, unkept, seen, took: performance.now() - start };
    } catch (error) {
      const { code, message, name, retryable, hint } = error;
      if (code === undefined) throw error;
      return { code, message, name, retryable, hint, seen };
    }
  }, options);
}

async function answers(page, options) {
  const got = await use(page, options);
  assert.equal(got.label, "positive", JSON.stringify({ ...got, seen: [] }));
  return got;
}

async function fails(page, code, options) {
  const got = await use(page, options);
  assert.equal(got.code, code, JSON.stringify({ ...got, seen: [] }));
  return got;
}

/** The page has no worker any more. Each look is a journey to the browser and back. */
async function ended(page) {
  for (let look = 0; page.workers().length > 0; look++) {
    assert.ok(look < 1000, `${page.workers().length} workers outlived their model`);
    await page.evaluate(() => true);
  }
}

/** Bytes that went over the line, by the ranges that were asked for. */
const from = ({ range }) => Number(/(\d+)/.exec(range ?? "0")[1]);

/** The first request for a body fails; the others don't. */
const once = (how) => {
  let failed = false;
  return ({ method }) => {
    if (method !== "GET" || failed) return undefined;
    failed = true;
    return how;
  };
};

const CASES = {
  async "a line that is cut at 60 % goes on where it was"() {
    server.now(once({ cut: 0.6 }));
    const { seen } = await fresh((page) => answers(page));
    const [first, second, ...more] = server.bodies();
    assert.deepEqual(more, [], "more than two requests");
    assert.equal(first.range, undefined);
    // What the browser had not handed over yet is lost with the line.
    const share = from(second) / bundle.length;
    assert.ok(share > 0.4 && share <= 0.6, `the second began at ${share}`);
    const loaded = seen.map((progress) => progress.loaded);
    assert.deepEqual(loaded, [...loaded].sort((a, b) => a - b), "progress went back");
    assert.equal(loaded.at(-1), bundle.length);
    assert.ok(seen.every(({ total = bundle.length }) => total === bundle.length), "a total that was not true");
  },

  async "a server without ranges begins again, and no byte is read twice"() {
    server.now(({ method }, before) => (method === "GET" ? { range: false, ...(before === 0 && { cut: 0.6 }) } : {}));
    const { seen } = await fresh((page) => answers(page));
    assert.equal(seen.at(-1).loaded, bundle.length);
    assert.equal(server.bodies().length, 2);
  },

  async "what a closed page had of a model is not fetched again"() {
    server.now(once({ cut: 0.6 }));
    await fresh(async (page, context) => {
      await page.evaluate(() => {
        const left = new AbortController();
        // The first line is cut at 60 %: by then the first piece is kept.
        const onProgress = ({ loaded }) => loaded > 5e6 && left.abort();
        return trireme.load("/model/default.bin", { onProgress, signal: left.signal }).then(
          () => { throw new Error("it was not cut off"); },
          (error) => { if (error.code !== "cancelled") throw error; },
        );
      });
      const [part] = await page.evaluate(() => trireme.cache.list());
      assert.ok(part && !part.complete && part.bytes >= 4 << 20, JSON.stringify(part));
      assert.equal(await page.evaluate(() => trireme.cache.has("/model/default.bin")), false);
      server.now();
      await fresh((later) => answers(later), { context });
      const [only, ...more] = server.bodies();
      assert.deepEqual(more, []);
      assert.equal(from(only), part.bytes);
    });
  },

  async "a range that is refused begins again"() {
    server.now(once({ cut: 0.6 }));
    await fresh(async (page, context) => {
      server.now(({ method, headers }, before) => {
        if (method !== "GET") return undefined;
        if (before === 0) return { cut: 0.6 };
        return headers.range ? { status: 416 } : undefined;
      });
      await fails(page, "source_unavailable");
      // The next load finds the first piece, is refused its rest, and takes the whole.
      await fresh((later) => answers(later), { context });
      const ranges = server.bodies().map(({ range }) => range ?? "all");
      assert.ok(ranges.at(-1) === "all" && ranges.at(-2) !== "all", ranges.join(", "));
    });
  },

  async "what is kept is asked about and not fetched"() {
    server.now();
    await fresh(async (page, context) => {
      await answers(page);
      server.now();
      await fresh((later) => answers(later), { context });
      assert.deepEqual(server.asked().map(({ method }) => method), ["HEAD"]);
      const { has, list, size } = await page.evaluate(async () => ({
        has: await trireme.cache.has("/model/default.bin"),
        list: await trireme.cache.list(),
        size: await trireme.cache.size(),
      }));
      assert.equal(has, true);
      assert.deepEqual(list.map(({ bytes, complete }) => ({ bytes, complete })), [{ bytes: bundle.length, complete: true }]);
      assert.equal(size, bundle.length);
      assert.equal(await page.evaluate(() => trireme.cache.delete("/model/default.bin")), bundle.length);
      assert.deepEqual(await page.evaluate(() => trireme.cache.list()), []);
    });
  },

  async "a file that changed is fetched anew"() {
    server.now();
    await fresh(async (page, context) => {
      await answers(page);
      server.now(() => ({ etag: '"two"' }));
      await fresh((later) => answers(later), { context });
      assert.deepEqual(server.asked().map(({ method }) => method), ["HEAD", "GET"]);
    });
  },

  async "without a network what is kept answers, and what is not says so"() {
    server.now();
    await fresh(async (page, context) => {
      // Files of the package are the page's own to keep.
      await answers(page);
      await context.route("**/model/**", (route) => route.abort("internetdisconnected"));
      server.now();
      await answers(page);
      await answers(page, { cache: "only" });
      assert.deepEqual(server.asked(), []);
      await page.evaluate(() => trireme.cache.delete());
      const { retryable, hint } = await fails(page, "offline", { cache: "only" });
      assert.equal(retryable, false);
      assert.match(hint, /connection/);
    });
  },

  async "each status has its error, and passing ones are tried again"() {
    await fresh(async (page) => {
      for (const [status, code] of [[404, "model_not_found"], [401, "source_refused"], [403, "source_refused"], [418, "source_unavailable"]]) {
        server.now(() => ({ status }));
        await fails(page, code);
        assert.equal(server.bodies().length, 1, `${status} was asked for again`);
      }
      await page.evaluate(() => trireme.cache.delete());
      server.now((_, before) => (before < 2 ? { status: 503 } : undefined));
      await answers(page);
      assert.equal(server.bodies().length, 3);
      server.now(() => ({ status: 500 }));
      const { retryable } = await fails(page, "source_unavailable", { cache: "off" });
      assert.equal(retryable, true);
      server.now();
      await answers(page, { cache: "off" });
    });
  },

  async "a length that is not true is refused, and what comes after it is right"() {
    server.now(({ headers }) => ({ said: bundle.length + 1000 - Number(/\d+/.exec(headers.range ?? "0")[0]), cut: 1 }));
    await fresh(async (page) => {
      await fails(page, "source_unavailable");
      server.now();
      await answers(page);
    });
  },

  async "a hash that is not met is refused, and nothing of it is kept"() {
    server.now();
    await fresh(async (page) => {
      await answers(page, { sha256 });
      const { message } = await fails(page, "invalid_model", { sha256: sha256.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) });
      assert.match(message, new RegExp(sha256));
      await answers(page, { sha256: sha256.toUpperCase() });
    });
  },

  async "a full disk costs the cache and not the model"() {
    server.now();
    await fresh(async (page, context) => {
      const cdp = await context.newCDPSession(page);
      await cdp.send("Storage.overrideQuotaForOrigin", { origin: server.origin, quotaSize: 1 << 20 });
      const { unkept } = await answers(page);
      assert.match(unkept ?? "", /no more room/);
      assert.deepEqual(await page.evaluate(() => trireme.cache.list()), []);
    });
  },

  async "a page without a cache, a lock and a digest answers all the same"() {
    server.now();
    await fresh(async (page) => {
      assert.equal(await page.evaluate(() => "caches" in window), false, "this page is not insecure");
      const { unkept } = await answers(page);
      assert.match(unkept ?? "", /no cache/);
      await fails(page, "unsupported_here", { sha256 });
      assert.deepEqual(await page.evaluate(() => trireme.cache.list()), []);
    }, { origin: insecure });
  },

  async "two tabs that load at once fetch once"() {
    server.now();
    await fresh(async (one, context) => {
      await fresh(async (other) => {
        await Promise.all([answers(one), answers(other)]);
      }, { context });
    });
    assert.equal(server.bodies().length, 1);
  },

  async "an abort at any point of loading is one, and leaves no worker"() {
    await fresh(async (page) => {
      for (let tenth = 0; tenth < 10; tenth++) {
        server.now();
        const code = await page.evaluate(async (share) => {
          await trireme.cache.delete();
          const left = new AbortController();
          if (share === 0) left.abort();
          const onProgress = ({ loaded, total }) => total && loaded >= share * total && left.abort();
          try {
            (await trireme.load("/model/default.bin", { onProgress, signal: left.signal })).dispose();
            return "loaded";
          } catch (error) {
            return error.code;
          }
        }, tenth / 10);
        assert.equal(code, "cancelled", `at ${tenth} tenths`);
      }
      await ended(page);
      await answers(page);
    });
  },

  async "ten thousand texts come in order, in flat memory"() {
    const count = values.long ? 100_000 : 10_000;
    await fresh(async (page) => {
      const got = await page.evaluate(async (count) => {
        const embed = await trireme.pipeline("feature-extraction");
        function* texts(from, to) {
          for (let n = from; n < to; n++) yield `note ${n % 7} of many`;
        }
        const first = await embed([...texts(0, 7)]);
        const memory = [];
        let [n, wrong] = [0, 0];
        for await (const vector of embed.stream(texts(0, count))) {
          const expected = first.row(n % 7);
          wrong += vector.every((value, at) => value === expected[at]) ? 0 : 1;
          n++;
          if (n % 1000 === 0) memory.push((await embed.stats()).memory);
        }
        return { n, wrong, memory };
      }, count);
      assert.equal(got.n, count);
      assert.equal(got.wrong, 0, "vectors that were not their text's");
      const [settled, last] = [got.memory[1], got.memory.at(-1)];
      assert.ok(last <= settled, `memory grew from ${settled} to ${last}`);
    });
  },

  async "an endless stream that is aborted ends, in flat memory"() {
    const seconds = values.long ? 60 : 3;
    const got = await fresh((page) => page.evaluate(async (seconds) => {
      const embed = await trireme.pipeline("feature-extraction");
      async function* texts() {
        for (let n = 0; ; n++) yield `note ${n}`;
      }
      const left = AbortSignal.timeout(1000 * seconds);
      const memory = [];
      let n = 0;
      try {
        for await (const _ of embed.stream(texts(), { signal: left })) if (++n % 500 === 0) memory.push((await embed.stats()).memory);
        return { ended: true };
      } catch (error) {
        const [after] = await embed("and one more");
        return { n, code: error.code, memory, after: after.length };
      }
    }, seconds));
    assert.equal(got.code, "cancelled", JSON.stringify(got));
    assert.equal(got.after, 384);
    assert.ok(new Set(got.memory.slice(1)).size <= 1, `memory was ${got.memory}`);
  },

  async "a text of 100 MB is refused before it is copied, and the next is answered"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const classify = await trireme.pipeline("text-classification");
      await classify("warm up");
      const before = (await classify.stats()).memory;
      const error = await classify(["fine", "x".repeat(100e6)]).catch((error) => error);
      const [{ label }] = await classify("a warm and funny film");
      return { code: error.code, message: error.message, grew: (await classify.stats()).memory - before, label };
    }));
    assert.deepEqual([got.code, got.grew, got.label], ["text_too_long", 0, "positive"], JSON.stringify(got));
    assert.match(got.message, /^text 1 /);
  },

  async "a fault among many texts names its text, and poisons nothing"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const embed = await trireme.pipeline("feature-extraction");
      const texts = Array.from({ length: 700 }, (_, n) => (n === 641 ? "  " : `note ${n}`));
      const error = await embed(texts).catch((error) => error);
      return { code: error.code, message: error.message, after: (await embed(["a", "b"])).dims };
    }));
    assert.equal(got.code, "empty_text");
    assert.match(got.message, /^text 641 /);
    assert.deepEqual(got.after, [2, 384]);
  },

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

  async "any source gives one answer"() {
    server.now();
    const got = await fresh((page) => page.evaluate(async () => {
      const bytes = await (await fetch("/model/default.bin")).arrayBuffer();
      const file = new File([bytes], "default.trireme");
      const sources = {
        url: new URL("/model/default.bin", location.href),
        path: "/model/default.bin",
        bytes,
        view: new Uint8Array(bytes),
        blob: new Blob([bytes]),
        file,
        files: [file],
        stream: new Blob([bytes]).stream(),
        response: new Response(bytes),
      };
      const answers = {};
      for (const [name, source] of Object.entries(sources)) {
        const model = await trireme.load(source);
        answers[name] = `${model.digest} ${(await model.predict("a warm and funny film")).confidence}`;
        model.dispose();
      }
      return answers;
    }));
    assert.equal(new Set(Object.values(got)).size, 1, JSON.stringify(got, undefined, 2));
  },

  async "a hub's model is fetched by its name"() {
    const paths = [];
    await fresh(async (page) => {
      await page.route("**/hub/**", (route) => {
        const { pathname } = new URL(route.request().url());
        paths.push(`${pathname} ${route.request().headers().authorization ?? ""}`.trim());
        const file = /resolve\/v1\/(.*)$/.exec(pathname)?.[1];
        return route.continue({ url: `${server.origin}/minilm/${file}` });
      });
      const got = await page.evaluate(async () => {
        const options = { hub: `${location.origin}/hub`, revision: "v1", token: "hush" };
        const model = await trireme.load("team/minilm", options);
        const { embedding } = await model.encode("two oars");
        model.dispose();
        return { length: embedding.length, has: await trireme.cache.has("team/minilm", options), name: model.name, version: model.version };
      });
      assert.deepEqual(got, { length: 384, has: true, name: "team/minilm", version: "v1" });
    });
    assert.ok(paths.includes("/hub/team/minilm/resolve/v1/config.json Bearer hush"), paths.join("\n"));
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

  async "what goes out of scope leaves no worker"() {
    await fresh(async (page) => {
      // Node 20 does not know these words; the browser does.
      await page.evaluate(`(async () => {
        await using classify = await trireme.pipeline("text-classification");
        await classify("two oars");
      })()`);
      await ended(page);
    });
  },

  async "tasks answer as transformers.js names it"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const classify = await trireme.pipeline("sentiment-analysis");
      const embed = await trireme.pipeline("feature-extraction", null, { dtype: "q8" });
      const rank = await trireme.pipeline("text-ranking");
      const texts = ["a warm and funny film", "a dull mess"];
      const tensor = await embed(texts, { pooling: "mean", normalize: true });
      const list = tensor.tolist();
      const thrown = async (promise) => promise.then(() => "none", ({ code }) => code);
      return {
        one: await classify(texts[0]),
        many: await classify(texts),
        all: await classify(texts, { top_k: null }),
        raw: (await classify(texts[0], { top_k: 2, function_to_apply: "none" })).map(({ score }) => score),
        dims: tensor.dims,
        length: Math.hypot(...list[0]),
        short: (await embed("a", { dimensions: 16 })).dims,
        bytes: (await embed("a", { precision: "int8" })).data.constructor.name,
        bits: (await embed("a", { precision: "ubinary" })).dims,
        tokens: (await embed.tokens("two oars")).dims,
        near: await embed.similarity("a boat", ["a ship", "a cake"]),
        ranked: await rank("boats", ["a cake", "a ship at sea", "an oar"], { top_k: 2 }),
        offsets: (await classify.tokenize("a 🙂 fine film")).filter(({ text }) => text === "fine").map(({ start, end }) => [start, end]),
        errors: [
          await thrown(classify(7)),
          await thrown(classify("a", { top_k: 0 })),
          await thrown(classify("a", { function_to_apply: "sigmoid" })),
          await thrown(embed("a", { pooling: "none" })),
          await thrown(embed("a", { dimensions: 9999 })),
          await thrown(trireme.pipeline("translation")),
          await thrown(trireme.pipeline("feature-extraction", { dtype: "q3" })),
          await thrown(trireme.pipeline("feature-extraction", { device: "abacus" })),
          await thrown(trireme.pipeline("feature-extraction", { progress_callback() {} })),
        ],
      };
    }));
    assert.deepEqual(got.one.map(({ label }) => label), ["positive"]);
    assert.deepEqual(got.many.map(({ label }) => label), ["positive", "negative"]);
    assert.deepEqual(got.all.map((labels) => labels.length), [2, 2]);
    assert.ok(got.raw[0] > 1 && got.raw[1] < -1, `${got.raw}`);
    assert.deepEqual([got.dims, got.short, got.bytes, got.bits], [[2, 384], [1, 16], "Int8Array", [1, 48]]);
    assert.ok(Math.abs(got.length - 1) < 1e-6, `${got.length}`);
    assert.deepEqual(got.tokens[1], 384);
    assert.ok(got.near[0] > got.near[1], `${got.near}`);
    assert.deepEqual(got.ranked.map(({ index }) => index), [1, 2]);
    assert.deepEqual(got.offsets, [[5, 9]]);
    assert.deepEqual(got.errors, [
      "invalid_request", "invalid_option", "invalid_option", "invalid_option", "invalid_option",
      "unsupported_here", "invalid_option", "invalid_option", "invalid_option",
    ]);
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

for (const [name, run] of Object.entries(CASES)) {
  if (values.only && !name.includes(values.only)) continue;
  const start = performance.now();
  try {
    await run();
  } catch (error) {
    console.error(`not ok: ${name}`);
    throw error;
  }
  console.log(`ok: ${name} (${Math.round(performance.now() - start)} ms)`);
}
await browser.close();
server.close();
