// The two directions in which vectors differ most: principal components, by power iteration.

/** Rounds of power iteration; where two directions matter alike, either will do. */
const ROUNDS = 100;

export interface Plane {
  /** Where each vector lies in it. */
  points: [x: number, y: number][];
  /** The share of all differences that the plane shows, from 0 to 1. */
  shown: number;
}

/** Lays vectors of one length into a plane. The same vectors give the same plane. */
export function planeOf(vectors: readonly Float32Array[]): Plane {
  const rows = centred(vectors);
  const all = rows.reduce((sum, row) => sum + product(row, row), 0);
  const first = direction(rows, []);
  const second = direction(rows, [first]);
  const points = rows.map((row): [number, number] => [product(row, first), product(row, second)]);
  const seen = points.reduce((sum, [x, y]) => sum + x * x + y * y, 0);
  return { points, shown: all > 0 ? seen / all : 1 };
}

function centred(vectors: readonly Float32Array[]): Float64Array[] {
  const width = vectors[0]?.length ?? 0;
  const mean = new Float64Array(width);
  for (const vector of vectors) add(mean, vector, 1 / vectors.length);
  return vectors.map((vector) => {
    const row = Float64Array.from(vector);
    add(row, mean, -1);
    return row;
  });
}

/** The direction of length one in which rows differ most, across those that are known. */
function direction(rows: readonly Float64Array[], known: readonly Float64Array[]): Float64Array {
  const width = rows[0]?.length ?? 0;
  // Any start that is not across the answer; a fixed one gives the same map each time.
  let towards = Float64Array.from({ length: width }, (_, i) => Math.sin(i + 1));
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(width);
    for (const row of rows) add(next, row, product(row, towards));
    for (const other of known) add(next, other, -product(next, other));
    const length = Math.sqrt(product(next, next));
    if (length < 1e-9) return new Float64Array(width);
    towards = next.map((number) => number / length);
  }
  return towards;
}

function add(to: Float64Array, other: ArrayLike<number>, times: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + times * (other[i] ?? 0);
}

function product(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += (one[i] ?? 0) * (other[i] ?? 0);
  return sum;
}
