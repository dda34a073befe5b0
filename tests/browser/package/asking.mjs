// Asking: lists of any length, texts that may not be asked for, and the names of tasks.

import assert from "node:assert/strict";

import { ended, fresh, server, values } from "./kit.mjs";

export const cases = {
  async "thousands of texts come in order, in flat memory"() {
    const count = values.long ? 100_000 : 3000;
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

  async "a query of 100 MB is refused before it is copied, and half a character in one costs nothing"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const embed = await trireme.pipeline("feature-extraction");
      const rank = await trireme.pipeline("text-ranking");
      const texts = ["a boat", "a cake"];
      const asks = [
        ["rank", async (query) => (await rank(query, texts)).map(({ score }) => score)],
        ["similarity", (query) => embed.similarity(query, texts)],
        ["tokens", async (query) => (await embed.tokens(query)).tolist()],
      ];
      const taken = async () => (await embed.stats()).memory + (await rank.stats()).memory;
      const got = {};
      for (const [name, ask] of asks) {
        const whole = JSON.stringify(await ask("half a \ufffd face"));
        const half = JSON.stringify(await ask("half a \ud83d face"));
        const before = await taken();
        const { code, message } = await ask("x".repeat(100e6)).catch((error) => error);
        const none = await ask(7).catch(({ code }) => code);
        got[name] = { same: half === whole, code, none, message, grew: (await taken()) - before };
      }
      return got;
    }));
    for (const [name, { message, ...facts }] of Object.entries(got)) {
      assert.deepEqual(facts, { same: true, code: "text_too_long", none: "invalid_request", grew: 0 }, name);
      assert.match(message, name === "tokens" ? /^the text has / : /^the query has /, name);
    }
  },

  async "a stream over a source that goes quiet can be left"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const embed = await trireme.pipeline("feature-extraction");
      async function* texts() {
        yield "two oars";
        await new Promise(() => {});
      }
      const soon = (work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, 10_000, "never"))]);
      const aborted = async () => {
        const left = new AbortController();
        for await (const _ of embed.stream(texts(), { signal: left.signal })) setTimeout(() => left.abort());
      };
      const broken = async () => {
        for await (const _ of embed.stream(texts())) break;
        return "left";
      };
      return [await soon(aborted().catch(({ code }) => code)), await soon(broken()), (await embed("and one more")).dims[0]];
    }));
    assert.deepEqual(got, ["cancelled", "left", 1]);
  },

  async "an abort is heard while a model that died is loaded again, and costs nobody else"() {
    server.now();
    await fresh(async (page, context) => {
      const died = await page.evaluate(async () => {
        window.model = await trireme.load("/model/default.bin", { cache: "off" });
        return window.model.predict("drill: panic").catch(({ code }) => code);
      });
      assert.equal(died, "internal");
      let [began, goOn] = [];
      const asked = new Promise((resolve) => (began = resolve));
      const may = new Promise((resolve) => (goOn = resolve));
      await context.route("**/model/**", async (route) => {
        began();
        await may;
        await route.continue();
      });
      await page.evaluate(() => {
        window.left = new AbortController();
        window.leaves = window.model.predict("two oars", { signal: window.left.signal }).catch(({ code }) => code);
        window.stays = window.model.predict("a warm and funny film");
      });
      await asked;
      const code = await page.evaluate(() => {
        window.left.abort();
        return Promise.race([window.leaves, new Promise((resolve) => setTimeout(resolve, 5000, "never"))]);
      });
      goOn();
      assert.equal(code, "cancelled");
      assert.equal(await page.evaluate(async () => (await window.stays).label), "positive");
      assert.equal(server.bodies().length, 2, "the model and, once, the model again");
    }, { root: "/drill" });
  },

  async "who asked while the engine died of another is answered, also one that may leave"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const model = await trireme.load();
      const { signal } = new AbortController();
      const asked = (text, options) => model.predict(text, options).then(({ label }) => label, ({ code }) => code);
      const both = Promise.all([asked("drill: panic"), asked("a warm and funny film", { signal })]);
      return Promise.race([both, new Promise((resolve) => setTimeout(resolve, 30_000, "never"))]);
    }), { edition: "inline", root: "/drill" });
    assert.deepEqual(got, ["internal", "positive"]);
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

  async "a model that is disposed of says so to who still waits"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const classify = await trireme.pipeline("text-classification");
      const waits = [classify("one"), classify.model.predict("two")].map((asked) => asked.catch(({ code }) => code));
      void classify.dispose();
      return [...(await Promise.all(waits)), await classify("three").catch(({ code }) => code)];
    }));
    assert.deepEqual(got, ["shutting_down", "shutting_down", "shutting_down"]);
  },

  async "half a character among many texts costs none of them"() {
    const got = await fresh((page) => page.evaluate(async () => {
      const embed = await trireme.pipeline("feature-extraction");
      return (await embed(["fine", "half a \ud83d face", "fine"])).dims;
    }));
    assert.deepEqual(got, [3, 384]);
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
