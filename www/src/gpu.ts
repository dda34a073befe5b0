// The GPU that a browser would give, and the tiles that it was measured to be fastest with.

import { recalled, remember } from "./kept.js";

/** A GPU, as far as a browser tells. */
export interface Adapter {
  name: string;
  /** What only looks like a GPU, on the processor. */
  software: boolean;
}

/** What of WebGPU is asked here. */
interface Browser {
  gpu?: { requestAdapter(): Promise<{ info?: Info; isFallbackAdapter?: boolean } | null> };
}

type Info = Partial<Record<"vendor" | "architecture" | "device" | "description", string>> & {
  isFallbackAdapter?: boolean;
};

/** The GPU that is here; `undefined` where there is none. */
export async function adapterHere(): Promise<Adapter | undefined> {
  const adapter = await (globalThis.navigator as Browser | undefined)?.gpu?.requestAdapter();
  if (!adapter) return undefined;
  // The first browsers with GPUs say nothing of them.
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info ?? {};
  const name = [vendor, architecture, device, description].filter(Boolean).join(" ");
  return { name, software: isFallbackAdapter ?? adapter.isFallbackAdapter ?? false };
}

/** Tiles by the engine's names for precisions, and a way to keep them. */
export interface Tiles {
  known: Map<string, string>;
  keep(): Promise<void>;
}

/** What is remembered of the GPU that is here; `undefined` where there is nothing to measure. */
export async function tilesHere(): Promise<Tiles | undefined> {
  const adapter = await adapterHere();
  if (!adapter || adapter.software) return undefined;
  const name = `tiles of ${adapter.name}`;
  const known = new Map<string, string>(Object.entries((await recalled(name)) ?? {}));
  const keep = () => remember(name, Object.fromEntries(known));
  return { known, keep };
}
