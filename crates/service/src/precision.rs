//! Precisions by the names that hosts are configured with.

pub use trireme_backend::Precision;
use trireme_domain::{Code, Fault};
use trireme_model::Checkpoint;

use crate::faults::from_model;

/// The precision to compute a model in: the one that a host's setting names, or, where it says
/// nothing or `auto`, the one that the weights are kept in.
///
/// # Errors
/// There is no precision of this name, or the weights are kept in fewer bits.
pub fn precision(checkpoint: &Checkpoint, name: Option<&str>) -> Result<Precision, Fault> {
    let asked = match name {
        None | Some("" | "auto") => None,
        Some(name) => Some(named(name)?),
    };
    checkpoint.precision(asked).map_err(|e| from_model(&e))
}

fn named(name: &str) -> Result<Precision, Fault> {
    Precision::named(name).ok_or_else(|| {
        let known = Precision::ALL.map(Precision::name).join(", ");
        let message = format!("there is no precision {name:?}; there are: auto, {known}");
        Fault::new(Code::UnsupportedHere, message)
    })
}
