//! Numbers of things, whatever the width of the machine that reads them.

use serde::{Deserialize, Deserializer};

/// A count. One that is larger than this machine counts is the largest that it does, so that hosts
/// of 32 bits answer as those of 64 do: no model has so many tokens or dimensions.
///
/// # Errors
/// It is no whole number, or a negative one.
pub fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    let count = Option::<u64>::deserialize(from)?;
    Ok(count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
}
