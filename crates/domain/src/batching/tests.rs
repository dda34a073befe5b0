//! What holds of every queue, whatever comes into it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::{Batching, Next, Priority, Queue, Waiting};
use crate::admission::Inside;

const NOW: Duration = Duration::from_secs(1000);

fn waiting(ticket: usize, group: u64, owner: u64, tokens: usize) -> Waiting<usize> {
    let priority = Priority::Interactive;
    Waiting { ticket, group, owner, priority, tokens, since: NOW, deadline: None }
}

fn run<T: std::fmt::Debug>(queue: &mut Queue<T>, rules: &Batching) -> Vec<Waiting<T>> {
    match queue.next(rules, NOW) {
        Next::Run(run) => run,
        Next::Empty => Vec::new(),
        Next::Wait(until) => panic!("without a wait nothing waits, got {until:?}"),
    }
}

fn tickets(run: &[Waiting<usize>]) -> Vec<usize> {
    run.iter().map(|text| text.ticket).collect()
}

/// Texts of a few groups and owners, as they might come.
fn texts() -> impl Strategy<Value = Vec<Waiting<usize>>> {
    let deadline = prop::option::of(1000u64..1020).prop_map(|at| at.map(Duration::from_secs));
    let text = (0u64..3, 0u64..4, any::<bool>(), 0usize..60, 980u64..1000, deadline);
    prop::collection::vec(text, 0..80).prop_map(|texts| {
        let text = |(ticket, (group, owner, batch, tokens, since, deadline))| {
            let priority = if batch { Priority::Batch } else { Priority::Interactive };
            let since = Duration::from_secs(since);
            Waiting { ticket, group, owner, priority, tokens, since, deadline }
        };
        texts.into_iter().enumerate().map(text).collect()
    })
}

fn rules() -> impl Strategy<Value = Batching> {
    (1usize..9, 1usize..100, 0usize..4).prop_map(|(max_texts, max_tokens, batch_after)| Batching {
        max_texts,
        max_tokens,
        max_wait: Duration::ZERO,
        batch_after,
    })
}

proptest! {
    #[test]
    fn every_text_leaves_once_in_runs_that_keep_the_rules(
        texts in texts(),
        rules in rules(),
        at_once in 1usize..10,
    ) {
        let mut queue = Queue::default();
        let mut left = Vec::new();
        let mut last: HashMap<(u64, u64, Priority), usize> = HashMap::new();
        let mut coming = texts.chunks(at_once);
        loop {
            let more = coming.next();
            for text in more.unwrap_or_default() {
                queue.push(text.clone());
            }
            let run = run(&mut queue, &rules);
            if run.is_empty() && more.is_none() {
                break;
            }
            let tokens: usize = run.iter().map(|text| text.tokens).sum();
            prop_assert!(run.len() <= rules.max_texts, "{} texts", run.len());
            let groups: HashSet<u64> = run.iter().map(|text| text.group).collect();
            prop_assert!(groups.len() <= 1, "more than one group: {run:?}");
            prop_assert!(run.len() <= 1 || tokens <= rules.max_tokens, "{tokens} tokens: {run:?}");
            for text in run {
                let lane = (text.group, text.owner, text.priority);
                let before = last.insert(lane, text.ticket);
                prop_assert!(before < Some(text.ticket), "{before:?} ran before {}", text.ticket);
                left.push(text);
            }
        }
        left.sort_unstable_by_key(|text| text.ticket);
        prop_assert_eq!(left, texts);
        prop_assert_eq!((queue.texts(), queue.tokens()), (0, 0));
    }

    #[test]
    fn what_expires_or_is_given_up_leaves_and_nothing_else_does(
        texts in texts(),
        after in 0u64..25,
        modulus in 1usize..5,
    ) {
        let now = NOW + Duration::from_secs(after);
        let mut queue = Queue::default();
        texts.iter().for_each(|text| queue.push(text.clone()));
        let is_late = |text: &&Waiting<usize>| text.deadline.is_some_and(|at| at <= now);
        let (late, others): (Vec<_>, Vec<_>) = texts.iter().partition(is_late);
        let mut expired = queue.expired(now);
        expired.sort_unstable_by_key(|text| text.ticket);
        prop_assert_eq!(expired.iter().collect::<Vec<_>>(), late);
        queue.retain(|ticket| ticket % modulus == 0);
        let kept: Vec<_> = others.into_iter().filter(|text| text.ticket % modulus == 0).collect();
        prop_assert_eq!(queue.tokens(), kept.iter().map(|text| text.tokens).sum::<usize>());
        prop_assert_eq!(queue.texts(), kept.len());
        let drained = queue.drain();
        prop_assert_eq!(drained.iter().collect::<Vec<_>>(), kept);
        prop_assert_eq!(queue.next(&Batching::default(), now), Next::Empty);
    }

    #[test]
    fn a_batch_text_never_waits_for_more_runs_than_the_rules_say(
        groups in prop::collection::vec((0u64..3, any::<bool>()), 1..60),
        rules in rules(),
    ) {
        let mut queue = Queue::default();
        let mut past = 0;
        for (ticket, (group, batch)) in groups.into_iter().enumerate() {
            // There is always something interactive to do.
            for more in 0..12 {
                queue.push(waiting(1000 + more, group, more as u64, 10));
            }
            if batch {
                let priority = Priority::Batch;
                queue.push(Waiting { priority, ..waiting(ticket, group, 7, 10) });
            }
            let waited = queue.waiting().any(|text| text.priority == Priority::Batch);
            let run = run(&mut queue, &rules);
            let passed = waited && run[0].priority == Priority::Interactive;
            past = if passed { past + 1 } else { 0 };
            prop_assert!(past <= rules.batch_after, "{past} runs began without a batch text");
        }
    }

    #[test]
    fn a_newcomer_is_served_when_every_other_owner_was_once(
        lengths in prop::collection::vec((0u64..3, 1usize..50), 1..20),
        runs_before in 0usize..40,
        rules in rules(),
    ) {
        let owners = lengths.len();
        let mut queue = Queue::default();
        for (owner, (group, tokens)) in lengths.into_iter().enumerate() {
            for _ in 0..400 {
                queue.push(waiting(0, group, owner as u64, tokens));
            }
        }
        for _ in 0..runs_before {
            run(&mut queue, &rules);
        }
        queue.push(waiting(1, 9, 999, 50));
        let runs = (1..).find(|_| tickets(&run(&mut queue, &rules)) == [1]).unwrap();
        prop_assert!(runs <= owners + 1, "{runs} runs beside {owners} owners");
    }

    #[test]
    fn who_floods_gets_no_more_than_who_has_just_enough(
        flood in prop::collection::vec((0u64..2, 1usize..40), 300),
        quiet in prop::collection::vec((0u64..2, 1usize..40), 20..40),
        rules in rules(),
    ) {
        let mut queue = Queue::default();
        for (ticket, &(group, tokens)) in flood.iter().enumerate() {
            queue.push(waiting(ticket, group, 1, tokens));
        }
        for (ticket, &(group, tokens)) in quiet.iter().enumerate() {
            queue.push(waiting(ticket, group, 2, tokens));
        }
        let mut served: BTreeMap<u64, usize> = BTreeMap::new();
        let mut quiet_left = quiet.len();
        loop {
            for text in run(&mut queue, &rules) {
                *served.entry(text.owner).or_default() += text.tokens;
                quiet_left -= usize::from(text.owner == 2);
            }
            if quiet_left == 0 {
                break;
            }
            let (one, other) = (served[&1], served.get(&2).copied().unwrap_or_default());
            // A run of one group may hold one owner's texts only, and a text is not divided.
            let most = rules.max_tokens.max(40) + 40;
            prop_assert!(one.abs_diff(other) <= most, "{one} and {other} tokens of {rules:?}");
        }
    }

    #[test]
    fn who_waits_for_company_runs_when_it_has_waited_or_is_complete(
        texts in texts(),
        rules in rules(),
        wait in 0u64..30,
    ) {
        let rules = Batching { max_wait: Duration::from_secs(wait), ..rules };
        let mut queue = Queue::default();
        texts.into_iter().for_each(|text| queue.push(text));
        let mut now = NOW;
        loop {
            let texts: Vec<_> = queue.waiting().cloned().collect();
            let late = texts.iter().filter_map(|text| text.deadline).find(|&at| at < now);
            prop_assert!(late.is_none(), "a text waited past its deadline, {late:?}, until {now:?}");
            match queue.next(&rules, now) {
                Next::Empty => break,
                Next::Wait(until) => {
                    prop_assert!(until > now, "wait from {now:?} until {until:?}");
                    let waited = texts.iter().map(|text| text.since + rules.max_wait).min();
                    prop_assert!(Some(until) <= waited, "{until:?}, past {waited:?}");
                    now = until;
                }
                Next::Run(run) => {
                    let whole = |text: &Waiting<_>| {
                        let of_group = texts.iter().filter(|other| other.group == text.group);
                        let (count, tokens) =
                            of_group.fold((0, 0), |(n, sum), other| (n + 1, sum + other.tokens));
                        count >= rules.max_texts || tokens >= rules.max_tokens
                    };
                    let waited = |text: &Waiting<_>| {
                        let half = text.deadline.map(|at| text.since + (at - text.since) / 2);
                        text.since + rules.max_wait <= now || half.is_some_and(|at| at <= now)
                    };
                    prop_assert!(
                        whole(&run[0]) || run.iter().any(waited),
                        "ran too early at {now:?}: {run:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn who_asks_first_is_served_first_and_owners_alternate() {
    let mut queue = Queue::default();
    for ticket in 0..6 {
        queue.push(waiting(ticket, 1, 1, 10));
    }
    queue.push(waiting(6, 1, 2, 10));
    queue.push(waiting(7, 1, 2, 10));
    let rules = Batching { max_texts: 5, ..Batching::default() };
    assert_eq!(tickets(&run(&mut queue, &rules)), [0, 6, 1, 7, 2]);
    assert_eq!(tickets(&run(&mut queue, &rules)), [3, 4, 5]);
}

#[test]
fn a_text_of_another_group_keeps_its_place() {
    let mut queue = Queue::default();
    queue.push(waiting(0, 1, 1, 10));
    queue.push(waiting(1, 2, 1, 10));
    queue.push(waiting(2, 1, 1, 10));
    queue.push(waiting(3, 3, 1, 10));
    let rules = Batching::default();
    assert_eq!(tickets(&run(&mut queue, &rules)), [0, 2]);
    assert_eq!(tickets(&run(&mut queue, &rules)), [1]);
    assert_eq!(tickets(&run(&mut queue, &rules)), [3]);
}

#[test]
fn a_text_that_is_larger_than_a_run_runs_alone_and_is_not_overtaken_for_ever() {
    let mut queue = Queue::default();
    queue.push(waiting(0, 1, 1, 10));
    queue.push(waiting(1, 1, 2, 5000));
    for ticket in 2..50 {
        queue.push(waiting(ticket, 1, 1, 10));
    }
    let rules = Batching { max_tokens: 100, ..Batching::default() };
    assert_eq!(tickets(&run(&mut queue, &rules)), [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(tickets(&run(&mut queue, &rules)), [1]);
}

#[test]
fn a_group_that_is_complete_does_not_wait_for_one_that_is_not() {
    let rules = Batching { max_texts: 2, max_wait: NOW, ..Batching::default() };
    let mut queue = Queue::default();
    queue.push(waiting(0, 1, 1, 10));
    assert_eq!(queue.next(&rules, NOW), Next::Wait(NOW + NOW));
    queue.push(waiting(1, 2, 1, 10));
    queue.push(waiting(2, 2, 2, 10));
    let Next::Run(run) = queue.next(&rules, NOW) else { panic!("group 2 is complete") };
    assert_eq!(tickets(&run), [1, 2]);
    assert_eq!(queue.next(&rules, NOW), Next::Wait(NOW + NOW));
}

#[test]
fn a_request_finds_before_it_what_is_as_urgent_and_others_turns_of_it() {
    let mut queue = Queue::default();
    for ticket in 0..30 {
        queue.push(Waiting { priority: Priority::Batch, ..waiting(ticket, 1, 1, 10) });
    }
    for ticket in 30..35 {
        queue.push(waiting(ticket, 1, 2, 10));
    }
    let found = |owner, priority| {
        let Inside { waiting, own, before, running } = queue.found_by(owner, priority, 20);
        assert_eq!((waiting.texts, waiting.tokens, running), (35, 350, 0));
        (own.texts, own.tokens, before)
    };
    let [urgent, calm] = [Priority::Interactive, Priority::Batch];
    assert_eq!(found(1, urgent), (0, 0, 20), "its nightly job waits behind it; owner 2 alternates");
    assert_eq!(found(1, calm), (30, 300, 350), "all of it");
    assert_eq!(found(2, urgent), (5, 50, 50));
    assert_eq!(found(2, calm), (5, 50, 50 + 20), "owner 1 alternates");
    assert_eq!(found(3, urgent), (0, 0, 20));
    assert_eq!(found(3, calm), (0, 0, 50 + 20));
}

#[test]
fn tens_of_thousands_wait_and_leave_in_runs() {
    let mut queue = Queue::default();
    for ticket in 0..40_000 {
        let (group, owner) = (ticket as u64 % 7, ticket as u64 % 1013);
        queue.push(waiting(ticket, group, owner, 1 + ticket % 200));
    }
    let rules = Batching::default();
    let mut seen = HashSet::new();
    while let Next::Run(run) = queue.next(&rules, NOW) {
        seen.extend(tickets(&run));
    }
    assert_eq!(seen.len(), 40_000);
}
