//! What is told of classes, and what is counted and kept of them.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::FutureExt as _;
use trireme_domain::records::Keeping;
use trireme_domain::rounding::Rounding;
use trireme_domain::wire::{Kind, Origin, Pooling};
use trireme_domain::{Code, Fault};

use crate::asking::{Cutting, scores};
use crate::doubles::{Reader, Shelf};
use crate::engine::{Answer, Answers, Job, Task};
use crate::ports::{BoxFuture, Clock, Compute, Entropy, Telemetry};
use crate::records::{Entry, Records};
use crate::{Identity, Models, Policy, Served, Service, Terms};

/// The same of every text: as a head says it, and with what it was trained for applied.
const RAW: [f32; 2] = [1.25, -0.75];
const SCORES: [f32; 2] = [0.8808, 0.1192];

/// A host that does nothing but count.
#[derive(Default)]
struct Books {
    computed: AtomicUsize,
    counted: AtomicUsize,
    shelf: Arc<Shelf>,
}

impl Compute for Books {
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>> {
        self.computed.fetch_add(job.texts.len(), SeqCst);
        let values = if job.task == Task::CLASSES { SCORES } else { RAW };
        let answer = Answer { values: values.into(), tokens: 3, dropped: 0, id: None };
        Box::pin(ready(Ok(job.texts.iter().map(|_| Ok(answer.clone())).collect())))
    }
}

impl Telemetry for Books {
    fn predicted(&self, _: &Origin, label: &str, confidence: Option<f32>) {
        assert_eq!(label, "good");
        assert!(confidence.is_none_or(|score| (0.0..=1.0).contains(&score)), "{confidence:?}");
        self.counted.fetch_add(1, SeqCst);
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for Still {
    fn id(&self) -> String {
        "1".to_owned()
    }
}

fn served(compute: Arc<Books>) -> Served {
    let origin = Origin {
        model: "moods".into(),
        version: "1".into(),
        digest: "d".into(),
        precision: "f32".into(),
        place: "origin".into(),
    };
    let identity = Identity {
        origin,
        kind: Kind::Classifier,
        architecture: "bert",
        labels: vec!["good".into(), "bad".into()],
        several: false,
        dimensions: 4,
        pooling: Pooling::Mean,
        normalizes: true,
    };
    Served { identity, compute, reader: Arc::new(Reader) }
}

/// The scores of a text, at a host that tells so many digits; with them, the host's books.
fn asked(digits: Option<u8>, raw: bool) -> (Result<Vec<f32>, Code>, Arc<Books>) {
    let books = Arc::<Books>::default();
    let policy = Policy { rounding: Rounding { digits }, ..Policy::default() };
    let ledger = Arc::clone(&books.shelf) as _;
    let records = Records { ledger, keeping: Keeping::Trace, key: Arc::default() };
    let service = Service {
        policy: Arc::new(policy),
        telemetry: Arc::clone(&books) as _,
        records: Some(records),
        ..Service::new(Models::of(served(Arc::clone(&books))), Still, Still)
    };
    let served = service.models.get(None).unwrap();
    let texts = vec!["a fine day".to_owned().into()];
    let cutting = Cutting::new(None, None);
    let answers = scores(&service, &served, texts, raw, cutting, Terms::default()).now_or_never();
    let values = answers.expect("nothing waits").map(|mut answers| answers.remove(0).values);
    (values.map_err(|fault| fault.code), books)
}

#[test]
fn scores_that_are_rounded_are_told_in_no_other_way() {
    for (digits, raw, expected) in [
        (None, false, Ok(SCORES.to_vec())),
        (None, true, Ok(RAW.to_vec())),
        (Some(2), false, Ok(vec![0.88, 0.12])),
        (Some(2), true, Err(Code::InvalidOption)),
    ] {
        let (got, books) = asked(digits, raw);
        assert_eq!(got, expected, "{digits:?} digits, raw: {raw}");
        assert_eq!(books.computed.load(SeqCst) == 1, expected.is_ok(), "refused before it is run");
    }
}

#[test]
fn what_is_classified_is_counted_and_kept_however_it_is_told() {
    for (raw, score) in [(false, SCORES[0]), (true, RAW[0])] {
        let (_, books) = asked(None, raw);
        assert_eq!(books.counted.load(SeqCst), 1, "raw: {raw}");
        let kept = books.shelf.kept.lock().unwrap();
        let kept: Vec<_> = kept.iter().map(|Entry { record, .. }| record).collect();
        assert_eq!(kept.len(), 1, "raw: {raw}");
        assert_eq!((kept[0].label.as_str(), kept[0].confidence), ("good", score));
    }
}
