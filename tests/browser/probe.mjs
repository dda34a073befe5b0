// What the package's probe says of this Node, and whether the instruction is right here, cold and
// hot, by another test: all products of a weight, an input and a sum.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const modules = process.env.TRIREME_NODE_MODULES;
const { transformSync } = createRequire(join(modules, "/"))("esbuild");
const source = readFileSync(new URL("../../www/src/probe.ts", import.meta.url), "utf8");
const { code } = transformSync(source, { loader: "ts", format: "esm" });
const { DOT, relaxedDotsWork } = await import(`data:text/javascript,${encodeURIComponent(code)}`);

function right() {
  if (!WebAssembly.validate(DOT)) return false;
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(DOT)).exports;
  for (let weight = -127; weight <= 127; weight++) {
    for (let input = 0; input <= 127; input++) {
      if (f(weight, input, 7) !== 7 + 4 * weight * input) return false;
    }
  }
  return true;
}

console.log(JSON.stringify({ works: relaxedDotsWork(), right: right() }));
