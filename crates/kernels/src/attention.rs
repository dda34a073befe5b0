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
    let width = heads.count * heads.width;
    let tokens = qkv.len() / (3 * width);
    let mut keys = vec![[0.0; BLOCK]; tokens.div_ceil(BLOCK) * heads.width];
    let mut buffer = vec![[0.0; BLOCK]; tokens.div_ceil(BLOCK)];
    for head in 0..heads.count {
        let part = |row: usize, part: usize| {
            &qkv[(row * 3 + part) * width + head * heads.width..][..heads.width]
        };
        transpose(&mut keys, heads.width, (0..tokens).map(|row| part(row, 1)));
        for (query, out) in queries.clone().zip(out.chunks_exact_mut(width)) {
            let seen = match heads.window {
                None => 0..tokens,
                Some(window) => query.saturating_sub(window)..(query + window + 1).min(tokens),
            };
            products::<M>(part(query, 0), &keys, &mut buffer);
            let scores = &mut buffer.as_flattened_mut()[seen.clone()];
            for score in scores.iter_mut() {
                *score *= heads.scale;
            }
            if let Some(bias) = heads.bias {
                let nearest = (seen.start + bias.reach - query) * heads.count + head;
                let by_distance = bias.table[nearest..].iter().step_by(heads.count);
                for (score, bias) in scores.iter_mut().zip(by_distance) {
                    *score += bias;
                }
            }
            let sum = exponentials::<M>(scores);
            let out = &mut out[head * heads.width..][..heads.width];
            weigh::<M>(scores, seen.map(|key| part(key, 2)), out);
            for value in out {
                *value /= sum;
            }
        }
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

/// The query's products with all keys, each one chain over the columns in ascending order.
#[inline(always)]
fn products<M: Math>(query: &[f32], keys: &[[f32; BLOCK]], out: &mut [[f32; BLOCK]]) {
    for (block, out) in keys.chunks_exact(query.len()).zip(out) {
        let mut acc = [0.0; BLOCK];
        for (&q, column) in query.iter().zip(block) {
            for i in 0..BLOCK {
                acc[i] = M::madd(q, column[i], acc[i]);
            }
        }
        *out = acc;
    }
}

/// Adds up values by their weights, keys in ascending order.
#[inline(always)]
fn weigh<'a, M: Math>(
    weights: &[f32],
    values: impl Iterator<Item = &'a [f32]> + Clone,
    out: &mut [f32],
) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    for (index, out) in blocks.iter_mut().enumerate() {
        let mut acc = [0.0; BLOCK];
        for (&weight, value) in weights.iter().zip(values.clone()) {
            let value = &value[index * BLOCK..][..BLOCK];
            for i in 0..BLOCK {
                acc[i] = M::madd(weight, value[i], acc[i]);
            }
        }
        *out = acc;
    }
    rest.fill(0.0);
    for (&weight, value) in weights.iter().zip(values) {
        let value = &value[value.len() - rest.len()..];
        for (out, &value) in rest.iter_mut().zip(value) {
            *out = M::madd(weight, value, *out);
        }
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
