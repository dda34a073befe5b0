//! The directions in which rows differ most.

/// Rotations stop where what is off the diagonal is this share of what is on it.
const SMALL: f64 = 1e-12;

/// Sweeps over all pairs; ten are many.
const SWEEPS: usize = 40;

/// The so many directions in which these rows, as they lie about zero, have the largest extent: of
/// length one, at right angles to each other, the largest first.
pub(crate) fn main_axes(rows: &[f64], width: usize, count: usize) -> Vec<Vec<f64>> {
    let mut products = vec![vec![0.0; width]; width];
    for row in rows.chunks_exact(width) {
        for (at, line) in products.iter_mut().enumerate() {
            for (sum, value) in line.iter_mut().zip(row) {
                *sum += row[at] * value;
            }
        }
    }
    let axes = turned(&mut products);
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| products[b][b].total_cmp(&products[a][a]));
    order.into_iter().take(count).map(|at| axes[at].clone()).collect()
}

/// Jacobi's method: turns a symmetric matrix, two axes at a time, until it is a diagonal; the axes
/// that it has then.
fn turned(matrix: &mut [Vec<f64>]) -> Vec<Vec<f64>> {
    let width = matrix.len();
    let mut axes: Vec<Vec<f64>> =
        (0..width).map(|at| (0..width).map(|to| f64::from(u8::from(at == to))).collect()).collect();
    let scale: f64 = (0..width).map(|at| matrix[at][at].abs()).sum();
    for _sweep in 0..SWEEPS {
        let mut off = 0.0;
        for a in 0..width {
            for b in a + 1..width {
                off += matrix[a][b].abs();
                if matrix[a][b].abs() > SMALL * scale / width as f64 {
                    turn(matrix, &mut axes, a, b);
                }
            }
        }
        if off <= SMALL * scale {
            break;
        }
    }
    axes
}

/// Turns two axes so that nothing of the one is left in the other.
fn turn(matrix: &mut [Vec<f64>], axes: &mut [Vec<f64>], a: usize, b: usize) {
    let half = (matrix[b][b] - matrix[a][a]) / (2.0 * matrix[a][b]);
    let tangent = half.signum() / (half.abs() + (half * half + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    let mix = |first: &mut f64, second: &mut f64| {
        (*first, *second) = (cosine * *first - sine * *second, sine * *first + cosine * *second);
    };
    for line in matrix.iter_mut() {
        let (left, right) = line.split_at_mut(b);
        mix(&mut left[a], &mut right[0]);
    }
    for lines in [matrix, axes] {
        let (before, after) = lines.split_at_mut(b);
        for (first, second) in before[a].iter_mut().zip(&mut after[0]) {
            mix(first, second);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    proptest! {
        #[test]
        fn axes_are_at_right_angles_and_all_of_them_keep_all(
            rows in prop::collection::vec(-3.0..3.0f64, 5 * 4),
        ) {
            let axes = main_axes(&rows, 4, 4);
            for (at, a) in axes.iter().enumerate() {
                for (to, b) in axes.iter().enumerate() {
                    let expected = f64::from(u8::from(at == to));
                    prop_assert!((dot(a, b) - expected).abs() < 1e-9, "{at} and {to}");
                }
            }
            let extent = |axis: &Vec<f64>| -> f64 {
                rows.chunks_exact(4).map(|row| dot(row, axis).powi(2)).sum()
            };
            let extents: Vec<f64> = axes.iter().map(extent).collect();
            prop_assert!(extents.windows(2).all(|two| two[0] >= two[1] - 1e-9), "{extents:?}");
            let whole: f64 = rows.iter().map(|value| value * value).sum();
            prop_assert!((extents.iter().sum::<f64>() - whole).abs() < 1e-9 * (1.0 + whole));
        }

        #[test]
        fn rows_in_a_plane_need_two_axes(
            places in prop::collection::vec((-3.0..3.0f64, -3.0..3.0f64), 6),
        ) {
            let [u, v] = [[1.0, 2.0, 0.0, -1.0], [0.0, 1.0, 1.0, 3.0]];
            let rows: Vec<f64> = places
                .iter()
                .flat_map(|(x, y)| u.iter().zip(&v).map(move |(u, v)| x * u + y * v))
                .collect();
            let axes = main_axes(&rows, 4, 2);
            for row in rows.chunks_exact(4) {
                let back: Vec<f64> = (0..4)
                    .map(|at| axes.iter().map(|axis| dot(row, axis) * axis[at]).sum())
                    .collect();
                for (expected, got) in row.iter().zip(back) {
                    prop_assert!((expected - got).abs() < 1e-6, "{expected} and {got}");
                }
            }
        }
    }
}
