// @huggingface/inference: its client, which is given the URL of a route or of a server.

import { expect, near, refused, says } from "./cases.mjs";
import { singles } from "./server.mjs";

export const library = "@huggingface/inference";

const texts = ["two oars", "a pair of oars", "a dull , lifeless mess"];

export function cases({ InferenceClient, InferenceClientProviderApiError }) {
  const client = (endpointUrl) => new InferenceClient("none", { endpointUrl });

  return {
    async "textClassification at /pipeline/text-classification"({ server }) {
      const route = client(`${server.url}/pipeline/text-classification`);
      for (const text of texts) {
        const got = await route.textClassification({ inputs: text });
        expect(text, got, await server.scores(text));
      }
      const best = { inputs: texts[2], parameters: { top_k: 1 } };
      const [first] = await server.scores(texts[2]);
      expect("the best", await route.textClassification(best), [first]);
    },

    async "featureExtraction, at three routes"({ server, embedder }) {
      for (const [one, route] of [
        [server, "/embed"],
        [server, "/pipeline/feature-extraction"],
        [embedder, ""],
      ]) {
        const endpoint = client(one.url + route);
        const got = await endpoint.featureExtraction({ inputs: texts, normalize: true });
        expect(`${route}/`, got.map(singles), await one.vectors(texts));
        const single = await endpoint.featureExtraction({ inputs: texts[0], normalize: false });
        const expected = [await one.vector(texts[0], { normalize: false })];
        expect(`${route}/, one text`, single.map(singles), expected);
      }
    },

    async "sentenceSimilarity at the server itself, and at /similarity"({ server, embedder }) {
      const [source_sentence, ...sentences] = texts;
      for (const one of [server, embedder]) {
        for (const url of [one.url, `${one.url}/similarity`]) {
          const inputs = { source_sentence, sentences };
          const got = await client(url).sentenceSimilarity({ inputs });
          near(`the cosines at ${url}`, got, await one.cosines(source_sentence, sentences));
        }
      }
    },

    async "an empty text"({ server, embedder }) {
      for (const [url, call] of [
        [`${server.url}/pipeline/text-classification`, "textClassification"],
        [`${server.url}/embed`, "featureExtraction"],
        [embedder.url, "featureExtraction"],
      ]) {
        const ask = () => client(url)[call]({ inputs: "" });
        const error = await refused(InferenceClientProviderApiError, ask);
        expect(`the status at ${url}`, error.httpResponse.status, 422);
        says(`the message at ${url}`, error.message, "is empty");
      }
    },
  };
}
