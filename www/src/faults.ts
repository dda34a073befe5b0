// Written from crates/domain/src/fault.rs; a test of tests/tests/hosts holds it to that.

/** The classes of errors. */
export type ClassName =
  | "InputError"
  | "AccessError"
  | "InternalError"
  | "ModelError"
  | "SourceError"
  | "BusyError"
  | "UnsupportedError";

/** Everything that can go wrong: its class and its HTTP status. */
export const FAULTS = {
  /** The bytes are not UTF-8. */
  invalid_utf8: { class: "InputError", status: 400 },
  /** The body is not JSON. */
  invalid_json: { class: "InputError", status: 400 },
  /** A field is missing, unknown, or of the wrong type. */
  invalid_request: { class: "InputError", status: 422 },
  /** A text is empty, or holds nothing but white space. */
  empty_text: { class: "InputError", status: 422 },
  /** A text is longer than this host takes. */
  text_too_long: { class: "InputError", status: 413 },
  /** One request holds more texts than this host takes. */
  too_many_texts: { class: "InputError", status: 413 },
  /** The body is larger than this host takes. */
  body_too_large: { class: "InputError", status: 413 },
  /** The request did not arrive in time. */
  request_timeout: { class: "InputError", status: 408 },
  /** A text breaks a rule of this host; the message names the rule. */
  text_refused: { class: "InputError", status: 422 },
  /** The body is packed in a way that this host does not take. */
  unsupported_encoding: { class: "InputError", status: 415 },
  /** An option's value does not fit this model. */
  invalid_option: { class: "InputError", status: 422 },
  /** The model was not trained to classify. */
  no_classifier: { class: "InputError", status: 422 },
  /** This host wants an API key, or does not know this one. */
  unauthorized: { class: "AccessError", status: 401 },
  /** The API key may not do this. */
  forbidden: { class: "AccessError", status: 403 },
  /** There is nothing at this path. */
  not_found: { class: "InputError", status: 404 },
  /** The path does not answer this method. */
  method_not_allowed: { class: "InputError", status: 405 },
  /** A data file is not laid out as it must be. */
  invalid_data: { class: "InputError", status: 422 },
  /** An output file could not be written. */
  unwritable: { class: "InternalError", status: 507 },
  /** An input file could not be read. */
  unreadable: { class: "InputError", status: 422 },
  /** There is no model at this place. */
  model_not_found: { class: "ModelError", status: 404 },
  /** The model's files are damaged, incomplete, or do not fit together. */
  invalid_model: { class: "ModelError", status: 500 },
  /** The model asks for something that this engine does not do. */
  unsupported_model: { class: "ModelError", status: 501 },
  /** The model's answer is not a finite number. */
  answer_not_finite: { class: "ModelError", status: 500 },
  /** The model's source wants a token, or refuses this one. */
  source_refused: { class: "SourceError", status: 502 },
  /** The model's source can't be reached or failed. */
  source_unavailable: { class: "SourceError", status: 502 },
  /** The settings of the model's source make no sense. */
  source_misconfigured: { class: "SourceError", status: 500 },
  /** The file is not in the cache, and offline mode forbids fetching it. */
  offline: { class: "SourceError", status: 503 },
  /** Too many requests are waiting; try again later. */
  overloaded: { class: "BusyError", status: 429 },
  /** The answer was not ready in time. */
  deadline_exceeded: { class: "BusyError", status: 504 },
  /** The caller left before the answer was ready. */
  cancelled: { class: "BusyError", status: 499 },
  /** This host is shutting down. */
  shutting_down: { class: "BusyError", status: 503 },
  /** This host has not the memory that this takes. */
  out_of_memory: { class: "InternalError", status: 503 },
  /** The GPU that computed is gone; the next request finds another device. */
  device_lost: { class: "InternalError", status: 503 },
  /** This caller asks for more than its share; try again later. */
  rate_limited: { class: "BusyError", status: 429 },
  /** There is no such prediction, or it was forgotten. */
  prediction_not_found: { class: "InputError", status: 404 },
  /** There is no such job, or it was forgotten. */
  job_not_found: { class: "InputError", status: 404 },
  /** This idempotency key came with another request before. */
  idempotency_conflict: { class: "InputError", status: 409 },
  /** This caller has as many open jobs as it may. */
  too_many_jobs: { class: "BusyError", status: 429 },
  /** A job broke down every time it was taken up. */
  job_failed: { class: "InternalError", status: 500 },
  /** What this host keeps can't be reached or is in use; try again later. */
  store_unavailable: { class: "BusyError", status: 503 },
  /** What this host keeps has no room left, or may not be written. */
  store_unwritable: { class: "InternalError", status: 503 },
  /** What this host keeps is damaged, or is no state of this program. */
  invalid_state: { class: "InternalError", status: 500 },
  /** What this host keeps was written by a newer version of this program. */
  newer_state: { class: "InternalError", status: 500 },
  /** This host is starting, or its model does not answer as it should. */
  not_ready: { class: "BusyError", status: 503 },
  /** This host or build can't do that. */
  unsupported_here: { class: "UnsupportedError", status: 501 },
  /** Something broke that should not have; the log says more. */
  internal: { class: "InternalError", status: 500 },
} as const satisfies Record<string, { class: ClassName; status: number }>;

/** What went wrong. */
export type Code = keyof typeof FAULTS;
