//! Embedding look-ups are sums of rows.

/// Adds a table's row to an output row.
pub fn add_row(out: &mut [f32], row: &[f32]) {
    for (out, row) in out.iter_mut().zip(row) {
        *out += row;
    }
}
