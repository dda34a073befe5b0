//! Vectors of texts.

use trireme_domain::wire::{EncodeAnswer, EncodeRequest, Encoding, Pooling, Vector, Vectors};
use trireme_domain::{Code, Fault, quantize};
use trireme_model::{Cut, EmbedOptions};

use crate::engine::{Task, Text, all};
use crate::served::Identity;
use crate::service::{Asked, Service, Terms};

impl Service {
    /// Embeds a text, or several.
    ///
    /// # Errors
    /// A [`Fault`] of the request, the model or the host.
    pub async fn encode(
        &self,
        request: EncodeRequest,
        terms: Terms,
    ) -> Result<EncodeAnswer, Fault> {
        let started = self.clock.now();
        let served = self.models.get(request.model.as_deref())?;
        let (texts, one) = texts(&request)?;
        self.limits.check(texts.iter().map(String::as_str))?;
        let options = EmbedOptions {
            pooling: request.pooling.map(pooling),
            normalize: request.normalize,
            dimensions: request.dimensions,
        };
        check_encoding(request.encoding, request.normalize, &served.identity)?;
        let cut = Cut { max_tokens: request.max_length, ..Cut::default() };
        let task = Task::Embed { options, prompt: request.prompt };
        let texts = texts.into_iter().map(Text::from).collect();
        let answers = all(self.each(&served, texts, Asked { task, cut, terms }).await?)?;
        let tokens = answers.iter().map(|answer| answer.tokens).sum();
        let dimensions = answers.first().map_or(0, |answer| answer.values.len());
        let mut vectors =
            answers.into_iter().map(|answer| encoded(answer.values, request.encoding));
        let vectors = match (one, vectors.next()) {
            (true, Some(vector)) => Vectors::One(vector),
            (_, first) => Vectors::Many(first.into_iter().chain(vectors).collect()),
        };
        Ok(EncodeAnswer {
            vectors,
            dimensions,
            tokens,
            processing_time: self.since(started),
            origin: served.identity.origin.clone(),
        })
    }
}

/// The texts of a request, and whether they were asked for as one.
fn texts(request: &EncodeRequest) -> Result<(Vec<String>, bool), Fault> {
    match (&request.sentence, &request.text, &request.texts) {
        (Some(text), None, None) | (None, Some(text), None) => Ok((vec![text.clone()], true)),
        (None, None, Some(texts)) => Ok((texts.clone(), false)),
        _ => {
            let message = "give exactly one of `sentence`, `text` and `texts`";
            Err(Fault::new(Code::InvalidRequest, message))
        }
    }
}

pub(crate) fn pooling(pooling: Pooling) -> trireme_model::Pooling {
    match pooling {
        Pooling::Mean => trireme_model::Pooling::Mean,
        Pooling::Cls => trireme_model::Pooling::Cls,
        Pooling::Max => trireme_model::Pooling::Max,
        Pooling::LastToken => trireme_model::Pooling::LastToken,
    }
}

/// Whether vectors can be written so.
///
/// # Errors
/// [`Code::InvalidOption`] where numbers may be too large for it.
pub fn check_encoding(
    encoding: Encoding,
    normalize: Option<bool>,
    identity: &Identity,
) -> Result<(), Fault> {
    if encoding == Encoding::Int8 && !normalize.unwrap_or(identity.normalizes) {
        let message = "int8 spans -1 to 1, so it needs normalize = true";
        return Err(Fault::new(Code::InvalidOption, message));
    }
    Ok(())
}

/// A vector in an encoding.
#[must_use]
pub fn encoded(vector: Vec<f32>, encoding: Encoding) -> Vector {
    match encoding {
        Encoding::Float => Vector::Float(vector),
        Encoding::Int8 => Vector::Signed(quantize::int8(&vector)),
        Encoding::Binary => Vector::Signed(quantize::binary(&vector)),
        Encoding::Ubinary => Vector::Unsigned(quantize::ubinary(&vector)),
    }
}
