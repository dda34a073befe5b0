//! MPNet's relative positions: a bias for each distance, shared by all layers.
//!
//! Distances fall into buckets: near ones have one each, far ones share, on a logarithmic scale.

/// Distances from this on share the last bucket.
const FARTHEST: f32 = 128.0;

/// The bucket of a key that stands `distance` after its query.
fn bucket(distance: isize, buckets: usize) -> usize {
    let half = buckets / 2;
    let side = if distance > 0 { half } else { 0 };
    let away = distance.unsigned_abs();
    let exact = half / 2;
    if away < exact {
        return side + away;
    }
    // In single precision, as the reference computes it: the edges of buckets depend on it.
    let ratio = (away as f32 / exact as f32).ln() / (FARTHEST / exact as f32).ln();
    let far = exact + (ratio * (half - exact) as f32) as usize;
    side + far.min(half - 1)
}

/// Spreads a table `[buckets, heads]` out to one row for each distance from `-reach` to `reach`.
pub(crate) fn spread(table: &[f32], heads: usize, reach: usize) -> Vec<f32> {
    let buckets = table.len() / heads;
    let reach = reach.cast_signed();
    (-reach..=reach)
        .flat_map(|distance| {
            let row = bucket(distance, buckets);
            &table[row * heads..(row + 1) * heads]
        })
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First distance of every bucket that `MPNetEncoder.relative_position_bucket` of
    /// transformers 5.23 gives for 0 to 511 tokens before the query.
    const EDGES: [usize; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];

    #[test]
    fn buckets_begin_where_the_reference_begins_them() {
        for distance in 0..512usize {
            let expected = EDGES.iter().rposition(|&edge| edge <= distance).unwrap();
            let before = bucket(-distance.cast_signed(), 32);
            assert_eq!(before, expected, "{distance} before the query");
            if distance > 0 {
                let after = bucket(distance.cast_signed(), 32);
                assert_eq!(after, expected + 16, "{distance} after the query");
            }
        }
    }

    #[test]
    fn a_row_stands_for_each_distance() {
        let table: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let got = spread(&table, 2, 2);
        assert_eq!(got, [4.0, 5.0, 2.0, 3.0, 0.0, 1.0, 34.0, 35.0, 36.0, 37.0]);
    }
}
