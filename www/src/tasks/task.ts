// What every task has: the model under it, and an end.

import type { Token, TokenizeRequest } from "../engine/trireme.js";
import { error } from "../errors.js";
import type { AskOptions, Info, Model, Stats } from "../model.js";
import { checked } from "../pieces.js";

/** A text's token, with its place in JavaScript's own units. */
export type { Token };

/** What every task can be asked. */
export interface Task {
  readonly task: string;
  readonly model: Model;
  /** The tokens of a text, as the model reads them, with where they stand in it. */
  tokenize(text: string, options?: Omit<TokenizeRequest, "text"> & AskOptions): Promise<Token[]>;
  /** What runs where, and why; with `device: "auto"` once that is measured. */
  info(): Promise<Info & { task: string }>;
  /** What the model takes now, in bytes. */
  stats(): Promise<Stats>;
  /** Ends the model's workers and frees its memory. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How long texts are treated, by all tasks. */
export interface Cutting extends AskOptions {
  /** The most tokens of a text to look at, special ones among them. */
  max_length?: number;
  /** `false` refuses a text that is too long; else its end is left out. */
  truncation?: boolean;
}

/** A request's fields for these. */
export function cut({ max_length, truncation }: Cutting): { max_length?: number; truncate?: boolean } {
  return {
    ...(max_length !== undefined && { max_length }),
    ...(truncation !== undefined && { truncate: truncation }),
  };
}

/** How many of the best are given: as many as is said, and all by `null` or nothing. */
export function most(top_k: number | null = null): number {
  if (top_k === null) return Number.POSITIVE_INFINITY;
  if (Number.isInteger(top_k) && top_k > 0) return top_k;
  throw error("invalid_option", `top_k is ${top_k}; it is a number above 0, or null for all`);
}

/** The call, with what every task has besides. */
export function taskOf<Call extends object>(task: string, model: Model, call: Call): Call & Task {
  const dispose = async () => model.dispose();
  return Object.assign(call, {
    task,
    model,
    tokenize: async (text: string, { signal, ...rest }: Omit<TokenizeRequest, "text"> & AskOptions = {}) => {
      const request = { text: checked(text), ...rest };
      const tokens = await model.ask<Token[]>({ do: "tokenize", request }, signalled(signal));
      return inUnits(tokens, request.text);
    },
    info: async () => ({ task, ...(await model.info()) }),
    stats: () => model.stats(),
    dispose,
    [Symbol.asyncDispose]: dispose,
  });
}

/** An abort, where there is one. */
export function signalled(signal: AbortSignal | undefined): AskOptions {
  return signal ? { signal } : {};
}

/** The engine counts characters, and JavaScript halves of some. */
function inUnits(tokens: Token[], text: string): Token[] {
  if (!/[\ud800-\udbff]/.test(text)) return tokens;
  const units = [0];
  for (const character of text) units.push((units.at(-1) ?? 0) + character.length);
  const at = (place: number | null) => (place === null ? null : (units[place] ?? text.length));
  return tokens.map((token) => ({ ...token, start: at(token.start), end: at(token.end) }));
}
