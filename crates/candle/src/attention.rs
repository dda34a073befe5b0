//! Attention within each text, and the way back through it.
//!
//! No probability is kept: the way back makes them again, a query at a time.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::noise::Mask;
use crate::ops::{read, values};

/// Queries, keys and values side by side become what each token takes from its text.
pub(crate) struct Attend {
    /// Where each text begins, and the end of the last.
    pub starts: Vec<u32>,
    pub heads: usize,
    pub scale: f32,
    /// Keys further than this are not seen.
    pub window: Option<usize>,
    /// What is added to a score: by distance and head, of a table that reaches so far.
    pub distances: Option<(Vec<f32>, usize)>,
    /// Probabilities that are left out.
    pub mask: Option<Mask>,
}

/// One head of one text.
#[derive(Clone, Copy)]
struct Place<'a> {
    qkv: &'a [f32],
    /// The text's first token among all, which tells its mask apart.
    first: usize,
    head: usize,
    width: usize,
    size: usize,
}

impl<'a> Place<'a> {
    fn row(&self, token: usize, part: usize) -> &'a [f32] {
        let at = (token * 3 + part) * self.width + self.head * self.size;
        &self.qkv[at..at + self.size]
    }

    fn tokens(&self) -> usize {
        self.qkv.len() / (3 * self.width)
    }
}

impl Attend {
    /// Cuts rows of this width where the texts begin.
    fn texts<'a>(&self, mut rows: &'a mut [f32], width: usize) -> Vec<&'a mut [f32]> {
        let lengths = self.starts.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
        let cut = lengths.map(|length| {
            let (text, rest) = std::mem::take(&mut rows).split_at_mut(length * width);
            rows = rest;
            text
        });
        cut.collect()
    }

    fn place<'a>(&self, qkv: &'a [f32], text: usize, head: usize, width: usize) -> Place<'a> {
        let [first, end] = [text, text + 1].map(|at| self.starts[at] as usize);
        let qkv = &qkv[first * 3 * width..end * 3 * width];
        Place { qkv, first, head, width, size: width / self.heads }
    }

    /// What a query gives each key: the probability, and that with some left out.
    fn weigh(&self, place: Place<'_>, query: usize, sure: &mut [f32], kept: &mut [f32]) {
        let from = place.row(query, 0);
        let mut top = f32::NEG_INFINITY;
        for (key, score) in sure.iter_mut().enumerate() {
            *score = match self.bias(query, key, place.head) {
                f32::NEG_INFINITY => f32::NEG_INFINITY,
                bias => dot(from, place.row(key, 1)) * self.scale + bias,
            };
            top = top.max(*score);
        }
        let mut sum = 0.0;
        for score in sure.iter_mut() {
            *score = (*score - top).exp();
            sum += *score;
        }
        for (key, (sure, kept)) in sure.iter_mut().zip(kept).enumerate() {
            *sure /= sum;
            *kept = *sure * self.factor(place.first + query, place.head, key);
        }
    }

    /// What a weight is multiplied by: of a query, by its place among all tokens, and of a key, by
    /// that in its text.
    pub fn factor(&self, query: usize, head: usize, key: usize) -> f32 {
        // A text is shorter than 2¹⁶ tokens, and a model has fewer heads.
        let index = (query << 32) | (head << 16) | key;
        self.mask.map_or(1.0, |mask| mask.factor(index))
    }

    /// What is added to the score of a text's query and key.
    pub fn bias(&self, query: usize, key: usize, head: usize) -> f32 {
        if self.window.is_some_and(|window| query.abs_diff(key) > window) {
            return f32::NEG_INFINITY;
        }
        let of =
            |(table, reach): &(Vec<f32>, usize)| table[(key + reach - query) * self.heads + head];
        self.distances.as_ref().map_or(0.0, of)
    }

    fn forward(&self, place: Place<'_>, out: &mut [f32]) {
        let tokens = place.tokens();
        let (mut sure, mut kept) = (vec![0.0; tokens], vec![0.0; tokens]);
        for query in 0..tokens {
            self.weigh(place, query, &mut sure, &mut kept);
            let at = query * place.width + place.head * place.size;
            let out = &mut out[at..at + place.size];
            for (key, weight) in kept.iter().enumerate() {
                add(out, *weight, place.row(key, 2));
            }
        }
    }

    fn backward(&self, place: Place<'_>, gradient: &[f32], of_qkv: &mut [f32]) {
        let (tokens, size) = (place.tokens(), place.size);
        let row = |token: usize, part: usize| {
            let at = (token * 3 + part) * place.width + place.head * size;
            at..at + size
        };
        let (mut sure, mut kept) = (vec![0.0; tokens], vec![0.0; tokens]);
        for query in 0..tokens {
            self.weigh(place, query, &mut sure, &mut kept);
            let at = query * place.width + place.head * size;
            let gradient = &gradient[at..at + size];
            let mut along = 0.0;
            for key in 0..tokens {
                add(&mut of_qkv[row(key, 2)], kept[key], gradient);
                // From here on, the gradient of the probability.
                let factor = self.factor(place.first + query, place.head, key);
                kept[key] = dot(gradient, place.row(key, 2)) * factor;
                along += kept[key] * sure[key];
            }
            for key in 0..tokens {
                let of_score = sure[key] * (kept[key] - along) * self.scale;
                add(&mut of_qkv[row(query, 0)], of_score, place.row(key, 1));
                add(&mut of_qkv[row(key, 1)], of_score, place.row(query, 0));
            }
        }
    }
}

impl CustomOp1 for Attend {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let (qkv, width) = (values(qkv, layout)?, width / 3);
        let mut out = vec![0.0; rows * width];
        self.texts(&mut out, width).into_par_iter().enumerate().for_each(|(text, out)| {
            for head in 0..self.heads {
                self.forward(self.place(qkv, text, head, width), out);
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((rows, width))))
    }

    fn bwd(&self, qkv: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (rows, width) = gradient.dims2()?;
        let mut of_qkv = vec![0.0; rows * 3 * width];
        read(qkv, |qkv| {
            read(gradient, |gradient| {
                let texts = self.texts(&mut of_qkv, 3 * width).into_par_iter().enumerate();
                texts.for_each(|(text, of_qkv)| {
                    let [first, end] = [text, text + 1].map(|at| self.starts[at] as usize * width);
                    for head in 0..self.heads {
                        let place = self.place(qkv, text, head, width);
                        self.backward(place, &gradient[first..end], of_qkv);
                    }
                });
                Ok(())
            })
        })?;
        Tensor::from_vec(of_qkv, qkv.shape(), qkv.device()).map(Some)
    }
}

/// Eight sums side by side: what a compiler may not do by itself.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn add(out: &mut [f32], factor: f32, row: &[f32]) {
    for (out, value) in out.iter_mut().zip(row) {
        *out += factor * value;
    }
}
