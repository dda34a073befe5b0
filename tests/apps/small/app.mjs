// The app of somebody who never saw this repository: a few texts are classified, and a few embedded.
// It takes its library as an argument, because transformers.js runs it too.

const TEXTS = ["a quiet, moving film", "a dull, lifeless mess of a film"];

export async function app(pipeline, models, options) {
  const classify = await pipeline("text-classification", models.classifier, options);
  const labels = await classify(TEXTS);
  performance.mark("first answer");
  const all = await classify(TEXTS[0], { top_k: null });
  await classify.dispose();

  const embed = await pipeline("feature-extraction", models.embedder, options);
  const vectors = await embed(TEXTS, { pooling: "mean", normalize: true });
  const embedded = { dims: vectors.dims, vectors: vectors.tolist() };
  await embed.dispose();

  return { labels, all, ...embedded };
}
