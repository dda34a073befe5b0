//! What may be brought, by whom, and what is refused before it is acknowledged.

use trireme_domain::Code;
use trireme_domain::wire::{JobKind, JobRequest};

use super::bench::{Bench, now, request, texts};
use crate::jobs::{Asker, Page};

fn asker(owner: &str, key: Option<&str>) -> Asker {
    Asker { owner: owner.to_owned(), key: key.map(str::to_owned) }
}

#[test]
fn what_is_wrong_is_refused_and_nothing_is_kept() {
    let classes = || request(JobKind::Classify, texts(2));
    let vectors = || request(JobKind::Embed, texts(2));
    let webhook = |url: &str| JobRequest { webhook: Some(url.to_owned()), ..classes() };
    let bench = Bench::new();
    for (case, request, expected) in [
        ("no text", request(JobKind::Classify, vec![]), Code::InvalidRequest),
        ("too many", request(JobKind::Classify, texts(21)), Code::TooManyTexts),
        (
            "no such model",
            JobRequest { model: Some("none".into()), ..classes() },
            Code::ModelNotFound,
        ),
        ("no classes", JobRequest { model: Some("mini".into()), ..classes() }, Code::NoClassifier),
        ("a vector's option", JobRequest { dimensions: Some(8), ..classes() }, Code::InvalidOption),
        (
            "a class's option",
            JobRequest { return_probabilities: Some(true), ..vectors() },
            Code::InvalidOption,
        ),
        ("no token", JobRequest { max_length: Some(0), ..vectors() }, Code::InvalidOption),
        ("another's host", webhook("https://evil.example/"), Code::InvalidOption),
    ] {
        let got = bench.submit(request).map_err(|fault| fault.code);
        assert_eq!(got, Err(expected), "{case}");
    }
    assert!(bench.store.rows.lock().unwrap().is_empty());
    assert!(bench.submit(webhook("https://hooks.example/done")).is_ok());
}

#[test]
fn a_host_without_a_store_says_so() {
    let bench = Bench::new();
    let service = crate::Service { jobs: None, ..bench.service.clone() };
    let fault = now(service.submit_job(request(JobKind::Embed, texts(1)), Asker::default()));
    assert_eq!(fault.unwrap_err().code, Code::UnsupportedHere);
    let fault = now(service.job("id0", "", Page::default()));
    assert_eq!(fault.unwrap_err().code, Code::UnsupportedHere);
}

#[test]
fn the_same_request_under_one_key_is_one_job_and_another_is_a_conflict() {
    let bench = Bench::new();
    let one = || request(JobKind::Classify, texts(2));
    let ada = asker("ada", Some("k"));
    let first = bench.submit_as(one(), &ada).unwrap();
    assert_eq!(bench.submit_as(one(), &ada).unwrap(), first);
    let other = bench.submit_as(request(JobKind::Classify, texts(3)), &ada);
    assert_eq!(other.unwrap_err().code, Code::IdempotencyConflict);
    let bob = bench.submit_as(one(), &asker("bob", Some("k"))).unwrap();
    assert_ne!(bob, first, "another owner's key is another key");
    bench.work_off();
    assert_eq!(bench.submit_as(one(), &ada).unwrap(), first, "also when it is over");
}

#[test]
fn who_has_many_open_jobs_is_told_to_wait_and_others_are_not() {
    let bench = Bench::new();
    let one = || request(JobKind::Classify, texts(1));
    let ada = asker("ada", None);
    for _ in 0..2 {
        bench.submit_as(one(), &ada).unwrap();
    }
    assert_eq!(bench.submit_as(one(), &ada).unwrap_err().code, Code::TooManyJobs);
    assert!(bench.submit_as(one(), &asker("bob", None)).is_ok());
    bench.work_off();
    assert!(bench.submit_as(one(), &ada).is_ok(), "once those are over");
}

#[test]
fn anothers_job_is_as_good_as_none() {
    let bench = Bench::new();
    let id = bench.submit_as(request(JobKind::Embed, texts(1)), &asker("ada", None)).unwrap();
    let read = |owner| now(bench.service.job(&id, owner, Page::default()));
    assert_eq!(read("bob").unwrap_err().code, Code::JobNotFound);
    let cancelled = now(bench.service.cancel_job(&id, "bob"));
    assert_eq!(cancelled.unwrap_err().code, Code::JobNotFound);
    assert_eq!(read("ada").unwrap().status.name(), "processing");
}
