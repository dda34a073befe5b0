// What an app must answer.

import assert from "node:assert/strict";

/** The default model's opinion of the app's texts. */
export function sensible({ labels, all, dims, vectors }) {
  assert.deepEqual(labels.map(({ label }) => label), ["positive", "negative"], "labels");
  assert.equal(all.length, 2, `all classes of one text: expected 2, got ${JSON.stringify(all)}`);
  assert.deepEqual([...dims], [2, 384], "dims");
  for (const vector of vectors) near(Math.hypot(...vector), 1, 1e-5, "the length of a vector");
}

/** Holds an answer to another place's. */
export function same(got, expected, tolerance = 1e-6) {
  assert.deepEqual(got.labels.map(({ label }) => label), expected.labels.map(({ label }) => label), "labels");
  got.labels.forEach(({ score }, at) => near(score, expected.labels[at].score, tolerance, `score ${at}`));
  assert.deepEqual([...got.dims], [...expected.dims], "dims");
  got.vectors.forEach((vector, row) =>
    vector.forEach((number, at) => near(number, expected.vectors[row][at], tolerance, `number ${at} of vector ${row}`)),
  );
}

/** The cosine of the vectors that two places made of one text, at its lowest. */
export function leastCosine(got, expected) {
  return Math.min(...got.vectors.map((vector, row) => cosine(vector, expected.vectors[row])));
}

function cosine(a, b) {
  const dot = a.reduce((sum, number, at) => sum + number * b[at], 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

/** Says what was expected and what came, where they differ. */
export function near(got, expected, tolerance, what) {
  const close = Math.abs(got - expected) <= tolerance;
  assert.ok(close, `${what}: expected ${expected} to ${tolerance}, got ${got}`);
}
