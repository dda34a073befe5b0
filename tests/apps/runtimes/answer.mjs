// The app where there is no page: prints its answer.

import { pipeline } from "trireme";
import { app } from "../small/app.mjs";

console.log(JSON.stringify(await app(pipeline, {}, { device: "wasm" })));
