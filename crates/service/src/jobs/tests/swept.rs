//! What was kept long enough ends, or is forgotten; nothing that fails holds up the rest.

use std::sync::Arc;
use std::time::Duration;

use trireme_domain::Code;
use trireme_domain::jobs::Status;
use trireme_domain::records::Keeping;
use trireme_domain::wire::{JobKind, JobRequest};

use super::bench::{Bench, now, request, texts};
use crate::doubles::Shelf;
use crate::jobs::Worked;
use crate::records::Records;
use crate::store::StoreError;

const MINUTE: Duration = Duration::from_secs(60);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a sweep says of late jobs, of jobs, of predictions, and of a log where there is one.
fn swept(bench: &Bench) -> Vec<Result<u64, Code>> {
    let swept = now(bench.service.sweep());
    swept.into_iter().map(|(_, count)| count.map_err(|fault| fault.code)).collect()
}

#[test]
fn a_job_that_is_not_done_in_time_has_failed_and_keeps_what_it_has() {
    let bench = Bench::new();
    *bench.rule.takes.lock().unwrap() = MINUTE;
    let webhook = Some("https://hooks.example/done".to_owned());
    let request = JobRequest { webhook, ..request(JobKind::Classify, texts(15)) };
    let id = bench.submit(request).unwrap();
    assert_eq!(bench.work(), Ok(Some(Worked::HandedBack)));
    let held = now(bench.service.take_job()).unwrap().unwrap();
    assert_eq!(swept(&bench), [Ok(0), Ok(0), Ok(0)], "it still has time");
    bench.clock.pass(DAY);
    assert_eq!(swept(&bench), [Ok(1), Ok(0), Ok(0)], "whoever holds it");
    assert_eq!(swept(&bench), [Ok(0), Ok(0), Ok(0)], "once");
    let job = bench.job(&id);
    assert_eq!((job.status, job.done), (Status::Failed, 6));
    let error = job.error.unwrap();
    let told = (error.code, error.message.as_str());
    assert_eq!(told, (Code::JobFailed, "it was not done within 24 hours"));
    assert_eq!(bench.results(&id).len(), 6, "what there is can be read");
    assert_eq!(now(bench.service.work_on(held)), Ok(Worked::Lost));
    assert_eq!(bench.work(), Ok(None), "it is not taken up again");
    let notices = bench.store.notices.lock().unwrap();
    let bodies: Vec<&str> = notices.iter().map(|(notice, _)| notice.body.as_str()).collect();
    let data = format!(r#"{{"job_id":"{id}","status":"failed"}}"#);
    assert_eq!(bodies, [format!(r#"{{"type":"job.failed","data":{data}}}"#)]);
}

#[test]
fn however_many_jobs_are_late_all_of_them_end() {
    let mut bench = Bench::new();
    bench.service.jobs.as_mut().unwrap().rules.open = 1000;
    for _ in 0..250 {
        bench.submit(request(JobKind::Classify, texts(1))).unwrap();
    }
    bench.clock.pass(DAY);
    assert_eq!(swept(&bench)[0], Ok(250));
    assert_eq!(bench.work(), Ok(None));
}

#[test]
fn what_fails_in_one_place_is_done_in_the_others() {
    let (away, stuck) = (Err(Code::StoreUnavailable), Err(Code::Unwritable));
    for broken in 0..3 {
        let mut bench = Bench::new();
        let (ledger, key) = (Arc::new(Shelf::stuck()), b"key".to_vec().into());
        bench.service.records = Some(Records { ledger, keeping: Keeping::Trace, key });
        let mut expected = [Ok(0), Ok(10), Ok(10), stuck];
        expected[broken] = away;
        for (kind, stale) in bench.store.stale.iter().enumerate() {
            let lost = || Err(StoreError::Unreachable { reason: "as it was told".to_owned() });
            let first = if broken == kind + 1 { lost() } else { Ok(7) };
            stale.lock().unwrap().extend([first, Ok(3)]);
        }
        if broken == 0 {
            *bench.store.left.lock().unwrap() = Some(0);
        }
        assert_eq!(swept(&bench), expected, "the first thing that fails is number {broken}");
    }
}

#[test]
fn a_host_that_keeps_nothing_has_nothing_to_forget() {
    let bench = Bench::new();
    let service = crate::Service { jobs: None, ..bench.service.clone() };
    assert!(now(service.sweep()).is_empty());
}
