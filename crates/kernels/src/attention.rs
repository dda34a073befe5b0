//! Attention of one text, a few query rows at a time.
//!
//! Scores of a tile of queries and one head live in one buffer: no `S × S` block is ever written.
//! Keys are taken in ascending order, so the answer does not depend on how query rows are shared
//! out.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Range;

use crate::arch::{Block, LANES, Lane, Simd, Vector, dispatch};
use crate::math::exp_below_zero;
use crate::reduce::filled_up;
use crate::tile::{Tiled, by_tiles, tile};

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
    let text = Text { qkv, heads, tokens: qkv.len() / (3 * width) };
    LAID_OUT.with_borrow_mut(|room| {
        dispatch!(
            lane,
            body(text: Text<'_>, queries: Range<usize>, room: &mut LaidOut, out: &mut [f32])
        );
    });
}

thread_local! {
    /// Of the head at hand; kept, so that the next one finds memory.
    static LAID_OUT: RefCell<LaidOut> = RefCell::default();
}

#[inline(always)]
fn body<S: Simd>(text: Text<'_>, queries: Range<usize>, room: &mut LaidOut, out: &mut [f32]) {
    let heads = text.heads;
    let mut head = Head::<S::V>::new(text, room, queries.start, out);
    for index in 0..heads.count {
        head.turn_to(index);
        by_tiles(S::V::ROWS, queries.clone(), &mut head);
    }
}

/// A text whose rows attend to it.
#[derive(Clone, Copy)]
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
}

/// A head's keys and values as products take them.
#[derive(Default)]
struct LaidOut {
    /// Sixteen keys side by side, column by column; anything behind the last.
    keys: Vec<Block>,
    /// Sixteen columns of each value, panel by panel; zeros behind the last column.
    values: Vec<Block>,
    /// Of the queries of one tile, each with all keys.
    scores: Vec<[f32; LANES]>,
}

/// One head of a text.
struct Head<'a, V> {
    text: Text<'a>,
    index: usize,
    room: &'a mut LaidOut,
    /// The row that `out` begins with.
    first: usize,
    out: &'a mut [f32],
    vector: PhantomData<V>,
}

impl<'a, V: Vector> Head<'a, V> {
    #[inline(always)]
    fn new(text: Text<'a>, room: &'a mut LaidOut, first: usize, out: &'a mut [f32]) -> Self {
        let width = text.heads.width;
        let blocks = text.tokens.div_ceil(LANES);
        let zeros = [0.0; LANES];
        room.keys.resize(blocks * width, Block(zeros));
        room.values.resize(text.tokens * width.div_ceil(LANES), Block(zeros));
        room.scores.resize(blocks * V::ROWS, zeros);
        Self { text, index: 0, room, first, out, vector: PhantomData }
    }

    /// Lays out the keys and values of a head; each writes all that the one before it wrote.
    #[inline(always)]
    fn turn_to(&mut self, index: usize) {
        let Text { heads, tokens, .. } = self.text;
        self.index = index;
        for row in 0..tokens {
            let key = self.text.part(row, 1, index);
            let block = &mut self.room.keys[row / LANES * heads.width..][..heads.width];
            for (column, &value) in block.iter_mut().zip(key) {
                column.0[row % LANES] = value;
            }
            let (whole, rest) = self.text.part(row, 2, index).as_chunks::<LANES>();
            for (panel, columns) in whole.iter().enumerate() {
                self.room.values[panel * tokens + row].0 = *columns;
            }
            if !rest.is_empty() {
                self.room.values[whole.len() * tokens + row].0 = filled_up(rest, 0.0);
            }
        }
    }

    /// The keys that some queries see, in whole blocks.
    #[inline(always)]
    fn seen(&self, queries: Range<usize>) -> Range<usize> {
        let blocks = self.text.tokens.div_ceil(LANES);
        match self.text.heads.window {
            None => 0..blocks,
            Some(window) => {
                queries.start.saturating_sub(window) / LANES
                    ..(queries.end + window).div_ceil(LANES).min(blocks)
            }
        }
    }

    /// Turns a query's products into softmax's numerators, and returns their sum.
    #[inline(always)]
    fn weigh(&self, query: usize, blocks: Range<usize>, scores: &mut [[f32; LANES]]) -> f32 {
        let scale = match self.text.heads.bias {
            // A factor that is not negative changes no order: it can wait for the largest.
            None if self.text.heads.scale >= 0.0 => self.text.heads.scale,
            _ => {
                self.add_bias(query, blocks.start * LANES, scores.as_flattened_mut());
                1.0
            }
        };
        let first = blocks.start * LANES;
        self.hide(query, first, f32::NEG_INFINITY, scores.as_flattened_mut());
        let mut top = V::splat(f32::NEG_INFINITY);
        for block in scores.iter() {
            top = top.larger(V::load(block));
        }
        let (top, scale) = (V::splat(top.top()), V::splat(scale));
        let mut sum = V::splat(0.0);
        for block in scores.iter_mut() {
            let value = exp_below_zero((V::load(block) - top) * scale);
            value.store(block);
            sum = sum + value;
        }
        if self.text.heads.window.is_some() {
            // What is left of a key that is not seen is next to nothing; its value may be anything.
            self.hide(query, first, 0.0, scores.as_flattened_mut());
        }
        sum.sum()
    }

    /// Scales scores from the key `first` on, and adds what their distance gives them.
    #[inline(always)]
    fn add_bias(&self, query: usize, first: usize, scores: &mut [f32]) {
        let Heads { count, scale, bias, .. } = self.text.heads;
        for score in scores.iter_mut() {
            *score *= scale;
        }
        let Some(bias) = bias else { return };
        let nearest = (first + bias.reach - query) * count + self.index;
        let by_distance = bias.table[nearest..].iter().step_by(count);
        for (score, bias) in scores.iter_mut().zip(by_distance) {
            *score += bias;
        }
    }

    /// Gives the keys that are not there, or not seen, this score.
    #[inline(always)]
    fn hide(&self, query: usize, first: usize, score: f32, scores: &mut [f32]) {
        let tokens = self.text.tokens;
        let (start, end) = match self.text.heads.window {
            None => (0, tokens),
            Some(window) => (query.saturating_sub(window), (query + window + 1).min(tokens)),
        };
        scores[end - first..].fill(score);
        scores[..start.saturating_sub(first)].fill(score);
    }
}

impl<V: Vector> Tiled for Head<'_, V> {
    /// A few queries. Each is one chain over the columns, then one over the keys, so which share a
    /// tile changes no bit.
    #[inline(always)]
    fn tile<const ROWS: usize>(&mut self, query: usize) {
        let Text { heads: Heads { count, width, .. }, tokens, .. } = self.text;
        let blocks = self.seen(query..query + ROWS);
        let mut scores = std::mem::take(&mut self.room.scores);
        let mut asked: [&[f32]; ROWS] = [&[]; ROWS];
        for (i, asked) in asked.iter_mut().enumerate() {
            *asked = self.text.part(query + i, 0, self.index);
        }
        for (at, block) in blocks.clone().enumerate() {
            let keys = &self.room.keys[block * width..][..width];
            for (i, products) in tile::<V, ROWS>(asked, keys).into_iter().enumerate() {
                products.store(&mut scores[i * blocks.len() + at]);
            }
        }
        let mut sums = [0.0; ROWS];
        for (i, sum) in sums.iter_mut().enumerate() {
            let scores = &mut scores[i * blocks.len()..][..blocks.len()];
            *sum = self.weigh(query + i, blocks.clone(), scores);
        }
        let keys = blocks.start * LANES..(blocks.end * LANES).min(tokens);
        let mut weights: [&[f32]; ROWS] = [&[]; ROWS];
        for (i, weights) in weights.iter_mut().enumerate() {
            *weights = &scores[i * blocks.len()..][..blocks.len()].as_flattened()[..keys.len()];
        }
        for (panel, values) in self.room.values.chunks_exact(tokens).enumerate() {
            let added = tile::<V, ROWS>(weights, &values[keys.clone()]);
            for (i, added) in added.into_iter().enumerate() {
                let at = ((query - self.first + i) * count + self.index) * width + panel * LANES;
                let columns = LANES.min(width - panel * LANES);
                let out = &mut self.out[at..at + columns];
                let added = added / V::splat(sums[i]);
                if let Some(out) = out.as_mut_array() {
                    added.store(out);
                    continue;
                }
                let mut block = [0.0; LANES];
                added.store(&mut block);
                out.copy_from_slice(&block[..columns]);
            }
        }
        self.room.scores = scores;
    }
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
