// Loading: lines that break, servers that lie, what is kept, and where a model may come from.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { answers, bundle, ended, fails, fresh, insecure, server, sha256, values } from "./kit.mjs";

/** Bytes that went over the line, by the ranges that were asked for. */
const from = ({ range }) => Number(/(\d+)/.exec(range ?? "0")[1]);

/** A hash of something else. */
const other = sha256.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));

/** What is kept, as people are told. */
const listed = (page) => page.evaluate(() => trireme.cache.list());

/** The first request for a body fails; the others don't. */
const once = (how) => {
  let failed = false;
  return ({ method }) => {
    if (method !== "GET" || failed) return undefined;
    failed = true;
    return how;
  };
};

export const cases = {
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

  async "a line that brings nothing is cut, and the model comes over the next"() {
    server.now(once({ silent: true }));
    await fresh(async (page) => {
      // The first half of a minute that the package would wait passes at once.
      await page.evaluate(() => {
        const { setTimeout } = globalThis;
        globalThis.setTimeout = (work, pause, ...rest) => {
          if (pause !== 30_000) return setTimeout(work, pause, ...rest);
          globalThis.setTimeout = setTimeout;
          return setTimeout(work, 50, ...rest);
        };
      });
      const { seen } = await answers(page, { cache: "off" });
      assert.equal(seen.at(-1).loaded, bundle.length);
      assert.equal(server.bodies().length, 2);
    }, { edition: "inline" });
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

  async "what came damaged is not used again"() {
    server.now(() => ({ damaged: true }));
    await fresh(async (page, context) => {
      await fails(page, "invalid_model");
      server.now();
      await fresh((later) => answers(later), { context });
    });
  },

  async "a server that tells neither tag nor date is asked for the whole"() {
    server.now(() => ({ etag: null }));
    await fresh(async (page, context) => {
      await answers(page);
      server.now(() => ({ etag: null }));
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
      const { message } = await fails(page, "invalid_model", { sha256: other });
      assert.match(message, new RegExp(sha256));
      assert.deepEqual(await listed(page), []);
      assert.equal(server.bodies().length, 1, "what came just now was asked for again");
      await answers(page, { sha256: sha256.toUpperCase() });
    });
  },

  async "a wrong hash costs nothing that is kept"() {
    server.now();
    await fresh(async (page, context) => {
      await answers(page);
      for (const [cache, bodies] of [["only", 0], ["check", 1]]) {
        server.now();
        await fails(page, "invalid_model", { sha256: other, cache });
        assert.equal(server.bodies().length, bodies, `cache: "${cache}"`);
        await answers(page, { sha256, cache: "only" });
      }
      // The server has another model by now, and the hash is the kept one's.
      server.now(() => ({ damaged: true, etag: '"two"' }));
      await answers(page, { sha256 });
      await context.route("**/model/**", (route) => route.abort("internetdisconnected"));
      const { message } = await fails(page, "invalid_model", { sha256: other });
      assert.match(message, new RegExp(sha256), "the damage is told, and not the network");
      await answers(page, { sha256, cache: "only" });
      assert.deepEqual((await listed(page)).map(({ bytes }) => bytes), [bundle.length]);
    });
  },

  async "what is kept and damaged is replaced once the other is here"() {
    const spoil = async () => {
      const kept = await caches.open("trireme-models-1");
      // The second piece, of whichever copy is there.
      const key = (await kept.keys()).find(({ url }) => /[/-]1$/.test(url));
      const bytes = new Uint8Array(await (await kept.match(key)).arrayBuffer());
      bytes[bytes.length >> 1] ^= 1;
      await kept.put(key, new Response(bytes));
    };
    await fresh(async (page, context) => {
      server.now();
      await answers(page);
      for (const options of [{ sha256 }, {}]) {
        await page.evaluate(spoil);
        await fails(page, "invalid_model", { ...options, cache: "only" });
        // What the server has is no better: the kept one stays, and the next load asks again.
        server.now(() => ({ damaged: true }));
        await fails(page, "invalid_model", options);
        assert.deepEqual((await listed(page)).map(({ bytes }) => bytes), [bundle.length]);
        server.now();
        const { seen } = await answers(page, options);
        const loaded = seen.map((progress) => progress.loaded);
        assert.deepEqual(loaded, [...loaded].sort((a, b) => a - b), "progress went back");
        assert.equal(server.bodies().length, 1);
        await context.route("**/model/**", (route) => route.abort("internetdisconnected"));
        await answers(page, { sha256, cache: "only" });
        await context.unroute("**/model/**");
      }
    });
  },

  async "what is newer and damaged costs nothing that is kept"() {
    server.now();
    await fresh(async (page) => {
      await answers(page);
      server.now(() => ({ damaged: true, etag: '"two"' }));
      await fails(page, "invalid_model");
      assert.equal(server.bodies().length, 1);
      await answers(page, { cache: "only" });
      server.now(() => ({ etag: '"three"' }));
      await answers(page);
      assert.deepEqual(server.asked().map(({ method }) => method), ["HEAD", "GET"]);
      server.now(() => ({ etag: '"three"' }));
      await answers(page);
      assert.deepEqual(server.asked().map(({ method }) => method), ["HEAD"], "the newer one was not kept");
    });
  },

  async "a file whose hash is known must be there"() {
    const asked = [];
    const missing = (context) => context.route("**/minilm/**", (route) => {
      const file = new URL(route.request().url()).pathname.split("/").at(-1);
      asked.push(file);
      return file === "model.safetensors" ? route.fulfill({ status: 404 }) : route.continue();
    });
    const got = await fresh(async (page, context) => {
      await missing(context);
      return page.evaluate(async (sha256) => {
        const pins = { sha256: { "model.safetensors": sha256 } };
        const told = ({ code, message }) => ({ code, message });
        const config = [new File(["{}"], "config.json"), new File([""], "pytorch_model.bin")];
        const own = await trireme.load(config, pins).catch(told);
        return [await trireme.load("/minilm/", { ...pins, cache: "off" }).catch(told), own];
      }, sha256);
    });
    for (const { code, message } of got) {
      assert.equal(code, "invalid_model", message);
      assert.match(message, /model\.safetensors .*got no file/);
    }
    assert.ok(!asked.includes("pytorch_model.bin"), `another container was asked for: ${asked}`);
  },

  async "a hash that protects nothing is refused"() {
    const config = createHash("sha256").update(await readFile(join(values.minilm, "config.json"))).digest("hex");
    const got = await fresh((page) => page.evaluate(async (config) => {
      const told = [];
      for (const names of [["config.json"], ["config.json", "config,json"], ["toString"]]) {
        const sha256 = Object.fromEntries(names.map((name) => [name, config]));
        const loaded = trireme.load("/minilm/", { sha256, cache: "off" });
        told.push(await loaded.then((model) => (model.dispose(), "loaded"), ({ code, message }) => `${code}: ${message}`));
      }
      return told;
    }, config));
    assert.equal(got[0], "loaded");
    assert.match(got[1], /^invalid_option: .*config,json/);
    assert.match(got[2], /^invalid_option: .*toString/);
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
      assert.deepEqual(await listed(page), []);
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

  async "a model names no file that is not its own"() {
    server.now();
    const got = await fresh((page) => page.evaluate(async () => {
      const codes = [];
      for (const path of ["https://elsewhere.example/x", " //elsewhere.example", "%2e%2e/x", "../x"]) {
        const modules = JSON.stringify([{ idx: 0, name: "0", path, type: "sentence_transformers.models.Transformer" }]);
        const files = [new File([modules], "modules.json"), new File(["{}"], "config.json")];
        codes.push(await trireme.load(files).then(() => "loaded", ({ code }) => code));
      }
      return codes;
    }));
    assert.deepEqual(got, Array(4).fill("invalid_model"));
  },

  async "a hash that would be looked at by nobody is refused"() {
    await fresh(async (page) => {
      await fails(page, "invalid_option", { sha256: { "model.safetensors": sha256 } });
      for (const none of ["", "0", null]) await fails(page, "invalid_option", { sha256: none });
      const codes = await page.evaluate(async (sha256) => {
        const fault = (sha256) => trireme.load("/minilm/", { sha256 }).then(() => "loaded", ({ code }) => code);
        return [await fault(sha256), await fault({ "config.json": "" })];
      }, sha256);
      assert.deepEqual(codes, ["invalid_option", "invalid_option"]);
    });
  },

  async "a server that takes no questions is asked otherwise"() {
    server.now();
    await fresh(async (page, context) => {
      await answers(page);
      server.now(({ method }) => (method === "HEAD" ? { status: 405 } : undefined));
      await fresh((later) => answers(later), { context });
      assert.deepEqual(server.asked().map(({ method }) => method), ["HEAD", "GET"]);
    });
  },

  async "a piece that the browser took away is fetched again"() {
    server.now();
    await fresh(async (page, context) => {
      await answers(page);
      await page.evaluate(async () => {
        const kept = await caches.open("trireme-models-1");
        const keys = await kept.keys();
        await kept.delete(keys.find(({ url }) => url.endsWith("/1")));
      });
      server.now();
      await fresh((later) => answers(later), { context });
      await fresh((later) => answers(later), { context });
      assert.equal(server.bodies().length, 1);
    });
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
};
