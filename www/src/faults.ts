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

/** What is known of a code. */
export interface Facts {
  class: ClassName;
  status: number;
  retryable: boolean;
  hint: string;
}

/** Everything that can go wrong: its class, its HTTP status, whether asking again may help, and what
 *  to do. */
export const FAULTS = {
  /** The bytes are not UTF-8. */
  invalid_utf8: {
    class: "InputError",
    status: 400,
    retryable: false,
    hint: "Send the text as UTF-8.",
  },
  /** The body is not JSON. */
  invalid_json: {
    class: "InputError",
    status: 400,
    retryable: false,
    hint: "Send one JSON value.",
  },
  /** A field is missing, unknown, or of the wrong type. */
  invalid_request: {
    class: "InputError",
    status: 422,
    retryable: false,
    hint: "Compare the request's fields with the documentation.",
  },
  /** A text is empty, or holds nothing but white space. */
  empty_text: {
    class: "InputError",
    status: 422,
    retryable: false,
    hint: "Leave empty texts out.",
  },
  /** A text is longer than this host takes. */
  text_too_long: {
    class: "InputError",
    status: 413,
    retryable: false,
    hint: "Cut the text into parts.",
  },
  /** One request holds more texts than this host takes. */
  too_many_texts: {
    class: "InputError",
    status: 413,
    retryable: false,
    hint: "Send fewer texts at once.",
  },
  /** The body is larger than this host takes. */
  body_too_large: {
    class: "InputError",
    status: 413,
    retryable: false,
    hint: "Send fewer texts at once.",
  },
  /** The request did not arrive in time. */
  request_timeout: {
    class: "InputError",
    status: 408,
    retryable: true,
    hint: "Send the request again, without pauses.",
  },
  /** A text breaks a rule of this host; the message names the rule. */
  text_refused: {
    class: "InputError",
    status: 422,
    retryable: false,
    hint: "Change the text as the message says.",
  },
  /** The body is packed in a way that this host does not take. */
  unsupported_encoding: {
    class: "InputError",
    status: 415,
    retryable: false,
    hint: "Send the body as it is, or packed by gzip.",
  },
  /** An option's value does not fit this model. */
  invalid_option: {
    class: "InputError",
    status: 422,
    retryable: false,
    hint: "Choose one of the values that the message names.",
  },
  /** The model was not trained to classify. */
  no_classifier: {
    class: "InputError",
    status: 422,
    retryable: false,
    hint: "Load a model that classifies, or ask for vectors.",
  },
  /** This host wants an API key, or does not know this one. */
  unauthorized: {
    class: "AccessError",
    status: 401,
    retryable: false,
    hint: "Send a key of this host as a bearer token.",
  },
  /** The API key may not do this. */
  forbidden: {
    class: "AccessError",
    status: 403,
    retryable: false,
    hint: "Ask the operator for a key with this scope.",
  },
  /** There is nothing at this path. */
  not_found: {
    class: "InputError",
    status: 404,
    retryable: false,
    hint: "Look at the documentation for what there is.",
  },
  /** The path does not answer this method. */
  method_not_allowed: {
    class: "InputError",
    status: 405,
    retryable: false,
    hint: "Use the method that the documentation names.",
  },
  /** A data file is not laid out as it must be. */
  invalid_data: {
    class: "InputError",
    status: 422,
    retryable: false,
    hint: "Mend the file where the message says.",
  },
  /** An output file could not be written. */
  unwritable: {
    class: "InternalError",
    status: 507,
    retryable: false,
    hint: "Choose another place, or make room there.",
  },
  /** An input file could not be read. */
  unreadable: {
    class: "InputError",
    status: 422,
    retryable: false,
    hint: "Check the path and who may read it.",
  },
  /** There is no model at this place. */
  model_not_found: {
    class: "ModelError",
    status: 404,
    retryable: false,
    hint: "Check the model's name or address.",
  },
  /** The model's files are damaged, incomplete, or do not fit together. */
  invalid_model: {
    class: "ModelError",
    status: 500,
    retryable: false,
    hint: "Fetch the model again, or save it anew.",
  },
  /** The model asks for something that this engine does not do. */
  unsupported_model: {
    class: "ModelError",
    status: 501,
    retryable: false,
    hint: "Load a model of an architecture that is supported.",
  },
  /** The model's answer is not a finite number. */
  answer_not_finite: {
    class: "ModelError",
    status: 500,
    retryable: false,
    hint: "Compute in f32, or check the model's weights.",
  },
  /** The model's source wants a token, or refuses this one. */
  source_refused: {
    class: "SourceError",
    status: 502,
    retryable: false,
    hint: "Bring a token that may read the model.",
  },
  /** The model's source can't be reached or failed. */
  source_unavailable: {
    class: "SourceError",
    status: 502,
    retryable: true,
    hint: "Check the connection, and try again.",
  },
  /** The settings of the model's source make no sense. */
  source_misconfigured: {
    class: "SourceError",
    status: 500,
    retryable: false,
    hint: "Correct the settings that the message names.",
  },
  /** The file is not in the cache, and offline mode forbids fetching it. */
  offline: {
    class: "SourceError",
    status: 503,
    retryable: false,
    hint: "Load the model once while there is a connection.",
  },
  /** Too many requests are waiting; try again later. */
  overloaded: {
    class: "BusyError",
    status: 429,
    retryable: true,
    hint: "Wait a little, and ask again.",
  },
  /** The answer was not ready in time. */
  deadline_exceeded: {
    class: "BusyError",
    status: 504,
    retryable: true,
    hint: "Allow more time, or ask for less at once.",
  },
  /** The caller left before the answer was ready. */
  cancelled: {
    class: "BusyError",
    status: 499,
    retryable: true,
    hint: "Ask again if the answer is still wanted.",
  },
  /** This host is shutting down. */
  shutting_down: {
    class: "BusyError",
    status: 503,
    retryable: true,
    hint: "Ask another host, or load the model again.",
  },
  /** This host has not the memory that this takes. */
  out_of_memory: {
    class: "InternalError",
    status: 503,
    retryable: true,
    hint: "Ask for less at once, or load a smaller model.",
  },
  /** The GPU that computed is gone; the next request finds another device. */
  device_lost: {
    class: "InternalError",
    status: 503,
    retryable: true,
    hint: "Ask again; another device answers.",
  },
  /** This caller asks for more than its share; try again later. */
  rate_limited: {
    class: "BusyError",
    status: 429,
    retryable: true,
    hint: "Wait as long as the answer says.",
  },
  /** There is no such prediction, or it was forgotten. */
  prediction_not_found: {
    class: "InputError",
    status: 404,
    retryable: false,
    hint: "Check the id; what is old is forgotten.",
  },
  /** There is no such job, or it was forgotten. */
  job_not_found: {
    class: "InputError",
    status: 404,
    retryable: false,
    hint: "Check the id; what is old is forgotten.",
  },
  /** This idempotency key came with another request before. */
  idempotency_conflict: {
    class: "InputError",
    status: 409,
    retryable: false,
    hint: "Use a new key for a new request.",
  },
  /** This caller has as many open jobs as it may. */
  too_many_jobs: {
    class: "BusyError",
    status: 429,
    retryable: true,
    hint: "Wait until a job is done, or call one off.",
  },
  /** A job broke down every time it was taken up, or was not done in its time. */
  job_failed: {
    class: "InternalError",
    status: 500,
    retryable: false,
    hint: "Send the job's texts in smaller parts, or allow jobs more time.",
  },
  /** What this host keeps can't be reached or is in use; try again later. */
  store_unavailable: {
    class: "BusyError",
    status: 503,
    retryable: true,
    hint: "Wait a little, and ask again.",
  },
  /** What this host keeps has no room left, or may not be written. */
  store_unwritable: {
    class: "InternalError",
    status: 503,
    retryable: true,
    hint: "Make room on the host's disk.",
  },
  /** What this host keeps is damaged, or is no state of this program. */
  invalid_state: {
    class: "InternalError",
    status: 500,
    retryable: false,
    hint: "Restore the state from a copy.",
  },
  /** What this host keeps was written by a newer version of this program. */
  newer_state: {
    class: "InternalError",
    status: 500,
    retryable: false,
    hint: "Run the newer version of the program.",
  },
  /** This host is starting, or its model does not answer as it should. */
  not_ready: {
    class: "BusyError",
    status: 503,
    retryable: true,
    hint: "Wait until the host says that it is ready.",
  },
  /** This host or build can't do that. */
  unsupported_here: {
    class: "UnsupportedError",
    status: 501,
    retryable: false,
    hint: "Use another host, or leave the option out.",
  },
  /** Something broke that should not have; the log says more. */
  internal: {
    class: "InternalError",
    status: 500,
    retryable: false,
    hint: "Report it, with the message.",
  },
} as const satisfies Record<string, Facts>;

/** What went wrong. */
export type Code = keyof typeof FAULTS;
