import { pipeline } from "trireme";
import { app } from "../small/app.mjs";
import { show } from "../small/show.mjs";

show(app(pipeline, {}, { device: "wasm" }));
