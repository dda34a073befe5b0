//! A request among those that wait, and one of its texts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use trireme_domain::Fault;
use trireme_service::{Answer, Answers, Cut, Task, Text, together};

/// What a request gets.
pub type Reply = Result<(Answers, Spent), Fault>;

/// Where a request's time went: that of its last text, which the others waited for too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Until its run began.
    pub waited: Duration,
    /// In that run.
    pub ran: Duration,
}

/// What became of a text.
pub type Outcome = Result<Answer, Fault>;

/// A request whose texts are answered one by one, and who is told once all are.
pub struct Request {
    pub task: Task,
    pub cut: Cut,
    pub since: Duration,
    pub deadline: Option<Duration>,
    texts: Vec<Text>,
    outcomes: Mutex<Vec<Option<Outcome>>>,
    left: AtomicUsize,
    spent: Mutex<Spent>,
    reply: Mutex<Option<oneshot::Sender<Reply>>>,
}

impl Request {
    pub fn new(
        texts: Vec<Text>,
        (task, cut): (Task, Cut),
        since: Duration,
        deadline: Option<Duration>,
    ) -> (Arc<Self>, oneshot::Receiver<Reply>) {
        let (reply, answer) = oneshot::channel();
        let request = Self {
            task,
            cut,
            since,
            deadline,
            spent: Mutex::default(),
            outcomes: Mutex::new(texts.iter().map(|_| None).collect()),
            left: AtomicUsize::new(texts.len()),
            texts,
            reply: Mutex::new(Some(reply)),
        };
        (Arc::new(request), answer)
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_left(&self) -> bool {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// Says where its time went.
    pub fn spend(&self, spent: Spent) {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) = spent;
    }

    fn answer(&self, index: usize, outcome: Outcome) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place @ None) = outcomes.get_mut(index) else { return };
        *place = Some(outcome);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let all = outcomes.iter_mut().filter_map(Option::take).collect();
            let spent = *self.spent.lock().unwrap_or_else(PoisonError::into_inner);
            self.send(together(all).map(|answers| (answers, spent)));
        }
    }

    fn send(&self, reply: Reply) {
        let sender = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody waits any more where the caller left.
        sender.map(|sender| sender.send(reply).ok());
    }
}

/// One text of a request.
pub struct Ticket {
    pub request: Arc<Request>,
    index: usize,
}

impl Ticket {
    /// One for each text.
    pub fn all(request: &Arc<Request>) -> impl Iterator<Item = Self> {
        let request = Arc::clone(request);
        (0..request.texts.len()).map(move |index| Self { request: Arc::clone(&request), index })
    }

    pub fn text(&self) -> Option<&Text> {
        self.request.texts.get(self.index)
    }

    pub fn answer(&self, outcome: Outcome) {
        self.request.answer(self.index, outcome);
    }
}
