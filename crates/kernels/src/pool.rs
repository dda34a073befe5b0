//! Many rows into one.

use crate::sum_rows::add_row;

/// The average of all rows, added in ascending order.
pub fn mean_rows(rows: &[f32], out: &mut [f32]) {
    let width = out.len().max(1);
    out.fill(0.0);
    for row in rows.chunks_exact(width) {
        add_row(out, row);
    }
    let count = (rows.len() / width) as f32;
    for value in out {
        *value /= count;
    }
}

/// The largest value of each column; a NaN stays.
pub fn max_rows(rows: &[f32], out: &mut [f32]) {
    out.fill(f32::NEG_INFINITY);
    for row in rows.chunks_exact(out.len().max(1)) {
        for (out, &value) in out.iter_mut().zip(row) {
            // Written so that a NaN on either side wins.
            *out = if *out >= value { *out } else { value };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_divides_by_its_own_rows() {
        let mut got = [0.0; 2];
        mean_rows(&[1.0, 2.0, 3.0, 6.0], &mut got);
        assert_eq!(got, [2.0, 4.0]);
    }

    #[test]
    fn the_maximum_may_be_negative() {
        let mut got = [0.0; 2];
        max_rows(&[-1.0, -2.0, -3.0, -1.5], &mut got);
        assert_eq!(got, [-1.0, -1.5]);
    }

    #[test]
    fn the_maximum_shows_a_nan() {
        let mut got = [0.0];
        max_rows(&[1.0, f32::NAN], &mut got);
        assert!(got[0].is_nan(), "expected NaN, got {}", got[0]);
    }
}
