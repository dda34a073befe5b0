//! The products that all others are made of: a few rows with a few panels, in registers.

use std::ops::Range;

use crate::arch::{Block, Dot, LANES, Vector, Weights};

/// The products of each row with a panel, one chain of additions over the inputs in ascending
/// order: which rows share a tile changes no bit.
#[inline(always)]
pub(crate) fn tile<V: Vector, const ROWS: usize>(
    mut rows: [&[f32]; ROWS],
    panel: &[Block],
) -> [V; ROWS] {
    for row in &mut rows {
        *row = &row[..panel.len()];
    }
    let mut acc = [V::splat(0.0); ROWS];
    for (k, column) in panel.iter().enumerate() {
        let column = V::load(&column.0);
        for i in 0..ROWS {
            acc[i] = V::splat(rows[i][k]).madd(column, acc[i]);
        }
    }
    acc
}

/// The sums of the products of each row with each panel, its inputs taken a few at once and in
/// ascending order. `starts` is what each row's begin with.
#[inline(always)]
pub(crate) fn dots<D: Dot, const ROWS: usize, const PANELS: usize>(
    rows: [&[D::Input]; ROWS],
    panels: [&[Weights]; PANELS],
    starts: [D::Sum; ROWS],
    sums: &mut [[[D::Sum; LANES]; PANELS]],
) {
    let depth = panels[0].len();
    for first in (0..LANES).step_by(D::BLOCK) {
        let mut acc = [[D::start(D::ZERO); PANELS]; ROWS];
        for (acc, start) in acc.iter_mut().zip(starts) {
            *acc = [D::start(start); PANELS];
        }
        for k in 0..depth {
            let mut blocks = [D::block(&panels[0][k], first); PANELS];
            for p in 1..PANELS {
                blocks[p] = D::block(&panels[p][k], first);
            }
            for i in 0..ROWS {
                for p in 0..PANELS {
                    acc[i][p] = D::step(acc[i][p], blocks[p], rows[i][k]);
                }
            }
        }
        for (sums, acc) in sums.as_flattened_mut().iter_mut().zip(acc.as_flattened()) {
            D::finish(*acc, &mut sums[first..first + D::BLOCK]);
        }
    }
}

/// Rows of the largest tile.
pub(crate) const MOST: usize = 8;

/// Work on the rows of an output that is done tile by tile.
pub(crate) trait Tiled {
    /// Does the rows from `row` on.
    fn tile<const ROWS: usize>(&mut self, row: usize);

    /// Does what is left to do for the `rows` rows of a tile, and is compiled once for all sizes.
    fn finish(&mut self, _row: usize, _rows: usize) {}
}

/// Does all rows, `most` in a tile while there are so many, then fewer. `most` is known where this
/// is compiled, and tiles that are larger are left out.
#[inline(always)]
pub(crate) fn by_tiles(most: usize, rows: Range<usize>, work: &mut impl Tiled) {
    let Range { start: mut row, end } = rows;
    while row < end {
        let rows = match (most, end - row) {
            (8.., 8..) => one::<8>(row, work),
            (6.., 6..) => one::<6>(row, work),
            (4.., 4..) => one::<4>(row, work),
            (2.., 2..) => one::<2>(row, work),
            _ => one::<1>(row, work),
        };
        work.finish(row, rows);
        row += rows;
    }
}

#[inline(always)]
fn one<const ROWS: usize>(row: usize, work: &mut impl Tiled) -> usize {
    work.tile::<ROWS>(row);
    ROWS
}

/// The share of `next` that a tile asks for, so that all of it is there when all rows are done.
#[inline(always)]
pub(crate) fn share<T>(next: &[T], tile: Range<usize>, rows: usize) -> &[T] {
    &next[tile.start * next.len() / rows..tile.end * next.len() / rows]
}
