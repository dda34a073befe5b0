//! Servers that are killed, and what they had acknowledged.

use trireme_tests::Postgres;

use super::*;
use crate::chance::{Chance, kills};

/// A job that was sent, and its name once that was heard.
struct Sent {
    key: String,
    texts: Vec<String>,
    id: Option<String>,
}

impl Sent {
    /// Sends it, again or for the first time.
    fn send(&mut self, server: &Server) {
        let key = [("idempotency-key", self.key.as_str())];
        let body = json!({"texts": self.texts});
        if let Some(reply) = server.try_post("/async-sentiment", &key, &body) {
            let id = accepted(&reply);
            assert!(
                self.id.is_none() || self.id.as_ref() == Some(&id),
                "{} has two names",
                self.key
            );
            self.id = Some(id);
        }
    }
}

/// Servers on one place, one after another, each killed at some moment; then all that was sent is
/// reconciled. What came of it.
fn are_killed(place: [&str; 2]) -> String {
    let (kills, mut chance) = (kills(6), Chance::of(7));
    let serve = || {
        let more = ["--job-lease", "1", "--max-jobs", "100000"];
        Server::start(&[&place[..], &more].concat())
    };
    let mut ledger: Vec<Sent> = Vec::new();
    for round in 0..kills {
        let server = serve();
        ledger.iter_mut().filter(|sent| sent.id.is_none()).for_each(|sent| sent.send(&server));
        for at in 0..1 + chance.below(2) {
            let key = format!("r{round}j{at}");
            let count = 1 + chance.below(150) as usize;
            let texts = texts(&key, count);
            ledger.push(Sent { key, texts, id: None });
        }
        // One more is on its way as the server is killed, and may be heard or not.
        let (last, others) = ledger.split_last_mut().unwrap();
        others.iter_mut().filter(|sent| sent.id.is_none()).for_each(|sent| sent.send(&server));
        let moment = chance.below(40);
        std::thread::scope(|scope| {
            scope.spawn(|| last.send(&server));
            for _ in 0..moment {
                server.get("/health");
            }
            server.signal("KILL");
        });
    }
    let server = serve();
    for sent in &mut ledger {
        sent.send(&server);
        let id = sent.id.clone().unwrap();
        until_over(&server, &id);
        holds(&server, &id, &sent.texts);
    }
    let metrics = server.get("/metrics").body;
    let count = format!("trireme_jobs{{status=\"completed\"}} {}\n", ledger.len());
    assert!(metrics.contains(&count), "expected {count}, got {metrics}");
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
    let said = out(&["state", "check", place[0], place[1]]);
    assert!(said.contains("sound"), "{said}");
    let texts: usize = ledger.iter().map(|sent| sent.texts.len()).sum();
    format!("{kills} kills, {}: {} jobs of {texts} texts are whole", place[0], ledger.len())
}

#[test]
fn killed_at_any_moment_servers_on_a_file_do_every_job_to_the_row() {
    let folder = tempfile::tempdir().unwrap();
    println!("{}", are_killed(["--state", text(folder.path())]));
}

#[test]
fn killed_at_any_moment_servers_on_a_database_do_every_job_to_the_row() {
    println!("{}", are_killed(["--database-url", &Postgres::shared().database()]));
}

#[test]
fn a_server_that_is_asked_to_end_hands_its_jobs_back() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--state", text(folder.path()), "--job-lease", "3600"];
    let server = Server::start(&args);
    let all = texts("long", 3000);
    let id = bring(&server, &all);
    until_under_way(&server, &id);
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    // Nobody waits for an hour here.
    let server = Server::start(&args);
    assert_eq!(until_over(&server, &id)["status"], "completed");
    holds(&server, &id, &all);
}
