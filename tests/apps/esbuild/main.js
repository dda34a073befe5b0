import { pipeline } from "trireme";
import { app } from "../small/app.mjs";
import { show } from "../small/show.mjs";

// esbuild moves scripts and leaves what lies beside them; the package's folder is put on the server.
show(app(pipeline, {}, { device: "wasm", assets: "/trireme/" }));
