//! Everything that can go wrong, declared once: its code, HTTP status, class and meaning.
//!
//! Rust, HTTP and JavaScript all take them from this table.
//!
//! ```
//! use trireme_domain::{Class, Code, Fault};
//!
//! let fault = Fault::new(Code::EmptyText, "text 3 is empty");
//! assert_eq!((fault.code.name(), fault.code.status()), ("empty_text", 422));
//! assert_eq!(fault.code.class(), Class::Input);
//! ```

use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// What kind of fault it is: a class of errors in JavaScript, an exit code on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request is at fault; sending it again changes nothing.
    Input,
    /// The model is at fault, or is not there.
    Model,
    /// The model's source can't be reached, or refuses.
    Source,
    /// The caller may not ask for this.
    Access,
    /// Too much is asked at once; later it may work.
    Busy,
    /// This host or build can't do it.
    Unsupported,
    /// This machine is at fault, or we are.
    Internal,
}

impl Class {
    /// The JavaScript class.
    #[must_use]
    pub fn js(self) -> &'static str {
        match self {
            Self::Input => "InputError",
            Self::Model => "ModelError",
            Self::Source => "SourceError",
            Self::Access => "AccessError",
            Self::Busy => "BusyError",
            Self::Unsupported => "UnsupportedError",
            Self::Internal => "InternalError",
        }
    }
}

/// Whether the same request may be answered when it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It may, a little later.
    Later,
    /// It gets the same fault again.
    Never,
}

macro_rules! codes {
    ($($code:ident = $name:literal, $status:literal, $class:ident, $retry:ident, $meaning:literal, $hint:literal;)*) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $meaning] $code,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The code on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name),* }
            }

            /// The code of this name, where it is one.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$code => $status),* }
            }

            /// What kind of fault it is.
            #[must_use]
            pub fn class(self) -> Class {
                match self { $(Self::$code => Class::$class),* }
            }

            /// Whether to send the same request again.
            #[must_use]
            pub fn retry(self) -> Retry {
                match self { $(Self::$code => Retry::$retry),* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning),* }
            }

            /// What to do about it, in a sentence.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$code => $hint),* }
            }
        }
    };
}

codes! {
    InvalidUtf8 = "invalid_utf8", 400, Input, Never, "The bytes are not UTF-8.",
        "Send the text as UTF-8.";
    InvalidJson = "invalid_json", 400, Input, Never, "The body is not JSON.",
        "Send one JSON value.";
    InvalidRequest = "invalid_request", 422, Input, Never, "A field is missing, unknown, or of the wrong type.",
        "Compare the request's fields with the documentation.";
    EmptyText = "empty_text", 422, Input, Never, "A text is empty, or holds nothing but white space.",
        "Leave empty texts out.";
    TextTooLong = "text_too_long", 413, Input, Never, "A text is longer than this host takes.",
        "Cut the text into parts.";
    TooManyTexts = "too_many_texts", 413, Input, Never, "One request holds more texts than this host takes.",
        "Send fewer texts at once.";
    BodyTooLarge = "body_too_large", 413, Input, Never, "The body is larger than this host takes.",
        "Send fewer texts at once.";
    RequestTimeout = "request_timeout", 408, Input, Later, "The request did not arrive in time.",
        "Send the request again, without pauses.";
    TextRefused = "text_refused", 422, Input, Never, "A text breaks a rule of this host; the message names the rule.",
        "Change the text as the message says.";
    UnsupportedEncoding = "unsupported_encoding", 415, Input, Never, "The body is packed in a way that this host does not take.",
        "Send the body as it is, or packed by gzip.";
    InvalidOption = "invalid_option", 422, Input, Never, "An option's value does not fit this model.",
        "Choose one of the values that the message names.";
    NoClassifier = "no_classifier", 422, Input, Never, "The model was not trained to classify.",
        "Load a model that classifies, or ask for vectors.";
    Unauthorized = "unauthorized", 401, Access, Never, "This host wants an API key, or does not know this one.",
        "Send a key of this host as a bearer token.";
    Forbidden = "forbidden", 403, Access, Never, "The API key may not do this.",
        "Ask the operator for a key with this scope.";
    NotFound = "not_found", 404, Input, Never, "There is nothing at this path.",
        "Look at the documentation for what there is.";
    MethodNotAllowed = "method_not_allowed", 405, Input, Never, "The path does not answer this method.",
        "Use the method that the documentation names.";
    InvalidData = "invalid_data", 422, Input, Never, "A data file is not laid out as it must be.",
        "Mend the file where the message says.";
    Unwritable = "unwritable", 507, Internal, Never, "An output file could not be written.",
        "Choose another place, or make room there.";
    Unreadable = "unreadable", 422, Input, Never, "An input file could not be read.",
        "Check the path and who may read it.";
    ModelNotFound = "model_not_found", 404, Model, Never, "There is no model at this place.",
        "Check the model's name or address.";
    InvalidModel = "invalid_model", 500, Model, Never, "The model's files are damaged, incomplete, or do not fit together.",
        "Fetch the model again, or save it anew.";
    UnsupportedModel = "unsupported_model", 501, Model, Never, "The model asks for something that this engine does not do.",
        "Load a model of an architecture that is supported.";
    AnswerNotFinite = "answer_not_finite", 500, Model, Never, "The model's answer is not a finite number.",
        "Compute in f32, or check the model's weights.";
    SourceRefused = "source_refused", 502, Source, Never, "The model's source wants a token, or refuses this one.",
        "Bring a token that may read the model.";
    SourceUnavailable = "source_unavailable", 502, Source, Later, "The model's source can't be reached or failed.",
        "Check the connection, and try again.";
    SourceMisconfigured = "source_misconfigured", 500, Source, Never, "The settings of the model's source make no sense.",
        "Correct the settings that the message names.";
    Offline = "offline", 503, Source, Never, "The file is not in the cache, and offline mode forbids fetching it.",
        "Load the model once while there is a connection.";
    Overloaded = "overloaded", 429, Busy, Later, "Too many requests are waiting; try again later.",
        "Wait a little, and ask again.";
    DeadlineExceeded = "deadline_exceeded", 504, Busy, Later, "The answer was not ready in time.",
        "Allow more time, or ask for less at once.";
    Cancelled = "cancelled", 499, Busy, Later, "The caller left before the answer was ready.",
        "Ask again if the answer is still wanted.";
    ShuttingDown = "shutting_down", 503, Busy, Later, "This host is shutting down.",
        "Ask another host, or load the model again.";
    OutOfMemory = "out_of_memory", 503, Internal, Later, "This host has not the memory that this takes.",
        "Ask for less at once, or load a smaller model.";
    DeviceLost = "device_lost", 503, Internal, Later, "The GPU that computed is gone; the next request finds another device.",
        "Ask again; another device answers.";
    RateLimited = "rate_limited", 429, Busy, Later, "This caller asks for more than its share; try again later.",
        "Wait as long as the answer says.";
    PredictionNotFound = "prediction_not_found", 404, Input, Never, "There is no such prediction, or it was forgotten.",
        "Check the id; what is old is forgotten.";
    JobNotFound = "job_not_found", 404, Input, Never, "There is no such job, or it was forgotten.",
        "Check the id; what is old is forgotten.";
    IdempotencyConflict = "idempotency_conflict", 409, Input, Never, "This idempotency key came with another request before.",
        "Use a new key for a new request.";
    TooManyJobs = "too_many_jobs", 429, Busy, Later, "This caller has as many open jobs as it may.",
        "Wait until a job is done, or call one off.";
    JobFailed = "job_failed", 500, Internal, Never, "A job broke down every time it was taken up, or was not done in its time.",
        "Send the job's texts in smaller parts, or allow jobs more time.";
    StoreUnavailable = "store_unavailable", 503, Busy, Later, "What this host keeps can't be reached or is in use; try again later.",
        "Wait a little, and ask again.";
    StoreUnwritable = "store_unwritable", 503, Internal, Later, "What this host keeps has no room left, or may not be written.",
        "Make room on the host's disk.";
    InvalidState = "invalid_state", 500, Internal, Never, "What this host keeps is damaged, or is no state of this program.",
        "Restore the state from a copy.";
    NewerState = "newer_state", 500, Internal, Never, "What this host keeps was written by a newer version of this program.",
        "Run the newer version of the program.";
    NotReady = "not_ready", 503, Busy, Later, "This host is starting, or its model does not answer as it should.",
        "Wait until the host says that it is ready.";
    UnsupportedHere = "unsupported_here", 501, Unsupported, Never, "This host or build can't do that.",
        "Use another host, or leave the option out.";
    Internal = "internal", 500, Internal, Never, "Something broke that should not have; the log says more.",
        "Report it, with the message.";
}

/// Something that went wrong, as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What.
    pub code: Code,
    /// With what, and what to do about it.
    pub message: String,
    /// How long to wait before asking again, where that is known.
    pub after: Option<Duration>,
}

impl Fault {
    /// A fault with its particulars.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), after: None }
    }

    /// The same, to be tried again after a while.
    #[must_use]
    pub fn after(self, after: Duration) -> Self {
        Self { after: Some(after), ..self }
    }

    /// The same fault of one of several texts, which its message then names.
    #[must_use]
    pub fn of_text(self, index: usize) -> Self {
        self.of(&format!("text {index}"))
    }

    /// The same fault of a request's query.
    #[must_use]
    pub fn of_query(self) -> Self {
        self.of("the query")
    }

    fn of(self, name: &str) -> Self {
        let message = match self.message.strip_prefix("the text ") {
            Some(what) => format!("{name} {what}"),
            None => format!("{name}: {}", self.message),
        };
        Self { message, ..self }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fault = serializer.serialize_struct("Fault", 2)?;
        fault.serialize_field("code", self.code.name())?;
        fault.serialize_field("message", &self.message)?;
        fault.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_a_status_that_is_an_error() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len(), "two codes share a name");
        for code in Code::ALL {
            assert!((400..600).contains(&code.status()), "{}: {}", code.name(), code.status());
            let meaning = code.meaning();
            assert!(meaning.ends_with('.'), "{} means a sentence, got {meaning:?}", code.name());
            let busy = code.class() == Class::Busy;
            assert!(!busy || code.retry() == Retry::Later, "{} passes", code.name());
        }
    }

    #[test]
    fn a_fault_of_one_of_several_texts_names_it_once() {
        for (message, of_text, of_query) in [
            ("the text is empty", "text 3 is empty", "the query is empty"),
            ("no such id", "text 3: no such id", "the query: no such id"),
        ] {
            let fault = Fault::new(Code::EmptyText, message);
            assert_eq!(fault.clone().of_text(3).message, of_text);
            assert_eq!(fault.of_query().message, of_query);
        }
    }

    #[test]
    fn the_callers_faults_are_not_ours() {
        for code in Code::ALL.iter().filter(|code| code.class() == Class::Input) {
            assert!(code.status() < 500, "{}: {}", code.name(), code.status());
        }
    }
}
