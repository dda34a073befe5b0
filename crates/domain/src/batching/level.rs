//! Turns of the owners within one priority.

use std::collections::{BTreeSet, HashMap};

use crate::admission::Backlog;

/// When an owner's turn is: what it was served, and of equals who was not served for longer. It
/// only grows while the owner waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// In tokens, with what it missed while it asked for nothing.
    served: u64,
    stamp: u64,
}

#[derive(Debug, Default)]
struct Owner {
    turn: Turn,
    /// Its texts of any group, in the order in which they came.
    texts: BTreeSet<u64>,
    /// What they have together.
    tokens: usize,
}

/// The texts of one priority. Their owners are served the same number of tokens, as nearly as
/// texts and groups allow.
#[derive(Debug, Default)]
pub(super) struct Level {
    owners: HashMap<u64, Owner>,
    /// Owners with texts.
    turns: BTreeSet<(Turn, u64)>,
    /// Owners without, who had more than their share. They are forgotten when others had as much.
    sated: BTreeSet<(Turn, u64)>,
    /// What everybody who waits was served at least.
    clock: u64,
    stamp: u64,
    /// Of all owners.
    tokens: usize,
}

impl Level {
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// When this owner's turn is.
    pub fn turn(&self, owner: u64) -> Turn {
        self.owners.get(&owner).map(|owner| owner.turn).unwrap_or_default()
    }

    /// The oldest text of the owner whose turn it is.
    pub fn first(&self) -> Option<u64> {
        let (_, owner) = self.turns.first()?;
        self.owners.get(owner)?.texts.first().copied()
    }

    /// How many tokens wait.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// What waits of an owner.
    pub fn of(&self, owner: u64) -> Backlog {
        let of = |owner: &Owner| Backlog { texts: owner.texts.len(), tokens: owner.tokens };
        self.owners.get(&owner).map(of).unwrap_or_default()
    }

    /// How many of the tokens that wait run before this owner's, and as many more of it, are done.
    /// Owners take turns, so of each other one no more runs than brings it to where this one then
    /// is; groups, and texts that are not divided, are not looked at.
    pub fn before(&self, owner: u64, more: usize) -> usize {
        let (own, served) = (self.of(owner).tokens, self.turn(owner).served.max(self.clock));
        let until = served.saturating_add(own.saturating_add(more) as u64);
        let others = self.turns.iter().filter(|(_, other)| *other != owner);
        let share = |(turn, other): &(Turn, u64)| {
            let room = until.saturating_sub(turn.served);
            self.of(*other).tokens.min(usize::try_from(room).unwrap_or(usize::MAX))
        };
        others.map(share).fold(own, usize::saturating_add)
    }

    pub fn insert(&mut self, owner: u64, text: u64, tokens: usize) {
        self.tokens = self.tokens.saturating_add(tokens);
        let known = self.owners.entry(owner).or_default();
        if known.texts.is_empty() {
            self.sated.remove(&(known.turn, owner));
            // Who asked for nothing has not saved up.
            let served = known.turn.served.max(self.clock);
            self.stamp += 1;
            known.turn = Turn { served, stamp: self.stamp };
            self.turns.insert((known.turn, owner));
        }
        known.texts.insert(text);
        known.tokens = known.tokens.saturating_add(tokens);
    }

    pub fn remove(&mut self, owner: u64, text: u64, tokens: usize) {
        let Some(known) = self.owners.get_mut(&owner) else { return };
        self.tokens = self.tokens.saturating_sub(tokens);
        known.tokens = known.tokens.saturating_sub(tokens);
        known.texts.remove(&text);
        if known.texts.is_empty() && self.turns.remove(&(known.turn, owner)) {
            self.sated.insert((known.turn, owner));
            self.forget();
        }
    }

    /// Notes that a text of this owner, who waits, runs.
    pub fn serve(&mut self, owner: u64, tokens: usize) {
        let Some(known) = self.owners.get_mut(&owner) else { return };
        let before = (known.turn, owner);
        // A text without tokens costs a place.
        let tokens = u64::try_from(tokens.max(1)).unwrap_or(u64::MAX);
        self.stamp += 1;
        known.turn = Turn { served: known.turn.served.saturating_add(tokens), stamp: self.stamp };
        self.turns.remove(&before);
        self.turns.insert((known.turn, owner));
        if let Some((least, _)) = self.turns.first() {
            self.clock = self.clock.max(least.served);
        }
        self.forget();
    }

    fn forget(&mut self) {
        // Where nobody waits, nobody had too much.
        let all = self.turns.is_empty();
        while let Some(&(turn, owner)) = self.sated.first()
            && (all || turn.served <= self.clock)
        {
            self.sated.remove(&(turn, owner));
            self.owners.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_and_comes_back_has_neither_saved_up_nor_forgotten() {
        let mut level = Level::default();
        for text in 0..4 {
            level.insert(1, text, 50);
        }
        level.insert(2, 10, 100);
        level.serve(2, 100);
        level.remove(2, 10, 100);
        // It had a hundred tokens and the other none: it waits until that has as many.
        level.insert(2, 11, 100);
        assert_eq!(level.first(), Some(0), "owner 2 had its share");
        level.serve(1, 150);
        level.remove(1, 0, 50);
        assert_eq!(level.first(), Some(11), "owner 1 had more than its share");
        // A newcomer begins where those who waited are.
        level.insert(3, 20, 10);
        level.serve(3, 10);
        level.remove(3, 20, 10);
        level.insert(3, 21, 10);
        assert_eq!(level.first(), Some(11), "a newcomer does not catch up on what it never asked");
    }

    #[test]
    fn of_others_as_much_goes_before_as_brings_them_as_far() {
        let mut level = Level::default();
        for text in 0..40 {
            level.insert(1, text, 10);
        }
        level.insert(2, 50, 30);
        let before = |level: &Level| [1, 2, 3].map(|owner| level.before(owner, 20));
        assert_eq!(before(&level), [400 + 30, 30 + 50, 20 + 20], "its own, and turns of others");
        level.serve(1, 10);
        level.remove(1, 0, 10);
        assert_eq!(before(&level), [390 + 30, 30 + 40, 10 + 20], "owner 1 had ten more");
        level.serve(2, 30);
        level.remove(2, 50, 30);
        // All who wait were served ten; of these thirty, owner 2 has twenty still before it.
        assert_eq!(before(&level), [390, 40, 20]);
        assert_eq!((level.of(1).tokens, level.of(2).tokens, level.tokens()), (390, 0, 390));
    }

    #[test]
    fn owners_who_left_are_forgotten() {
        let mut level = Level::default();
        level.insert(0, 0, 5);
        for owner in 1..1000 {
            level.insert(owner, owner, 5);
            level.serve(owner, 5);
            level.remove(owner, owner, 5);
            level.serve(0, 5);
        }
        assert!(level.owners.len() < 4, "{} owners are remembered", level.owners.len());
        level.remove(0, 0, 5);
        assert_eq!((level.owners.len(), level.sated.len(), level.tokens()), (0, 0, 0));
    }
}
