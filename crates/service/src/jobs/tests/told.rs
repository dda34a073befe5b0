//! Somebody is told that a job ended, as often as it takes and no more.

use std::time::Duration;

use trireme_domain::jobs::notice::Retries;
use trireme_domain::wire::{JobKind, JobRequest};

use super::bench::{Bench, now, request, texts};
use crate::store::Sent;

fn told(bench: &Bench) -> String {
    let webhook = Some("https://hooks.example/done".to_owned());
    let request = JobRequest { webhook, ..request(JobKind::Classify, texts(1)) };
    bench.submit(request).unwrap()
}

#[test]
fn whoever_wants_to_know_is_told_of_every_end() {
    let bench = Bench::new();
    let done = told(&bench);
    bench.work_off();
    let cancelled = told(&bench);
    now(bench.service.cancel_job(&cancelled, "")).unwrap();
    let silent = bench.submit(request(JobKind::Classify, texts(1))).unwrap();
    bench.work_off();
    let notices = bench.store.notices.lock().unwrap();
    let bodies: Vec<&str> = notices.iter().map(|(notice, _)| notice.body.as_str()).collect();
    let body = |status: &str, id: &str| {
        format!(r#"{{"type":"job.{status}","data":{{"job_id":"{id}","status":"{status}"}}}}"#)
    };
    assert_eq!(bodies, [body("completed", &done), body("cancelled", &cancelled)]);
    assert!(!bodies.concat().contains(&silent));
}

#[test]
fn a_notice_that_nobody_takes_is_laid_aside_at_last() {
    let mut bench = Bench::new();
    let retries = Retries { most: 3, first: Duration::from_secs(2), ..Retries::default() };
    bench.service.jobs.as_mut().unwrap().retries = retries;
    told(&bench);
    bench.work_off();
    let mut sent = Vec::new();
    while let Some(notice) = now(bench.service.take_notice()).unwrap() {
        sent.push(now(bench.service.settle_notice(&notice, false)).unwrap());
    }
    let again = |seconds| Sent::Again(Duration::from_secs(seconds));
    assert_eq!(sent, [again(2), again(4), Sent::Dead]);
    told(&bench);
    bench.work_off();
    let notice = now(bench.service.take_notice()).unwrap().unwrap();
    assert_eq!(now(bench.service.settle_notice(&notice, true)), Ok(Sent::Delivered));
    assert_eq!(now(bench.service.take_notice()), Ok(None));
}
