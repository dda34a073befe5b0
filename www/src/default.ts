// The model of this package.

import type { Place } from "./protocol.js";

/** Where it lies; nothing in builds without it. */
export const DEFAULT: (() => Place) | undefined = () => ({
  kind: "bundle",
  url: new URL("./models/default/default.bin", import.meta.url).href,
});
