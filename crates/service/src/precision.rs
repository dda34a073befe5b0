//! Precisions by the names that hosts are configured with.

pub use trireme_backend::Precision;
use trireme_domain::{Code, Fault};

/// The precision that a host's setting names; singles where it says nothing.
///
/// ```
/// use trireme_service::{Precision, precision};
///
/// assert_eq!(precision(Some("int8")), Ok(Precision::Int8));
/// assert_eq!(precision(None), Ok(Precision::F32));
/// assert!(precision(Some("int7")).is_err());
/// ```
///
/// # Errors
/// There is no precision of this name.
pub fn precision(name: Option<&str>) -> Result<Precision, Fault> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(Precision::F32) };
    Precision::named(name).ok_or_else(|| {
        let known = Precision::ALL.map(Precision::name).join(", ");
        let message = format!("there is no precision {name:?}; there are: {known}");
        Fault::new(Code::UnsupportedHere, message)
    })
}
