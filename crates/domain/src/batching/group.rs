//! The texts that may run together.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};

use super::level::{Level, Turn};
use super::{Batching, Priority, Waiting};

/// The texts of one owner, group and priority.
#[derive(Debug, Default)]
struct Lane {
    /// Where the lane stands among its group's turns: its owner's turn, or an earlier one of it.
    turn: Turn,
    texts: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Lanes {
    lanes: HashMap<u64, Lane>,
    /// An owner who is served moves in one group only; in others it is put right when it is found.
    turns: BTreeSet<(Turn, u64)>,
}

/// The texts of one group, of every owner and priority.
#[derive(Debug, Default)]
pub(super) struct Group {
    lanes: [Lanes; 2],
    texts: usize,
    tokens: usize,
    sinces: BTreeSet<(Duration, u64)>,
    half_times: BTreeSet<(Duration, u64)>,
}

impl Group {
    pub fn is_empty(&self) -> bool {
        self.texts == 0
    }

    /// When these run though there is room for more; at once where there is none. Where there is
    /// room, a run is the whole group.
    pub fn due(&self, rules: &Batching) -> Duration {
        if self.texts >= rules.max_texts || self.tokens >= rules.max_tokens {
            return Duration::ZERO;
        }
        let oldest = self.sinces.first().map_or(Duration::ZERO, |(since, _)| *since);
        let waited = oldest.saturating_add(rules.max_wait);
        self.half_times.first().map_or(waited, |(half, _)| waited.min(*half))
    }

    /// The owner whose turn it is, and its oldest text here.
    pub fn first(&mut self, priority: Priority, level: &Level) -> Option<(u64, u64)> {
        let Lanes { lanes, turns } = &mut self.lanes[priority as usize];
        loop {
            let &(turn, owner) = turns.first()?;
            let lane = lanes.get_mut(&owner)?;
            let now = level.turn(owner);
            if turn == now {
                return Some((owner, lane.texts.first().copied()?));
            }
            turns.remove(&(turn, owner));
            turns.insert((now, owner));
            lane.turn = now;
        }
    }

    /// Leaves an owner out until [`Group::put_back`].
    pub fn put_aside(&mut self, priority: Priority, owner: u64) {
        let Lanes { lanes, turns } = &mut self.lanes[priority as usize];
        if let Some(lane) = lanes.get(&owner) {
            turns.remove(&(lane.turn, owner));
        }
    }

    pub fn put_back(&mut self, priority: Priority, owner: u64) {
        let Lanes { lanes, turns } = &mut self.lanes[priority as usize];
        if let Some(lane) = lanes.get(&owner) {
            turns.insert((lane.turn, owner));
        }
    }

    pub fn insert<T>(&mut self, text: u64, waiting: &Waiting<T>, turn: Turn) {
        self.texts += 1;
        self.tokens = self.tokens.saturating_add(waiting.tokens);
        self.sinces.insert((waiting.since, text));
        self.half_times.extend(waiting.half_time().map(|half| (half, text)));
        let Lanes { lanes, turns } = &mut self.lanes[waiting.priority as usize];
        let lane = lanes.entry(waiting.owner).or_insert_with(|| {
            turns.insert((turn, waiting.owner));
            Lane { turn, texts: BTreeSet::new() }
        });
        lane.texts.insert(text);
    }

    pub fn remove<T>(&mut self, text: u64, waiting: &Waiting<T>) {
        self.texts -= 1;
        self.tokens = self.tokens.saturating_sub(waiting.tokens);
        self.sinces.remove(&(waiting.since, text));
        if let Some(half) = waiting.half_time() {
            self.half_times.remove(&(half, text));
        }
        let Lanes { lanes, turns } = &mut self.lanes[waiting.priority as usize];
        let Some(lane) = lanes.get_mut(&waiting.owner) else { return };
        lane.texts.remove(&text);
        if lane.texts.is_empty() {
            turns.remove(&(lane.turn, waiting.owner));
            lanes.remove(&waiting.owner);
        }
    }
}
