//! The texts that wait.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::group::Group;
use super::level::Level;
use super::{Batching, Next, Priority, Waiting};
use crate::admission::{Backlog, Inside};

/// How many owners whose text is too long for what is left of a run are passed over before it goes
/// as it is. It bounds the work of a run; who was passed over begins a run soon.
const PASSED_OVER: usize = 8;

/// Texts that wait, in any number. What is done with one of them costs the logarithm of that.
///
/// - Interactive texts go before others, which are let through from time to time.
/// - Of one priority, owners take turns. They get equally many tokens, whoever asks for more texts.
/// - Of one owner, texts run in the order in which they came; those of another group than the
///   run's keep their places.
///
/// ```
/// use std::time::Duration;
///
/// use trireme_domain::batching::{Batching, Next, Priority, Queue, Waiting};
///
/// let millis = Duration::from_millis;
/// let mut queue = Queue::default();
/// let (group, owner, priority, tokens) = (1, 1, Priority::Interactive, 20);
/// let (since, deadline) = (millis(100), None);
/// queue.push(Waiting { ticket: "hello", group, owner, priority, tokens, since, deadline });
///
/// let rules = Batching { max_wait: millis(5), ..Batching::default() };
/// assert_eq!(queue.next(&rules, millis(101)), Next::Wait(millis(105)));
/// assert!(matches!(queue.next(&rules, millis(105)), Next::Run(run) if run.len() == 1));
/// assert_eq!(queue.next(&rules, millis(106)), Next::Empty);
/// ```
#[derive(Debug)]
pub struct Queue<T> {
    /// By the order in which they came.
    waiting: BTreeMap<u64, Waiting<T>>,
    pushed: u64,
    deadlines: BTreeSet<(Duration, u64)>,
    levels: [Level; 2],
    groups: HashMap<u64, Group>,
    /// Runs that did not begin with a batch text since one of those waits.
    runs_past_batch: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            pushed: 0,
            deadlines: BTreeSet::new(),
            levels: Default::default(),
            groups: HashMap::new(),
            runs_past_batch: 0,
        }
    }
}

impl<T> Queue<T> {
    /// How many texts wait.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.waiting.len()
    }

    /// How many tokens wait.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.levels.iter().map(Level::tokens).fold(0, usize::saturating_add)
    }

    /// What a request of this owner finds, which brings so many tokens.
    ///
    /// Batch texts that are let through from time to time do not count for those before which they
    /// go: there are few of them.
    #[must_use]
    pub fn found_by(&self, owner: u64, priority: Priority, tokens: usize) -> Inside {
        let [interactive, batch] = &self.levels;
        let before = match priority {
            Priority::Interactive => interactive.before(owner, tokens),
            Priority::Batch => interactive.tokens().saturating_add(batch.before(owner, tokens)),
        };
        let own = match priority {
            Priority::Interactive => interactive.of(owner),
            Priority::Batch => interactive.of(owner).plus(batch.of(owner)),
        };
        let waiting = Backlog { texts: self.texts(), tokens: self.tokens() };
        Inside { waiting, own, before, running: 0 }
    }

    /// Lets a text wait.
    pub fn push(&mut self, waiting: Waiting<T>) {
        let text = self.pushed;
        self.pushed += 1;
        self.deadlines.extend(waiting.deadline.map(|deadline| (deadline, text)));
        let level = &mut self.levels[waiting.priority as usize];
        level.insert(waiting.owner, text, waiting.tokens);
        let turn = level.turn(waiting.owner);
        self.groups.entry(waiting.group).or_default().insert(text, &waiting, turn);
        self.waiting.insert(text, waiting);
    }

    /// Which texts run next, and takes them out. Take out those whose deadline has passed before.
    pub fn next(&mut self, rules: &Batching, now: Duration) -> Next<T> {
        let Some(fair) = self.fair(rules).and_then(|text| self.waiting.get(&text)) else {
            return Next::Empty;
        };
        let (mut group, mut priority) = (fair.group, fair.priority);
        let due = |group: &Group| group.due(rules);
        if self.groups.get(&group).is_some_and(|group| due(group) > now) {
            // Whose turn it is waits for company; meanwhile others may have enough of it.
            let soonest = self.groups.iter().map(|(key, group)| (due(group), *key)).min();
            let Some((soonest, other)) = soonest else { return Next::Empty };
            if soonest > now {
                return Next::Wait(soonest);
            }
            (group, priority) = (other, Priority::Interactive);
        }
        Next::Run(self.run(rules, group, priority))
    }

    /// Takes out the texts whose deadline has passed.
    pub fn expired(&mut self, now: Duration) -> Vec<Waiting<T>> {
        let mut expired = Vec::new();
        while let Some(&(deadline, text)) = self.deadlines.first()
            && deadline <= now
        {
            // A deadline without a text would be met for ever.
            self.deadlines.remove(&(deadline, text));
            expired.extend(self.take(text));
        }
        expired
    }

    /// Keeps the texts that somebody still waits for.
    pub fn retain(&mut self, mut keeps: impl FnMut(&T) -> bool) {
        let left: Vec<u64> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| !keeps(&waiting.ticket))
            .map(|(text, _)| *text)
            .collect();
        for text in left {
            self.take(text);
        }
    }

    /// Takes out everything, in the order in which it came.
    pub fn drain(&mut self) -> Vec<Waiting<T>> {
        std::mem::take(self).waiting.into_values().collect()
    }

    /// Everything that waits, in the order in which it came.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting<T>> {
        self.waiting.values()
    }

    /// The text whose turn it is, were there no groups to wait for.
    fn fair(&self, rules: &Batching) -> Option<u64> {
        let [interactive, batch] = &self.levels;
        if self.runs_past_batch >= rules.batch_after {
            return batch.first().or_else(|| interactive.first());
        }
        interactive.first().or_else(|| batch.first())
    }

    fn run(&mut self, rules: &Batching, group: u64, priority: Priority) -> Vec<Waiting<T>> {
        let batch_waits = !self.levels[Priority::Batch as usize].is_empty();
        let mut run = Vec::new();
        let mut tokens = 0usize;
        for priority in [priority, priority.other()] {
            let mut passed_over = Vec::new();
            while run.is_empty() || run.len() < rules.max_texts && tokens < rules.max_tokens {
                let Some((owner, text)) = self.first(group, priority) else { break };
                let more = self.waiting.get(&text).map_or(0, |waiting| waiting.tokens);
                if run.is_empty() || tokens.saturating_add(more) <= rules.max_tokens {
                    self.levels[priority as usize].serve(owner, more);
                    run.extend(self.take(text));
                    tokens = tokens.saturating_add(more);
                } else if passed_over.len() < PASSED_OVER {
                    passed_over.push(owner);
                    self.aside(group, |group| group.put_aside(priority, owner));
                } else {
                    break;
                }
            }
            for owner in passed_over {
                self.aside(group, |group| group.put_back(priority, owner));
            }
        }
        let past = batch_waits && run.first().is_some_and(|r| r.priority != Priority::Batch);
        self.runs_past_batch = if past { self.runs_past_batch.saturating_add(1) } else { 0 };
        run
    }

    /// Whose turn it is in a group, and the text.
    fn first(&mut self, group: u64, priority: Priority) -> Option<(u64, u64)> {
        self.groups.get_mut(&group)?.first(priority, &self.levels[priority as usize])
    }

    fn aside(&mut self, group: u64, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.get_mut(&group) {
            change(group);
        }
    }

    fn take(&mut self, text: u64) -> Option<Waiting<T>> {
        let waiting = self.waiting.remove(&text)?;
        if let Some(deadline) = waiting.deadline {
            self.deadlines.remove(&(deadline, text));
        }
        let level = &mut self.levels[waiting.priority as usize];
        level.remove(waiting.owner, text, waiting.tokens);
        if let Some(group) = self.groups.get_mut(&waiting.group) {
            group.remove(text, &waiting);
            if group.is_empty() {
                self.groups.remove(&waiting.group);
            }
        }
        Some(waiting)
    }
}
