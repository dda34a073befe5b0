//! Which examples come when.

use trireme_candle::Noise;

use crate::{Stream, stream};

/// The numbers below `len`, in an order of this seed's.
///
/// ```
/// let mut order = trireme_train::shuffled(3, 1);
/// order.sort_unstable();
/// assert_eq!(order, [0, 1, 2]);
/// ```
#[must_use]
pub fn shuffled(len: usize, seed: u64) -> Vec<usize> {
    in_order_of(len, stream(seed, Stream::Split))
}

fn in_order_of(len: usize, noise: Noise) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for at in (1..len).rev() {
        order.swap(at, below(at + 1, noise.at(at as u64)));
    }
    order
}

/// A number below `len`. A multiple of it fits 2⁶⁴ to within one in 2³⁰: even enough.
fn below(len: usize, number: u64) -> usize {
    ((u128::from(number) * len as u128) >> 64) as usize
}

/// Numbers of this seed's, each below what is asked.
///
/// ```
/// let mut draw = trireme_train::draws(1);
/// assert!((0..100).all(|_| draw(3) < 3) && (0..9).any(|_| draw(2) == 1));
/// ```
pub fn draws(seed: u64) -> impl FnMut(usize) -> usize {
    let noise = stream(seed, Stream::Change);
    let mut drawn = 0;
    move |len| {
        drawn += 1;
        below(len, noise.at(drawn))
    }
}

/// The examples of an epoch, in its order.
pub(crate) fn epoch(len: usize, seed: u64, epoch: usize) -> Vec<usize> {
    in_order_of(len, stream(seed, Stream::Order).part(epoch as u64))
}

/// Takes a share of the examples away to measure by: at least one, and never all.
///
/// ```
/// let (learn, held_out) = trireme_train::split((0..10).collect(), 0.2, 1);
/// assert_eq!((learn.len(), held_out.len()), (8, 2));
/// ```
#[must_use]
pub fn split<T>(examples: Vec<T>, share: f64, seed: u64) -> (Vec<T>, Vec<T>) {
    let len = examples.len();
    let out = ((share * len as f64).round() as usize).max(1).min(len.saturating_sub(1));
    let mut is_out = vec![false; len];
    for at in &shuffled(len, seed)[..out] {
        is_out[*at] = true;
    }
    let (mut learn, mut held_out) = (Vec::new(), Vec::new());
    for (example, is_out) in examples.into_iter().zip(is_out) {
        if is_out { held_out.push(example) } else { learn.push(example) }
    }
    (learn, held_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_has_every_example_once_in_an_order_of_its_own() {
        let [first, second] = [0, 1].map(|number| epoch(100, 7, number));
        assert_eq!(epoch(100, 7, 0), first, "the same each time");
        assert_ne!(first, second);
        for order in [first, second] {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..100).collect::<Vec<_>>());
            assert_ne!(order, sorted);
        }
    }

    #[test]
    fn a_split_parts_what_there_is() {
        for (len, share, expected) in [(10, 0.2, 2), (10, 0.0, 1), (10, 1.0, 9), (1, 0.5, 0)] {
            let (learn, out) = split((0..len).collect::<Vec<_>>(), share, 3);
            assert_eq!((learn.len(), out.len()), (len - expected, expected), "{share} of {len}");
            let mut all = [learn, out].concat();
            all.sort_unstable();
            assert_eq!(all, (0..len).collect::<Vec<_>>());
        }
    }
}
