// The module that Cloudflare calls. The built one behind it makes its instance anew after an
// accident; here the requests that the accident hit get their answers.
import { env } from "cloudflare:workers";
import Worker from "./build/index.js";

// Asked while there is somebody to ask.
const accidents = JSON.parse(Worker.prototype.accidents());

prepare();

/** Ends each request that is under way. They share an instance, so they share its accident. */
const underway = new Set();

// An instance breaks down in a task of its own, where no request's `await` can see it. Any other
// error is a stranger's: what an instance that is gone had still planned, for one.
addEventListener("error", ({ error }) => {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
    for (const end of underway) end(error);
  }
});

export default {
  fetch(request, env, context) {
    const answer = answered(request, env, context);
    // A request whose caller left still ends, and frees what it holds of the instance.
    context.waitUntil(answer);
    return answer;
  },
};

async function answered(request, env, context) {
  const { promise: accident, reject: end } = Promise.withResolvers();
  underway.add(end);
  try {
    return await Promise.race([new Worker(context, env).fetch(request), accident]);
  } catch (error) {
    return typed(error);
  } finally {
    underway.delete(end);
  }
}

function typed(error) {
  console.error(error);
  // Rust says nothing when memory runs out; the names on the stack do.
  const code = /rust_oom|alloc_error/.test(error?.stack) ? "out_of_memory" : "internal";
  const [status, body] = accidents[code];
  return Response.json(body, { status });
}

/** Opens the model before there is a request. */
function prepare() {
  // An isolate has no randomness while it starts. The tokenizer wants some for its hash tables,
  // against callers who choose their keys; zeros do, for the keys are the vocabulary's.
  crypto.getRandomValues = (bytes) => bytes;
  try {
    Worker.prototype.prepare(env);
  } catch (error) {
    // A start that fails is a deployment that fails; a request can be told what is wrong.
    console.error(error);
  } finally {
    delete crypto.getRandomValues;
  }
}
