//! Records of predictions: kept as they are answered, read and deleted by their ids.
//!
//! An id is a promise: where a host keeps records, an answer has one only once its record is kept.
//! A host that can't keep a record still answers.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use trireme_domain::records::{Keeping, Record, Trace};
use trireme_domain::top::top;
use trireme_domain::{Code, Fault};

use crate::Service;
use crate::engine::{Answer, Answers, Text};
use crate::ports::BoxFuture;
use crate::served::{Identity, Served};

/// Where a host keeps records.
pub trait Ledger: Send + Sync {
    /// Seconds since 1970, by the host's calendar.
    fn now(&self) -> f64;

    /// Keeps records; once this resolves they survive the host, or it says why they do not.
    fn keep(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), Fault>>;

    /// The record of this id, if this owner has one.
    fn read<'a>(&'a self, owner: &'a str, id: &'a str) -> BoxFuture<'a, Found>;

    /// Deletes it wherever it is kept; says whether there was one.
    fn forget<'a>(&'a self, owner: &'a str, id: &'a str) -> BoxFuture<'a, Result<bool, Fault>>;

    /// Lets go of what was kept long enough, beside what the store forgets by itself.
    fn sweep(&self) -> BoxFuture<'_, Result<(), Fault>>;
}

/// A record, where there is one.
pub type Found = Result<Option<Record>, Fault>;

/// A record to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Whose it is.
    pub owner: Arc<str>,
    /// What is kept.
    pub record: Record,
}

/// What a host that keeps records brings.
#[derive(Clone)]
pub struct Records {
    /// Where they are kept.
    pub ledger: Arc<dyn Ledger>,
    /// What is kept of texts.
    pub keeping: Keeping,
    /// What texts' digests are made with: without it, nobody can try texts until one fits.
    pub key: Arc<[u8]>,
}

/// What is kept of the texts of a request, before they are handed on.
#[derive(Default)]
pub(crate) struct Seen(Vec<(Trace, Option<Trace>)>);

impl Records {
    fn trace(&self, text: &str) -> Trace {
        // An HMAC takes keys of any length.
        let digest = Hmac::<Sha256>::new_from_slice(&self.key).map_or_else(
            |_| String::new(),
            |mac| {
                let digest = mac.chain_update(text.as_bytes()).finalize().into_bytes();
                digest.iter().map(|byte| format!("{byte:02x}")).collect()
            },
        );
        self.keeping.of(text, digest)
    }
}

impl Service {
    /// A prediction of this owner.
    ///
    /// # Errors
    /// [`Code::PredictionNotFound`], [`Code::UnsupportedHere`], and faults of where it is kept.
    pub async fn prediction(&self, id: &str, owner: &str) -> Result<Record, Fault> {
        self.records()?.ledger.read(owner, id).await?.ok_or_else(no_such_prediction)
    }

    /// Deletes all that is kept of a prediction of this owner.
    ///
    /// # Errors
    /// As [`Self::prediction`].
    pub async fn forget_prediction(&self, id: &str, owner: &str) -> Result<(), Fault> {
        let gone = self.records()?.ledger.forget(owner, id).await?;
        if gone { Ok(()) } else { Err(no_such_prediction()) }
    }

    fn records(&self) -> Result<&Records, Fault> {
        let message = "this host keeps no records of predictions; start one with --predictions";
        self.records.as_ref().ok_or_else(|| Fault::new(Code::UnsupportedHere, message))
    }

    /// What would be kept of these texts.
    pub(crate) fn seen(&self, texts: &[Text]) -> Seen {
        let Some(records) = &self.records else { return Seen::default() };
        let traced = |text: &Text| {
            (records.trace(&text.first), text.second.as_deref().map(|pair| records.trace(pair)))
        };
        Seen(texts.iter().map(traced).collect())
    }

    /// Gives every classified text's answer an id, under which its record is kept where any are.
    pub(crate) async fn named(
        &self,
        served: &Served,
        owner: &Arc<str>,
        Seen(seen): Seen,
        answers: &mut Answers,
    ) {
        for answer in answers.iter_mut().flatten() {
            answer.id = Some(self.entropy.id());
        }
        let Some(records) = &self.records else { return };
        let now = records.ledger.now();
        let entry = |(answer, traces): (&Result<Answer, Fault>, (Trace, Option<Trace>))| {
            let record = record(&served.identity, answer.as_ref().ok()?, traces, now)?;
            Some(Entry { owner: Arc::clone(owner), record })
        };
        let entries: Vec<Entry> = answers.iter().zip(seen).filter_map(entry).collect();
        let count = entries.len() as u64;
        if count > 0 && records.ledger.keep(entries).await.is_err() {
            self.telemetry.unrecorded(count);
            answers.iter_mut().flatten().for_each(|answer| answer.id = None);
        }
    }
}

fn record(
    identity: &Identity,
    answer: &Answer,
    (text, pair): (Trace, Option<Trace>),
    created_at: f64,
) -> Option<Record> {
    let prediction = top(&answer.values)?;
    Some(Record {
        prediction_id: answer.id.clone()?,
        created_at,
        prediction,
        label: identity.labels.get(prediction)?.clone(),
        confidence: *answer.values.get(prediction)?,
        text,
        pair,
        origin: identity.origin.clone(),
    })
}

fn no_such_prediction() -> Fault {
    Fault::new(Code::PredictionNotFound, "there is no such prediction here, or it was forgotten")
}
