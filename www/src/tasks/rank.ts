// Texts by how well they answer a query.

import type { Rows } from "../engine/trireme.js";
import type { Model } from "../model.js";
import { answered, checked } from "../pieces.js";
import { cut, most, signalled, taskOf, type Cutting, type Task } from "./task.js";

/** A text's place among those that were given, and its score. */
export interface Ranked {
  index: number;
  score: number;
  text: string;
}

/** How texts are ranked. */
export interface RankOptions extends Cutting {
  /** How many to give, the best first; all unless said. */
  top_k?: number | null;
}

/** Ranks. */
export interface Ranker extends Task {
  (query: string, texts: string[], options?: RankOptions): Promise<Ranked[]>;
}

/** A ranker over a model: by its judgement of pairs, or where it has none by its vectors' cosines. */
export function ranker(model: Model): Ranker {
  const call = async (query: string, texts: string[], options: RankOptions = {}) => {
    const asked = checked(query, "the query");
    const ask = (texts: string[]) => {
      const rank = { query: asked, texts, ...cut(options) };
      return model.ask<Rows>({ do: "numbers", request: { rank } }, signalled(options.signal));
    };
    const scores: number[] = [];
    for await (const { numbers } of answered(texts, ask, options.signal)) scores.push(...numbers);
    const ranked = scores.map((score, index) => ({ index, score, text: texts[index] ?? "" }));
    return ranked.sort((a, b) => b.score - a.score).slice(0, most(options.top_k));
  };
  return taskOf("text-ranking", model, call) as Ranker;
}
