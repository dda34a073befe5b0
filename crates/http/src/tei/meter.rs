//! What an answer took, which this convention says in headers.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use trireme_service::Service;

use crate::answer::Json;

/// How much was asked in this convention, for those who count; among an answer's extensions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    /// Texts, a query among them.
    pub texts: usize,
    /// Their characters.
    pub characters: usize,
    /// Their tokens, as far as the model saw them.
    pub tokens: usize,
}

/// Begun when the texts are known.
pub(crate) struct Meter<'a> {
    service: &'a Service,
    begun: Duration,
    measure: Measure,
}

/// An answer, and what it took.
pub(crate) struct Measured<T> {
    answer: T,
    milliseconds: u128,
    measure: Measure,
}

impl<'a> Meter<'a> {
    pub fn begin<'t>(service: &'a Service, texts: impl Iterator<Item = &'t str>) -> Self {
        let mut measure = Measure::default();
        for text in texts {
            measure.texts += 1;
            measure.characters += text.chars().count();
        }
        Self { service, begun: service.clock.now(), measure }
    }

    pub fn end<T>(self, tokens: usize, answer: T) -> Measured<T> {
        let took = self.service.clock.now().saturating_sub(self.begun);
        let measure = Measure { tokens, ..self.measure };
        Measured { answer, milliseconds: took.as_millis(), measure }
    }
}

impl<T: Serialize> IntoResponse for Measured<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.answer).into_response();
        for (name, value) in [
            ("x-compute-time", self.milliseconds),
            ("x-total-time", self.milliseconds),
            ("x-compute-characters", self.measure.characters as u128),
            ("x-compute-tokens", self.measure.tokens as u128),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self.measure);
        response
    }
}
