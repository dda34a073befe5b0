// What is kept of models that were fetched, for people who want to see it or to have the room back.

import { all, forget, held, under, type Meta } from "./kept.js";
import { rootOf, type Hub } from "./places.js";

/** A file that is kept. */
export interface Cached {
  url: string;
  /** Bytes that are here. */
  bytes: number;
  /** Whether that is all of it; the rest is fetched when the model is loaded again. */
  complete: boolean;
  /** When it was fetched. */
  saved: Date;
}

/** The cache of fetched models, shared by all pages of an origin. */
export const cache = {
  /** Every file that is kept. */
  async list(): Promise<Cached[]> {
    const files = (await all()).filter(({ absent }) => !absent);
    return files.map((meta) => {
      const { url, complete, saved } = meta;
      return { url, bytes: held(meta), complete, saved: new Date(saved) };
    });
  },

  /** Whether a model is kept whole, so that it can be loaded without a network. */
  async has(model: string | URL, hub?: Hub): Promise<boolean> {
    const files = (await of(model, hub)).filter(({ absent }) => !absent);
    const weighty = files.some(({ url }) => /\.(safetensors|bin|trireme)$/.test(new URL(url).pathname));
    return weighty && files.every(({ complete }) => complete);
  },

  /** Forgets a model, or all; the bytes that are free again. */
  async delete(model?: string | URL, hub?: Hub): Promise<number> {
    const files = model === undefined ? await all() : await of(model, hub);
    await Promise.all(files.map(({ url }) => forget(url)));
    return files.reduce((sum, meta) => sum + held(meta), 0);
  },

  /** The bytes of all that is kept. */
  async size(): Promise<number> {
    return (await all()).reduce((sum, meta) => sum + held(meta), 0);
  },
};

function of(model: string | URL, hub: Hub | undefined): Promise<Meta[]> {
  return under(rootOf(model, hub));
}
