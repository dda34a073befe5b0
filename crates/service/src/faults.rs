//! From the errors of the layers below to the one table of faults.

use serde::Deserialize;
use trireme_backend::BackendError;
use trireme_domain::{Code, Fault};
use trireme_model::ModelError;

use crate::objects::Objects;
use crate::ports::SourceError;
use crate::store::StoreError;

/// A model's error as a caller sees it.
#[must_use]
pub fn from_model(error: &ModelError) -> Fault {
    use ModelError as E;
    let code = match error {
        E::MissingFile { .. }
        | E::Malformed { .. }
        | E::Damaged { .. }
        | E::Torch { .. }
        | E::BundleDigest { .. }
        | E::NotABundle
        | E::MissingTensors { .. }
        | E::UnexpectedTensors { .. }
        | E::TensorShape { .. }
        | E::TensorType { .. }
        | E::NotFinite { .. } => Code::InvalidModel,
        E::UnknownArchitecture { .. } | E::Unsupported { .. } | E::BundleFormat { .. } => {
            Code::UnsupportedModel
        }
        E::Text(text) => from_text(text),
        E::IdOutOfRange { .. } | E::TooManyTokens { .. } => Code::InvalidRequest,
        E::Backend(BackendError::IdOutOfRange { .. } | BackendError::Layout { .. }) => {
            Code::InvalidRequest
        }
        E::Precision { .. } | E::Backend(BackendError::Unsupported { .. }) => Code::UnsupportedHere,
        E::OutOfMemory { .. } | E::Backend(BackendError::OutOfMemory { .. }) => Code::OutOfMemory,
        E::Backend(BackendError::DeviceLost { .. }) => Code::DeviceLost,
        E::Dimensions { .. } | E::UnknownPrompt { .. } | E::Part { .. } | E::NoLayer { .. } => {
            Code::InvalidOption
        }
        E::NoHead => Code::NoClassifier,
        E::AnswerNotFinite => Code::AnswerNotFinite,
        _ => Code::Internal,
    };
    Fault::new(code, error.to_string())
}

fn from_text(error: &trireme_model::TextError) -> Code {
    use trireme_model::TextError as E;
    match error {
        E::Missing | E::Malformed { .. } | E::LacksToken { .. } | E::DoesNotFit { .. } => {
            Code::InvalidModel
        }
        E::NoRoom { .. } | E::Vocabulary { .. } => Code::InvalidOption,
        _ => Code::InvalidRequest,
    }
}

/// A source's error as a caller sees it.
#[must_use]
pub fn from_source(error: &SourceError) -> Fault {
    use SourceError as E;
    let code = match error {
        E::NoModel { .. } => Code::ModelNotFound,
        E::Unauthorized { .. } => Code::SourceRefused,
        E::Offline { .. } => Code::Offline,
        E::Misconfigured { .. } | E::UnsafeName { .. } => Code::SourceMisconfigured,
        E::Integrity { .. } => Code::InvalidModel,
        E::OutOfMemory { .. } => Code::OutOfMemory,
        E::Status { .. } | E::Unreachable { .. } | E::Io { .. } => Code::SourceUnavailable,
    };
    Fault::new(code, error.to_string())
}

/// A store's error as a caller sees it.
#[must_use]
pub fn from_store(error: &StoreError) -> Fault {
    use StoreError as E;
    let code = match error {
        E::Busy { .. } | E::Unreachable { .. } => Code::StoreUnavailable,
        E::NoRoom { .. } | E::ReadOnly { .. } => Code::StoreUnwritable,
        E::Damaged { .. } => Code::InvalidState,
        E::Newer { .. } => Code::NewerState,
        E::Misconfigured { .. } => Code::InvalidOption,
        E::Failed { .. } => Code::Internal,
    };
    Fault::new(code, error.to_string())
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        from_store(&error)
    }
}

/// Reads a request's body, and says what is wrong with it: bytes, JSON, or fields.
///
/// # Errors
/// [`Code::InvalidUtf8`], [`Code::InvalidJson`] or [`Code::InvalidRequest`].
pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Fault::new(Code::InvalidUtf8, format!("the body is not UTF-8 from byte {at} on"))
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Objects(&mut json));
    value.and_then(|value| json.end().map(|()| value)).map_err(|error| {
        let code = if error.is_data() { Code::InvalidRequest } else { Code::InvalidJson };
        Fault::new(code, unquoted(error.to_string()))
    })
}

/// The parser quotes a text that stands where it should not; faults are logged, texts are not.
fn unquoted(message: String) -> String {
    let quoted = message.split_once(": string \"");
    let parts = quoted.and_then(|(head, rest)| Some((head, rest.rsplit_once("\", expected ")?.1)));
    parts.map(|(head, tail)| format!("{head}: string, expected {tail}")).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_the_wrong_place_is_not_repeated() {
        for body in [r#""my \"own\" words""#, r#"["my own words"]"#, r#"[1, "own, expected "]"#] {
            let message = parse::<Vec<u8>>(body.as_bytes()).unwrap_err().message;
            assert!(!message.contains("own"), "{message}");
            assert!(message.contains("invalid type: string, expected"), "{message}");
        }
    }
}
