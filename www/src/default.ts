// The model of this package.

import { base } from "./platform.js";
import type { Place } from "./protocol.js";

/** Where it lies; nothing in builds without it. What Turbopack makes of such an address has no origin:
 *  it is the page's. */
export const DEFAULT: (() => Place) | undefined = () => ({
  kind: "bundle",
  url: new URL(new URL("./models/default/default.bin", import.meta.url).href, base()).href,
});
