// A server, and what it answers on its own routes: the numbers that every library must get too.

export class Server {
  constructor(url) {
    this.url = url.replace(/\/$/, "");
  }

  static async at(url) {
    const server = new Server(url);
    server.model = (await server.ask("/model_info")).model;
    return server;
  }

  async ask(path, body) {
    const request = body && { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(this.url + path, request);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** The vector of a text, scaled to length 1 unless asked otherwise. */
  async vector(text, options) {
    const answer = await this.ask("/encode", { text, normalize: true, ...options });
    return singles(answer.embedding);
  }

  vectors(texts, options) {
    return Promise.all(texts.map((text) => this.vector(text, options)));
  }

  async cosines(text, others) {
    const one = await this.vector(text);
    const cosine = (other) => other.reduce((sum, number, at) => sum + number * one[at], 0);
    return (await this.vectors(others)).map(cosine);
  }

  /** Every label with its score, the highest first. */
  async scores(text) {
    const { probabilities } = await this.ask("/predict", { text });
    const scores = Object.entries(probabilities).map(([label, score]) => ({ label, score }));
    return scores.sort((a, b) => b.score - a.score);
  }
}

/** Numbers as what the server computes in, so that two ways of writing one are equal. */
export function singles(numbers) {
  return Array.from(numbers, Math.fround);
}
