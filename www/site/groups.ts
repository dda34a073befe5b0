// Groups of vectors that lie together: k-means on a sphere.

import { dot } from "./vectors.js";

/** There are as many shapes on the map. */
const MOST_GROUPS = 6;

/** How often it begins anew. */
const BEGINNINGS = 8;

/** Rounds after which groups stay as they are. */
const ROUNDS = 30;

export interface Groups {
  /** Each vector's group. */
  of: number[];
  /** The vector in the middle of each group, by its place. */
  middles: number[];
}

/** Groups vectors of length one; the same vectors give the same groups. */
export function groupsOf(vectors: readonly Float32Array[]): Groups {
  const count = Math.min(MOST_GROUPS, Math.max(1, Math.round(Math.sqrt(vectors.length))));
  // Where it begins decides where it ends, so the best of several beginnings is taken.
  const firsts = Array.from({ length: BEGINNINGS }, (_, i) => Math.floor((i * vectors.length) / BEGINNINGS));
  const tried = firsts.map((first) => grouped(vectors, far(vectors, first, count)));
  const { of, centres } = tried.reduce((best, other) => (other.near > best.near ? other : best));
  return { of, middles: centres.map((centre) => nearest(centre, vectors)) };
}

/** Moves centres to the middle of what is nearest to them until they stay there; `near` is how near
 *  all is to its centre then. */
function grouped(vectors: readonly Float32Array[], centres: Float32Array[]) {
  let of: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const next = vectors.map((vector) => nearest(vector, centres));
    if (next.every((group, i) => group === of[i])) break;
    of = next;
    centres = centres.map((centre, group) => mean(vectors.filter((_, i) => of[i] === group)) ?? centre);
  }
  const near = vectors.reduce((sum, vector) => sum + Math.max(...centres.map((centre) => dot(vector, centre))), 0);
  return { of, centres, near };
}

/** Vectors that are far from each other. */
function far(vectors: readonly Float32Array[], first: number, count: number): Float32Array[] {
  const chosen = vectors.slice(first, first + 1);
  while (chosen.length < count) {
    const closest = vectors.map((vector) => Math.max(...chosen.map((other) => dot(vector, other))));
    const farthest = vectors[closest.indexOf(Math.min(...closest))];
    if (!farthest) break;
    chosen.push(farthest);
  }
  return chosen;
}

function nearest(vector: Float32Array, others: readonly Float32Array[]): number {
  const near = others.map((other) => dot(vector, other));
  return near.indexOf(Math.max(...near));
}

/** The mean, scaled to length one. */
function mean(vectors: readonly Float32Array[]): Float32Array | undefined {
  const [first] = vectors;
  if (!first) return undefined;
  const sum = new Float32Array(first.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (vector[i] ?? 0);
  const length = Math.sqrt(dot(sum, sum)) || 1;
  return sum.map((number) => number / length);
}
