//! Memory that may not be there. Hosts with little of it must hear so, not end.

/// There is no memory for this many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct OutOfMemory {
    /// What was asked for.
    pub bytes: usize,
}

/// `len` copies of a value.
///
/// # Errors
/// [`OutOfMemory`].
pub fn filled<T: Clone>(value: T, len: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut values = Vec::new();
    let bytes = len.saturating_mul(size_of::<T>());
    values.try_reserve_exact(len).map_err(|_| OutOfMemory { bytes })?;
    values.resize(len, value);
    Ok(values)
}

/// A copy of a slice.
///
/// # Errors
/// [`OutOfMemory`].
pub fn copied<T: Copy>(values: &[T]) -> Result<Vec<T>, OutOfMemory> {
    let mut copy = Vec::new();
    let bytes = size_of_val(values);
    copy.try_reserve_exact(values.len()).map_err(|_| OutOfMemory { bytes })?;
    copy.extend_from_slice(values);
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_an_error() {
        assert_eq!(filled(1u8, 3), Ok(vec![1, 1, 1]));
        assert_eq!(
            filled([0f32; 4], usize::MAX / 16),
            Err(OutOfMemory { bytes: usize::MAX / 16 * 16 })
        );
    }
}
