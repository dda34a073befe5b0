import { pipeline } from "trireme";
import { app } from "../small/app.mjs";
import { show } from "../small/show.mjs";
import { models, options } from "./models.js";

show(app(pipeline, models, { ...options, hub: location.origin }));
