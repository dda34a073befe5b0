//! Attention of one text, a few query rows at a time.
//!
//! Scores of one query and head live in one buffer: no `S × S` block is ever written. Keys are
//! taken in ascending order, so the answer does not depend on how query rows are shared out.

use std::ops::Range;

use crate::arch::{Lane, Math, dispatch};
use crate::math::exp;
use crate::reduce;

/// The shape of an attention.
#[derive(Debug, Clone, Copy)]
pub struct Heads<'a> {
    /// Heads.
    pub count: usize,
    /// Columns of one head.
    pub width: usize,
    /// Multiplies every score.
    pub scale: f32,
    /// Keys further away than this are not seen.
    pub window: Option<usize>,
    /// Added to scores by distance.
    pub bias: Option<Bias<'a>>,
}

/// A bias for each distance and head: row `key - query + reach`, column `head`.
#[derive(Debug, Clone, Copy)]
pub struct Bias<'a> {
    /// `[2 * reach + 1, heads]`.
    pub table: &'a [f32],
    /// The largest distance.
    pub reach: usize,
}

/// Lets the rows `queries` of one text attend to it. `qkv` holds the whole text, queries, keys and
/// values side by side; `out` holds the rows of `queries` only.
///
/// # Panics
/// Where the slices have not the sizes that `heads` and `queries` say.
pub fn attend(lane: Lane, qkv: &[f32], queries: Range<usize>, heads: Heads<'_>, out: &mut [f32]) {
    let width = heads.count * heads.width;
    assert!(width > 0 && qkv.len().is_multiple_of(3 * width), "qkv must hold whole rows");
    assert!(queries.end <= qkv.len() / (3 * width), "queries must lie in the text");
    assert_eq!(out.len(), queries.len() * width, "out must hold the query rows");
    if let Some(bias) = heads.bias {
        assert_eq!(bias.table.len(), (2 * bias.reach + 1) * heads.count, "one row a distance");
        assert!(qkv.len() / (3 * width) <= bias.reach + 1, "the text must lie within reach");
    }
    dispatch!(lane, body(qkv: &[f32], queries: Range<usize>, heads: Heads<'_>, out: &mut [f32]));
}

#[inline(always)]
fn body<M: Math>(qkv: &[f32], queries: Range<usize>, heads: Heads<'_>, out: &mut [f32]) {
    let text = Text { qkv, heads, tokens: qkv.len() / (3 * heads.count * heads.width) };
    let blocks = text.tokens.div_ceil(BLOCK);
    let mut keys = vec![[0.0; BLOCK]; blocks * heads.width];
    let mut scores = vec![[0.0; BLOCK]; blocks * M::QUERIES];
    for head in 0..heads.count {
        transpose(&mut keys, heads.width, (0..text.tokens).map(|row| text.part(row, 1, head)));
        let mut query = queries.start;
        while query < queries.end {
            let out = &mut out[(query - queries.start) * heads.count * heads.width..];
            // Queries with a window see different keys.
            let at_once = if heads.window.is_some() { 1 } else { queries.end - query };
            query += match (M::QUERIES, at_once) {
                (2.., 2..) => text.answer::<M, 2>(head, query, &keys, &mut scores, out),
                _ => text.answer::<M, 1>(head, query, &keys, &mut scores, out),
            };
        }
    }
}

/// A text whose rows attend to it.
struct Text<'a> {
    qkv: &'a [f32],
    heads: Heads<'a>,
    tokens: usize,
}

impl<'a> Text<'a> {
    /// A head's query (0), key (1) or value (2).
    #[inline(always)]
    fn part(&self, row: usize, part: usize, head: usize) -> &'a [f32] {
        let Heads { count, width, .. } = self.heads;
        &self.qkv[((row * 3 + part) * count + head) * width..][..width]
    }

    /// One head's output for the queries from `query` on; says how many they are.
    #[inline(always)]
    fn answer<M: Math, const QUERIES: usize>(
        &self,
        head: usize,
        query: usize,
        keys: &[[f32; BLOCK]],
        scores: &mut [[f32; BLOCK]],
        out: &mut [f32],
    ) -> usize {
        let heads = self.heads;
        let seen = match heads.window {
            None => 0..self.tokens,
            Some(window) => query.saturating_sub(window)..(query + window + 1).min(self.tokens),
        };
        let asked: [&[f32]; QUERIES] = std::array::from_fn(|i| self.part(query + i, 0, head));
        let blocks = self.tokens.div_ceil(BLOCK);
        products::<M, QUERIES>(asked, keys, scores, blocks);
        let mut sums = [0.0; QUERIES];
        for (i, sum) in sums.iter_mut().enumerate() {
            let scores = scores[i * blocks..][..blocks].as_flattened_mut();
            let scores = &mut scores[seen.clone()];
            for score in scores.iter_mut() {
                *score *= heads.scale;
            }
            if let Some(bias) = heads.bias {
                let nearest = (seen.start + bias.reach - query - i) * heads.count + head;
                let by_distance = bias.table[nearest..].iter().step_by(heads.count);
                for (score, bias) in scores.iter_mut().zip(by_distance) {
                    *score += bias;
                }
            }
            *sum = exponentials::<M>(scores);
        }
        let weights: [&[f32]; QUERIES] =
            std::array::from_fn(|i| &scores[i * blocks..][..blocks].as_flattened()[seen.clone()]);
        let values = seen.clone().map(|key| self.part(key, 2, head));
        weigh::<M, QUERIES>(weights, &values, heads.width, |i, first, values| {
            let at = (i * heads.count + head) * heads.width + first;
            for (out, value) in out[at..at + values.len()].iter_mut().zip(values) {
                *out = value / sums[i];
            }
        });
        QUERIES
    }
}

/// Keys side by side, so that one query meets a block of them in one register each.
const BLOCK: usize = 32;

/// Lays rows out in blocks of [`BLOCK`], column by column; the last block keeps what it held.
#[inline(always)]
fn transpose<'a>(
    blocks: &mut [[f32; BLOCK]],
    columns: usize,
    rows: impl Iterator<Item = &'a [f32]>,
) {
    for (at, row) in rows.enumerate() {
        let block = &mut blocks[at / BLOCK * columns..][..columns];
        for (column, &value) in block.iter_mut().zip(row) {
            column[at % BLOCK] = value;
        }
    }
}

/// The queries' products with all keys, each one chain over the columns in ascending order.
/// `out` holds `blocks` blocks for each query.
#[inline(always)]
fn products<M: Math, const QUERIES: usize>(
    queries: [&[f32]; QUERIES],
    keys: &[[f32; BLOCK]],
    out: &mut [[f32; BLOCK]],
    blocks: usize,
) {
    let width = queries[0].len();
    for (index, block) in keys.chunks_exact(width).enumerate() {
        let mut acc = [[0.0; BLOCK]; QUERIES];
        for (at, column) in block.iter().enumerate() {
            for i in 0..QUERIES {
                let query = queries[i][at];
                for j in 0..BLOCK {
                    acc[i][j] = M::madd(query, column[j], acc[i][j]);
                }
            }
        }
        for (i, acc) in acc.into_iter().enumerate() {
            out[i * blocks + index] = acc;
        }
    }
}

/// Adds up values by each query's weights, keys in ascending order, and hands on what it has:
/// the query, the first column, and the columns from there.
#[inline(always)]
fn weigh<'a, M: Math, const QUERIES: usize>(
    weights: [&[f32]; QUERIES],
    values: &(impl Iterator<Item = &'a [f32]> + Clone),
    width: usize,
    mut store: impl FnMut(usize, usize, &[f32]),
) {
    let whole = width - width % BLOCK;
    for first in (0..whole).step_by(BLOCK) {
        let mut acc = [[0.0; BLOCK]; QUERIES];
        for (key, value) in values.clone().enumerate() {
            let value = &value[first..first + BLOCK];
            for i in 0..QUERIES {
                let weight = weights[i][key];
                for j in 0..BLOCK {
                    acc[i][j] = M::madd(weight, value[j], acc[i][j]);
                }
            }
        }
        for (i, acc) in acc.iter().enumerate() {
            store(i, first, acc);
        }
    }
    if whole == width {
        return;
    }
    for (i, weights) in weights.iter().enumerate() {
        let mut acc = [0.0; BLOCK];
        for (&weight, value) in weights.iter().zip(values.clone()) {
            for (acc, &value) in acc.iter_mut().zip(&value[whole..]) {
                *acc = M::madd(weight, value, *acc);
            }
        }
        store(i, whole, &acc[..width - whole]);
    }
}

/// Turns scores into `e^(score - largest)` and returns their sum: softmax, but for the division,
/// which is cheaper after the values are added up.
#[inline(always)]
fn exponentials<M: Math>(scores: &mut [f32]) -> f32 {
    let top = reduce::max(scores);
    for score in scores.iter_mut() {
        *score = exp::<M>(*score - top);
    }
    reduce::sum(scores)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trireme_backend::{Layout, oracle};

    use super::*;

    proptest! {
        #[test]
        fn attention_is_its_oracle_on_every_lane(
            tokens in 1usize..20,
            count in 1usize..4,
            width in 1usize..35,
            window in prop::option::of(0usize..6),
            biased: bool,
            seed in prop::collection::vec(-2.0f32..2.0, 97),
        ) {
            let reach = 20;
            let all = count * width;
            let qkv: Vec<f32> =
                (0..tokens * 3 * all).map(|i| seed[(i * 31 + i / 97) % 97]).collect();
            let table: Vec<f32> =
                (0..(2 * reach + 1) * count).map(|i| seed[(i * 7) % 97] * 2.0).collect();
            let bias = biased.then_some(Bias { table: &table, reach });
            let scale = 1.0 / (width as f32).sqrt();
            let layout = Layout::from_lengths([tokens]).unwrap();
            let meant = |head: usize, query: usize, key: usize| {
                if biased { f64::from(table[(key + reach - query) * count + head]) } else { 0.0 }
            };
            let expected = oracle::attention(&qkv, &layout, (count, width), scale, window, meant);
            let heads = Heads { count, width, scale, window, bias };
            for lane in Lane::all() {
                let mut got = vec![0.0; tokens * all];
                attend(lane, &qkv, 0..tokens, heads, &mut got);
                for (&got, &expected) in got.iter().zip(&expected) {
                    let off = (f64::from(got) - expected).abs();
                    prop_assert!(off < 1e-5, "{}: expected {expected}, got {got}", lane.name());
                }
                let mut split = vec![0.0; tokens * all];
                let (head, tail) = split.split_at_mut(tokens / 2 * all);
                attend(lane, &qkv, 0..tokens / 2, heads, head);
                attend(lane, &qkv, tokens / 2..tokens, heads, tail);
                prop_assert_eq!(&split, &got, "sharing out the rows changed bits");
            }
        }
    }
}
