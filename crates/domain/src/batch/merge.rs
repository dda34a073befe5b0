//! Shards become one again.

use super::{Manifest, Misfit, Shard};

/// Why shards are not one whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incomplete {
    /// There is none.
    #[error("there is no shard")]
    None,
    /// Some are not there.
    #[error("there is no shard {}", list(.0))]
    Missing(Vec<Shard>),
    /// One is there twice.
    #[error("shard {0} is there twice")]
    Doubled(Shard),
    /// One is of another number.
    #[error("shard {other} does not go with shard {first}")]
    Split {
        /// The first one.
        first: Shard,
        /// One that shares the rows otherwise.
        other: Shard,
    },
    /// One is of another run.
    #[error("shard {shard} does not go with the first one: {misfit}")]
    Other {
        /// Which.
        shard: Shard,
        /// What differs.
        misfit: Misfit,
    },
    /// One has rows that are not done.
    #[error("shard {shard} is not done; its next row is {next}")]
    Unfinished {
        /// Which.
        shard: Shard,
        /// Its next row, counted from 1.
        next: u64,
    },
}

fn list(shards: &[Shard]) -> String {
    shards.iter().map(Shard::to_string).collect::<Vec<_>>().join(", ")
}

/// The places of the shards of a whole, in order.
///
/// # Errors
/// They are no whole.
pub fn in_order(shards: &[Manifest]) -> Result<Vec<usize>, Incomplete> {
    let first = shards.first().ok_or(Incomplete::None)?;
    for other in shards {
        let Manifest { shard, .. } = *other;
        if shard.of() != first.shard.of() {
            return Err(Incomplete::Split { first: first.shard, other: shard });
        }
        let own = Manifest { shard, ..first.clone() };
        own.agrees(other)
            .and_then(|()| other.fits(&own))
            .map_err(|misfit| Incomplete::Other { shard, misfit })?;
        if !other.is_done() || other.output.is_none() {
            return Err(Incomplete::Unfinished { shard, next: other.rest().start + 1 });
        }
    }
    let mut order: Vec<usize> = (0..shards.len()).collect();
    let index = |&at: &usize| shards.get(at).map(|manifest| manifest.shard.index());
    order.sort_by_key(index);
    let twice = order.windows(2).find(|pair| index(&pair[0]) == index(&pair[1]));
    if let Some(doubled) = twice.and_then(|pair| shards.get(pair[0])) {
        return Err(Incomplete::Doubled(doubled.shard));
    }
    let there = |shard: &Shard| shards.iter().any(|other| other.shard == *shard);
    let missing: Vec<Shard> = first.shard.all().filter(|shard| !there(shard)).collect();
    if missing.is_empty() { Ok(order) } else { Err(Incomplete::Missing(missing)) }
}

/// The record of a run that did what these did, in their order.
#[must_use]
pub fn joined<'a>(first: &Manifest, shards: impl IntoIterator<Item = &'a Manifest>) -> Manifest {
    let parts = shards.into_iter().flat_map(|shard| shard.parts.clone()).collect();
    Manifest { shard: Shard::WHOLE, parts, output: None, rejects: None, ..first.clone() }
}
