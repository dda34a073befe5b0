//! Embedding look-ups are sums of rows.

/// Adds a table's row to an output row.
pub fn add_row(out: &mut [f32], row: &[f32]) {
    for (out, row) in out.iter_mut().zip(row) {
        *out += row;
    }
}

/// Adds a row of bytes with this scale.
pub fn add_bytes(out: &mut [f32], row: &[i8], scale: f32) {
    for (out, &byte) in out.iter_mut().zip(row) {
        *out += f32::from(byte) * scale;
    }
}
