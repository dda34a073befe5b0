// No model: for who brings one.

import type { Place } from "../protocol.js";

export const DEFAULT: (() => Place) | undefined = undefined;
