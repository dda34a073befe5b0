// openai: embeddings in every form it asks for, and the list of models.

import { expect, refused, says } from "./cases.mjs";
import { singles } from "./server.mjs";

export const library = "openai";

const texts = ["two oars", "a quiet harbour — «naïve» 船 🙂"];

export function cases({ OpenAI, NotFoundError, UnprocessableEntityError }) {
  const client = (server) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  const create = (server, options) =>
    client(server).embeddings.create({ model: server.model, ...options });

  return {
    async "embeddings, asked for in base64 as by default"({ server }) {
      const answer = await create(server, { input: texts });
      const got = answer.data.map((one) => singles(one.embedding));
      expect("the vectors", got, await server.vectors(texts));
      expect("their places", answer.data.map((one) => one.index), [0, 1]);
      expect("the model", answer.model, server.model);
      const asked = texts.map((text) => server.ask("/encode", { text }));
      const tokens = (await Promise.all(asked)).reduce((sum, one) => sum + one.tokens, 0);
      expect("the tokens", answer.usage, { prompt_tokens: tokens, total_tokens: tokens });
    },

    async "embeddings as floats"({ server }) {
      const answer = await create(server, { input: texts[0], encoding_format: "float" });
      expect("the vector", singles(answer.data[0].embedding), await server.vector(texts[0]));
    },

    async "embeddings in base64 that the caller unpacks"({ server }) {
      const answer = await create(server, { input: texts[0], encoding_format: "base64" });
      const bytes = Buffer.from(answer.data[0].embedding, "base64");
      const got = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
      expect("the vector", got, await server.vector(texts[0]));
    },

    async "embeddings in fewer dimensions"({ server }) {
      const answer = await create(server, { input: texts[0], dimensions: 64 });
      const expected = await server.vector(texts[0], { dimensions: 64 });
      expect("the vector", singles(answer.data[0].embedding), expected);
    },

    async "the list of models, and one of them"({ server }) {
      const listed = await client(server).models.list();
      expect("the list", listed.data.map((one) => one.id), [server.model]);
      const one = await client(server).models.retrieve(server.model);
      expect("the one", { ...one }, { ...listed.data[0] });
    },

    async "a model that is not there"({ server }) {
      for (const call of [
        () => create(server, { model: "gpt", input: "two oars" }),
        () => client(server).models.retrieve("gpt"),
        () => client(server).models.retrieve("somebody/gpt"),
      ]) {
        const error = await refused(NotFoundError, call);
        expect("the code", error.code, "model_not_found");
        expect("the type", error.type, "invalid_request_error");
        says("the message", error.message, "gpt", server.model);
      }
    },

    async "an empty text"({ server }) {
      for (const input of ["", ["two oars", " "]]) {
        const error = await refused(UnprocessableEntityError, () => create(server, { input }));
        expect("the code", error.code, "empty_text");
        says("the message", error.message, "empty");
      }
    },

    async "token ids"({ server }) {
      for (const input of [[101, 2048], [[101, 2048], [102]]]) {
        const error = await refused(UnprocessableEntityError, () => create(server, { input }));
        expect("the code", error.code, "invalid_request");
        says("the message", error.message, "token ids");
      }
    },

    async "more dimensions than there are"({ server }) {
      const asked = { input: "two oars", dimensions: 9999 };
      const error = await refused(UnprocessableEntityError, () => create(server, asked));
      expect("the code", error.code, "invalid_option");
    },
  };
}
