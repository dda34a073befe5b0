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

/** The answer to `GET /health`. */
export interface HealthAnswer extends Origin {
  status: "ok";
}
