/**
 * Numbers to compute in: singles, or bytes where every token passes. `auto` takes those that the
 * weights are kept in.
 */
export type Precision = "auto" | "f32" | "bf16" | "f16" | "int8" | "int4";

/** Where a model's files come from. */
export interface Source {
  /** The bytes of a file by its path inside the model, or `undefined` where there is none. */
  fetch(name: string): Promise<Uint8Array | undefined>;
  /** The source as a person would name it. */
  describe(): string;
}


/** `POST /predict`. */
export interface PredictRequest {
  text: string;
  /** A second text, for models that judge pairs. */
  pair?: string;
  /** The most tokens to look at, special ones among them. */
  max_length?: number;
  /** Whether the answer lists every class; it does unless this is `false`. */
  return_probabilities?: boolean;
}

/** Who answered. */
export interface Origin {
  model: string;
  version: string;
  digest: string;
  precision: Precision;
  place: "client" | "edge" | "origin";
}

/** The answer to `POST /predict`. */
export interface PredictAnswer extends Origin {
  prediction: number;
  label: string;
  confidence: number;
  probabilities?: Record<string, number>;
  /** Seconds. */
  processing_time: number;
  prediction_id?: string;
}

/** `POST /encode`: one of `text`, `sentence` and `texts`. */
export interface EncodeRequest {
  text?: string;
  sentence?: string;
  texts?: string[];
  max_length?: number;
  /** Whether vectors have length one. */
  normalize?: boolean;
  pooling?: "mean" | "cls" | "max" | "last_token";
  /** Keeps only the first dimensions. */
  dimensions?: number;
  encoding?: "float" | "int8" | "binary" | "ubinary";
  /** The model's prompt to put first, by name. */
  prompt?: string;
}

/** A vector in the encoding that was asked for. */
export type Vector = Float32Array | Int8Array | Uint8Array;

/** The answer to `POST /encode`. */
export interface EncodeAnswer extends Origin {
  /** For `text` or `sentence`. */
  embedding?: Vector;
  /** For `texts`. */
  embeddings?: Vector[];
  dimensions: number;
  tokens: number;
  /** Seconds. */
  processing_time: number;
}

/** Scores of texts, or of pairs of texts, for every class. */
export interface ScoreRequest {
  texts: string[];
  /** As many as there are texts: what each is judged with. */
  pairs?: string[];
  /** `none` gives the numbers of the head; another must be what the model was trained for. */
  function_to_apply?: "none" | "softmax" | "sigmoid";
  max_length?: number;
  /** `false` refuses a text that is too long; else its end is left out. */
  truncate?: boolean;
}

/** How near texts are to a query. */
export interface RankRequest {
  query: string;
  texts: string[];
  /** Whether vectors are compared also by a model that judges pairs. */
  by_vectors?: boolean;
  prompt?: string;
  max_length?: number;
  truncate?: boolean;
}

/** The vectors of every token of texts. */
export interface TokenVectorsRequest {
  texts: string[];
  prompt?: string;
  max_length?: number;
  truncate?: boolean;
}

/** What is asked in bare numbers. */
export type NumbersRequest =
  | { score: ScoreRequest }
  | { rank: RankRequest }
  | { token_vectors: TokenVectorsRequest };

/** A text's tokens. */
export interface TokenizeRequest {
  text: string;
  prompt?: string;
  /** With the special ones around the text, unless this is `false`. */
  special?: boolean;
}

/** A token, and where in the text it stands. A special one stands nowhere. */
export interface Token {
  id: number;
  text: string;
  special: boolean;
  start: number | null;
  end: number | null;
}

/** Rows of numbers, one behind the other. */
export interface Rows {
  numbers: Float32Array;
  /** How many numbers are each text's. */
  lengths: Uint32Array;
  tokens: number;
}

/** The answer to `GET /model_info`. */
export interface InfoAnswer extends Origin {
  kind: "embedding" | "classifier" | "reranker";
  architecture: string;
  labels: string[];
  dimensions: number;
  pooling: "mean" | "cls" | "max" | "last_token";
  normalize: boolean;
  /** The most tokens of a text that it sees. */
  max_length: number;
  max_texts: number;
}

/** The answer to `GET /health`. */
export interface HealthAnswer extends Origin {
  status: "ok";
}
