//! A memory for answers that forgets those nobody asked for lately.

use std::collections::HashMap;
use std::hash::Hash;

/// No entry.
const NONE: usize = usize::MAX;

/// Values by keys, of so many bytes in all. The one that was not asked for the longest goes first.
///
/// ```
/// use trireme_domain::lru::Lru;
///
/// let entry = 1000 + Lru::<&str, &str>::OVERHEAD;
/// let mut answers = Lru::new(4 * entry);
/// answers.insert("a", "answer a", 1000);
/// answers.insert("b", "answer b", 1000);
/// answers.insert("c", "answer c", 1000);
/// assert_eq!(answers.bytes(), 3 * entry);
///
/// assert_eq!(answers.get(&"a"), Some(&"answer a"));
/// answers.insert("d", "answer d", 1000);
/// answers.insert("e", "answer e", 1000);
/// assert_eq!(answers.get(&"b"), None);
/// assert_eq!(answers.get(&"a"), Some(&"answer a"));
/// ```
#[derive(Clone)]
pub struct Lru<K, V> {
    most: usize,
    bytes: usize,
    places: HashMap<K, usize>,
    entries: Vec<Entry<K, V>>,
    /// The entry that was asked for last, and the one that was not for the longest.
    newest: usize,
    oldest: usize,
}

#[derive(Clone)]
struct Entry<K, V> {
    key: K,
    value: V,
    size: usize,
    newer: usize,
    older: usize,
}

impl<K: Clone + Eq + Hash, V> Lru<K, V> {
    /// What an entry is counted with beside its size: its places in the list and in the table, and
    /// as much again, for both double when they grow.
    pub const OVERHEAD: usize = 2 * (size_of::<Entry<K, V>>() + size_of::<(K, usize)>() + 1);

    /// Nothing yet, and never more bytes than these.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let (places, entries) = (HashMap::new(), Vec::new());
        Self { most: bytes, bytes: 0, places, entries, newest: NONE, oldest: NONE }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes they are counted as.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The value of a key, which is now the last that was asked for.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        let place = *self.places.get(key)?;
        self.unlink(place);
        self.link(place);
        Some(&self.entries[place].value)
    }

    /// Keeps a value in place of one that the key had. Its size is what key and value hold
    /// elsewhere; one that is counted as more than a quarter of the whole is not kept.
    pub fn insert(&mut self, key: K, value: V, size: usize) {
        if let Some(&place) = self.places.get(&key) {
            self.remove(place);
        }
        let size = size.saturating_add(Self::OVERHEAD);
        if size > self.most / 4 {
            return;
        }
        while self.most - self.bytes < size {
            self.remove(self.oldest);
        }
        let place = self.entries.len();
        self.places.insert(key.clone(), place);
        self.entries.push(Entry { key, value, size, newer: NONE, older: NONE });
        self.bytes += size;
        self.link(place);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.most);
    }

    /// Takes an entry out; the last one moves into its place.
    fn remove(&mut self, place: usize) {
        self.unlink(place);
        let entry = self.entries.swap_remove(place);
        self.places.remove(&entry.key);
        self.bytes -= entry.size;
        let Some(moved) = self.entries.get(place) else { return };
        let (newer, older) = (moved.newer, moved.older);
        if let Some(at) = self.places.get_mut(&moved.key) {
            *at = place;
        }
        *self.older_of(newer) = place;
        *self.newer_of(older) = place;
    }

    fn unlink(&mut self, place: usize) {
        let (newer, older) = (self.entries[place].newer, self.entries[place].older);
        *self.older_of(newer) = older;
        *self.newer_of(older) = newer;
    }

    /// Makes an entry the newest.
    fn link(&mut self, place: usize) {
        let second = self.newest;
        self.entries[place].newer = NONE;
        self.entries[place].older = second;
        *self.newer_of(second) = place;
        self.newest = place;
    }

    /// What comes after an entry; after none, the newest.
    fn older_of(&mut self, place: usize) -> &mut usize {
        match self.entries.get_mut(place) {
            Some(entry) => &mut entry.older,
            None => &mut self.newest,
        }
    }

    /// What comes before an entry; before none, the oldest.
    fn newer_of(&mut self, place: usize) -> &mut usize {
        match self.entries.get_mut(place) {
            Some(entry) => &mut entry.newer,
            None => &mut self.oldest,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OVERHEAD: usize = Lru::<u8, u32>::OVERHEAD;

    /// The same, the plain way: the oldest first.
    #[derive(Default)]
    struct Naive(Vec<(u8, u32, usize)>);

    impl Naive {
        fn bytes(&self) -> usize {
            self.0.iter().map(|(_, _, size)| size + OVERHEAD).sum()
        }

        fn get(&mut self, key: u8) -> Option<u32> {
            let at = self.0.iter().position(|entry| entry.0 == key)?;
            let entry = self.0.remove(at);
            self.0.push(entry);
            Some(entry.1)
        }

        fn insert(&mut self, most: usize, key: u8, value: u32, size: usize) {
            self.0.retain(|entry| entry.0 != key);
            if size + OVERHEAD > most / 4 {
                return;
            }
            self.0.push((key, value, size));
            while self.bytes() > most {
                self.0.remove(0);
            }
        }
    }

    proptest! {
        #[test]
        fn it_remembers_what_a_plain_list_remembers(
            most in 0usize..4000,
            steps in prop::collection::vec((0u8..30, prop::option::of(0usize..600)), 0..300),
        ) {
            let mut naive = Naive::default();
            let mut lru = Lru::new(most);
            for (value, (key, size)) in (0..).zip(steps) {
                match size {
                    Some(size) => {
                        naive.insert(most, key, value, size);
                        lru.insert(key, value, size);
                    }
                    None => prop_assert_eq!(lru.get(&key).copied(), naive.get(key)),
                }
                prop_assert_eq!((lru.len(), lru.bytes()), (naive.0.len(), naive.bytes()));
                prop_assert!(lru.bytes() <= most, "{} of {most} bytes", lru.bytes());
            }
            for (key, value, _) in naive.0 {
                prop_assert_eq!(lru.get(&key), Some(&value));
            }
        }
    }

    #[test]
    fn an_entry_that_is_too_large_displaces_its_elder_and_nothing_else() {
        let mut lru = Lru::new(4 * (100 + OVERHEAD));
        lru.insert(1u8, 1u32, 100);
        lru.insert(2, 2, 100);
        lru.insert(1, 3, 101);
        assert_eq!(lru.get(&1), None);
        assert_eq!(lru.get(&2), Some(&2));
        lru.insert(1, 4, usize::MAX);
        assert_eq!(lru.get(&1), None);
        assert_eq!(lru.len(), 1);
    }

    #[test]
    fn what_is_cleared_begins_anew() {
        let mut lru = Lru::new(10_000);
        lru.insert(1, 'a', 10);
        lru.clear();
        assert_eq!((lru.bytes(), lru.is_empty()), (0, true));
        assert_eq!(lru.get(&1), None);
        lru.insert(1, 'b', 10);
        assert_eq!(lru.get(&1), Some(&'b'));
    }
}
