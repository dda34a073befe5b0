import { env, pipeline } from "@huggingface/transformers";
import { app } from "../small/app.mjs";
import { show } from "../small/show.mjs";
import { models, options } from "./models.js";

env.remoteHost = location.origin;
env.allowLocalModels = false;
// Its engine would come from a host of others, and by the way of a blob.
env.backends.onnx.wasm.wasmPaths = "/ort/";
env.backends.onnx.wasm.numThreads = 1;
env.useWasmCache = false;

show(app(pipeline, models, options));
