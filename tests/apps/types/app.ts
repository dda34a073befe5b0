// What a stranger's compiler must find in the package's types, and what it must refuse.

import { InputError, load, pipeline, type Label, type Tensor } from "trireme";
import { pipeline as inline } from "trireme/inline";
import { pipeline as slim } from "trireme/slim";

export async function app(bundle: Uint8Array): Promise<number[][]> {
  const classify = await pipeline("text-classification", null, { dtype: "q8", device: "wasm" });
  const one: Label[] = await classify("a text", { top_k: null });
  const each: Label[] = await classify(["a text", "another"]);
  const all: Label[][] = await classify(["a text", "another"], { top_k: 2 });
  // @ts-expect-error there is no such task
  await pipeline("text-to-speech");
  // @ts-expect-error a classifier takes no pooling
  await classify("a text", { pooling: "mean" });

  const embed = await slim("feature-extraction", bundle);
  const vectors: Tensor<Float32Array> = await embed([one, each, ...all].map(String), { pooling: "mean", normalize: true });
  await using other = await inline("embeddings", { model: bundle });
  for await (const vector of other.stream(["a text"])) console.log(vector.length);

  try {
    (await load()).dispose();
  } catch (error) {
    if (error instanceof InputError) console.error(error.code, error.hint);
  }
  return vectors.tolist();
}
