//! Whether a device computes: its answers to texts of ours beside those of one that is trusted.

use trireme_backend::{Backend, Pooling};
use trireme_domain::similarity::cosine;
use trireme_domain::{Code, Fault};
use trireme_model::{Cut, Model, ModelError, Want};

use crate::faults::from_model;

/// The cosine of a vector of one device to that of another. One that rounds as it likes is nearer
/// than this, also in bytes; one that is broken is not.
pub const NEAR: f64 = 0.99;

/// A short text, one of several hundred tokens, and one between: the shapes of real batches.
const TEXTS: [(&str, usize); 3] = [
    ("Rain again.", 1),
    ("The harbour lights went out one by one, and nobody on the quay said a word. ", 20),
    ("Is this seat taken? I have been standing since noon, and my feet know it.", 1),
];

/// Refuses a device whose vectors of texts that are known are not those of the other.
///
/// # Errors
/// [`Code::UnsupportedHere`] with what is off, or what either of them failed with.
pub async fn agrees<A: Backend, B: Backend>(
    trusted: &Model<A>,
    other: &Model<B>,
) -> Result<(), Fault> {
    let expected = vectors(trusted).await.map_err(|e| from_model(&e))?;
    let got = vectors(other).await.map_err(|e| from_model(&e))?;
    for ((expected, got), (text, _)) in expected.iter().zip(&got).zip(TEXTS) {
        // Nothing, where a vector is none.
        let near = cosine(expected, got);
        if near < NEAR {
            let message = format!(
                "its vector of {:?} and the processor's have a cosine of {near:.4}",
                text.trim()
            );
            return Err(Fault::new(Code::UnsupportedHere, message));
        }
    }
    Ok(())
}

/// The texts' vectors, all in one pass.
async fn vectors<B: Backend>(model: &Model<B>) -> Result<Vec<Vec<f32>>, ModelError> {
    let encode = |(text, times): (&str, usize)| {
        model.reader().encode_for_vector(&text.repeat(times), None, Cut::default())
    };
    let texts = TEXTS.into_iter().map(encode).collect::<Result<Vec<_>, _>>()?;
    model.start(&texts, Want::Vectors(Pooling::Mean))?.finish().await?.into_iter().collect()
}
