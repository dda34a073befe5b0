// The micro-kernels in Cloudflare's runtime. Its clock stands still while a request computes, so
// whoever asks measures.

import relaxed from "./relaxed-simd.wasm";
import simd from "./simd128.wasm";

const modules = {};
for (const [name, module] of Object.entries({ "relaxed-simd": relaxed, simd128: simd })) {
  modules[name] = new WebAssembly.Instance(module).exports;
}

export default {
  fetch(request) {
    const [, lane, kernel, rows, rounds] = new URL(request.url).pathname.split("/");
    return new Response(modules[lane][kernel](Number(rows), Number(rounds)));
  },
};
