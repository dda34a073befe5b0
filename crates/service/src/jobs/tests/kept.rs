//! A store in memory, which is the rules themselves; it breaks where it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use trireme_domain::Fault;
use trireme_domain::jobs::{Life, Status};

use super::bench::Hand;
use crate::ports::Clock as _;
use crate::store::{
    Claimed, DeadNotice, Ending, Held, Hold, Kept, NewJob, Notice, Put, Sent, Store, StoreError,
    Stored, Tally,
};

pub struct Row {
    pub job: NewJob,
    pub life: Life,
    pub results: Vec<String>,
    pub error: Option<Fault>,
    pub expires: Duration,
}

#[derive(Default)]
pub struct Memory {
    pub clock: Arc<Hand>,
    pub rows: Mutex<BTreeMap<String, Row>>,
    pub notices: Mutex<Vec<(Notice, Option<Sent>)>>,
    /// Signs of life that were given.
    pub beats: AtomicUsize,
    /// Verbs that are still done; the one after them, and all that follow, find no store.
    pub left: Mutex<Option<usize>>,
    /// Whether the verb that finds no store was done all the same.
    pub unheard: Mutex<bool>,
    /// Verbs that wait for the one connection, and the one that has it before them.
    pub line: Mutex<VecDeque<u64>>,
    /// What there is to forget of jobs and of predictions, sweep by sweep.
    pub stale: [Mutex<VecDeque<Result<u64, StoreError>>>; 2],
}

/// A verb that waits in line for the one connection. Its place in the line is kept for it whether
/// somebody looks after it or not.
struct Turn<'a, T> {
    line: &'a Mutex<VecDeque<u64>>,
    place: Option<u64>,
    done: Option<Result<T, StoreError>>,
}

impl<T> Unpin for Turn<'_, T> {}

impl<T> Future for Turn<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut line = self.line.lock().unwrap();
        if self.place.is_some() && line.front() == self.place.as_ref() {
            line.pop_front();
            drop(line);
            self.place = None;
            return Poll::Ready(self.done.take().unwrap());
        }
        if self.place.is_none() {
            let place = line.back().map_or(0, |last| last + 1);
            line.push_back(place);
            drop(line);
            self.place = Some(place);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        self.line.lock().unwrap().retain(|place| Some(*place) != self.place);
    }
}

impl Memory {
    /// Does something, unless the store has broken down; says so, or not.
    fn verb<T: Send + 'static>(&self, work: impl FnOnce() -> T) -> Stored<'_, T> {
        let lost = || StoreError::Unreachable { reason: "as it was told".to_owned() };
        let mut left = self.left.lock().unwrap();
        let done = match left.as_mut() {
            None => Ok(work()),
            Some(0) => {
                if std::mem::take(&mut *self.unheard.lock().unwrap()) {
                    work();
                }
                Err(lost())
            }
            Some(left) => {
                *left -= 1;
                Ok(work())
            }
        };
        Box::pin(Turn { line: &self.line, place: None, done: Some(done) })
    }

    fn of_job<T: Send + 'static>(
        &self,
        id: &str,
        none: T,
        work: impl FnOnce(&mut Row, Duration) -> T,
    ) -> Stored<'_, T> {
        let now = self.clock.now();
        self.verb(|| match self.rows.lock().unwrap().get_mut(id) {
            Some(row) => work(row, now),
            None => none,
        })
    }

    /// Forgets what it was told that there is.
    fn swept(&self, kind: usize) -> Stored<'_, u64> {
        let gone = self.stale[kind].lock().unwrap().pop_front().unwrap_or(Ok(0));
        Box::pin(std::future::ready(gone))
    }

    fn over(&self, row: &mut Row, now: Duration, ending: Ending) {
        row.life.status = ending.status;
        row.error = ending.error;
        row.expires = now + ending.keep;
        if let Some(url) = row.job.webhook.clone() {
            let (id, body) = ending.notice;
            let notice = Notice { id, fence: 0, url, body, tries: 0 };
            self.notices.lock().unwrap().push((notice, None));
        }
    }
}

fn said<E>(told: Result<(), E>) -> Held {
    told.map_or(Held::Lost, |()| Held::Still)
}

fn some(all: &[String], from: usize, count: usize) -> Vec<String> {
    all.iter().skip(from).take(count).cloned().collect()
}

impl Store for Memory {
    fn put_job(&self, job: NewJob, most: usize, keep: Duration) -> Stored<'_, Put> {
        let expires = self.clock.now() + keep;
        self.verb(|| {
            let mut rows = self.rows.lock().unwrap();
            let same = |row: &&Row| {
                job.key.is_some() && (&row.job.owner, &row.job.key) == (&job.owner, &job.key)
            };
            if let Some(known) = rows.values().find(same) {
                let NewJob { id, digest, .. } = known.job.clone();
                return Put::Known { id, digest };
            }
            let open =
                |row: &&Row| row.job.owner == job.owner && row.life.status == Status::Processing;
            if rows.values().filter(open).count() >= most {
                return Put::Full;
            }
            let life = Life::new(job.texts.len());
            let row = Row { job: job.clone(), life, results: Vec::new(), error: None, expires };
            rows.insert(job.id, row);
            Put::Made
        })
    }

    fn read_job(&self, id: &str) -> Stored<'_, Option<Kept>> {
        self.of_job(id, None, |row, now| {
            Some(Kept {
                owner: row.job.owner.clone(),
                order: row.job.order.clone(),
                status: row.life.status,
                texts: row.life.texts,
                done: row.life.done,
                took: now,
                error: row.error.clone(),
            })
        })
    }

    fn read_texts(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>> {
        self.of_job(id, vec![], |row, _| match row.life.status {
            Status::Processing => some(&row.job.texts, from, count),
            _ => Vec::new(),
        })
    }

    fn read_results(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>> {
        self.of_job(id, vec![], |row, _| some(&row.results, from, count))
    }

    fn open_jobs(&self, _: &str) -> Stored<'_, usize> {
        self.verb(|| self.rows.lock().unwrap().len())
    }

    fn claim_job(&self, answerers: Vec<String>, lease: Duration) -> Stored<'_, Option<Claimed>> {
        let now = self.clock.now();
        self.verb(|| {
            let mut rows = self.rows.lock().unwrap();
            let mut can = rows.values_mut().filter(|row| answerers.contains(&row.job.answerer));
            can.find_map(|row| {
                let fence = row.life.claim(now, lease)?;
                let Life { attempts, texts, done, .. } = row.life;
                let hold = Hold { id: row.job.id.clone(), fence };
                let NewJob { owner, order, .. } = row.job.clone();
                Some(Claimed { hold, owner, attempts, order, texts, done })
            })
        })
    }

    fn extend_lease(&self, hold: Hold, lease: Duration) -> Stored<'_, Held> {
        self.beats.fetch_add(1, SeqCst);
        self.of_job(&hold.id, Held::Lost, |row, now| said(row.life.extend(hold.fence, now, lease)))
    }

    fn append_results(
        &self,
        hold: Hold,
        from: usize,
        results: Vec<String>,
        lease: Duration,
    ) -> Stored<'_, Held> {
        self.of_job(&hold.id, Held::Lost, |row, now| {
            let told = row.life.append(hold.fence, from, results.len(), now, lease);
            if told.is_ok() {
                row.results.extend(results);
            }
            said(told)
        })
    }

    fn release_job(&self, hold: Hold) -> Stored<'_, Held> {
        self.of_job(&hold.id, Held::Lost, |row, now| said(row.life.release(hold.fence, now)))
    }

    fn end_job(&self, hold: Hold, ending: Ending) -> Stored<'_, Held> {
        self.of_job(&hold.id, Held::Lost, |row, now| {
            let told = row.life.end(hold.fence, ending.status);
            if told.is_ok() {
                self.over(row, now, ending);
            }
            said(told)
        })
    }

    fn cancel_job(&self, id: &str, ending: Ending) -> Stored<'_, Held> {
        self.of_job(id, Held::Lost, |row, now| {
            let open = row.life.cancel();
            if open {
                self.over(row, now, ending);
            }
            if open { Held::Still } else { Held::Lost }
        })
    }

    fn late_jobs(&self, count: usize) -> Stored<'_, Vec<String>> {
        let now = self.clock.now();
        self.verb(|| {
            let rows = self.rows.lock().unwrap();
            let late = |row: &&Row| row.life.status == Status::Processing && row.expires <= now;
            rows.values().filter(late).take(count).map(|row| row.job.id.clone()).collect()
        })
    }

    fn sweep_jobs(&self) -> Stored<'_, u64> {
        self.swept(0)
    }

    fn sweep_predictions(&self) -> Stored<'_, u64> {
        self.swept(1)
    }

    fn tally(&self) -> Stored<'_, Tally> {
        self.verb(Tally::default)
    }

    fn claim_notice(&self, _: Duration, _: Duration) -> Stored<'_, Option<Notice>> {
        self.verb(|| {
            let mut notices = self.notices.lock().unwrap();
            let due = |sent: &Option<Sent>| matches!(sent, None | Some(Sent::Again(_)));
            notices.iter_mut().find(|(_, sent)| due(sent)).map(|(notice, _)| {
                notice.tries += 1;
                notice.fence += 1;
                notice.clone()
            })
        })
    }

    fn settle_notice(&self, id: &str, _: u64, sent: Sent) -> Stored<'_, Held> {
        self.verb(|| {
            let mut notices = self.notices.lock().unwrap();
            let settled = notices.iter_mut().find(|(notice, _)| notice.id == id);
            settled.map_or(Held::Lost, |(_, before)| {
                *before = Some(sent);
                Held::Still
            })
        })
    }

    fn dead_notices(&self, _: &str, _: usize) -> Stored<'_, Vec<DeadNotice>> {
        self.verb(Vec::new)
    }

    fn revive_notices(&self, _: Vec<String>) -> Stored<'_, u64> {
        self.verb(|| 0)
    }
}
