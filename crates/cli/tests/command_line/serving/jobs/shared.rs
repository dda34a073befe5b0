//! Several servers on one PostgreSQL, one of which is killed, or put to sleep.

use trireme_tests::Postgres;

use super::*;

fn start(url: &str) -> Server {
    Server::start(&["--database-url", url, "--job-workers", "1", "--job-lease", "2"])
}

#[test]
fn whoever_is_killed_or_sleeps_through_its_lease_costs_no_result_and_doubles_none() {
    let url = Postgres::shared().database();
    let (first, second) = (start(&url), start(&url));
    // Each takes one up.
    let all = [texts("one", 1500), texts("two", 1500)];
    let ids = [bring(&first, &all[0]), bring(&second, &all[1])];
    ids.iter().for_each(|id| until_under_way(&second, id));
    drop(first);
    for (id, texts) in ids.iter().zip(&all) {
        assert_eq!(until_over(&second, id)["status"], "completed");
        holds(&second, id, texts);
    }
    // One that sleeps may hold a job when another wakes up.
    let sleeper = second;
    let all = texts("three", 3000);
    let id = bring(&sleeper, &all);
    until_under_way(&sleeper, &id);
    sleeper.signal("STOP");
    let awake = start(&url);
    assert_eq!(until_over(&awake, &id)["status"], "completed");
    sleeper.signal("CONT");
    holds(&sleeper, &id, &all);
    // It goes on with what is nobody else's.
    drop(awake);
    let all = texts("four", 40);
    let id = bring(&sleeper, &all);
    until_over(&sleeper, &id);
    holds(&sleeper, &id, &all);
}

#[test]
fn a_server_outlives_a_lost_connection() {
    let url = Postgres::shared().database();
    let name = url.split(['/', '?']).nth(3).unwrap();
    let server = start(&url);
    let all = texts("five", 2000);
    let id = bring(&server, &all);
    until_under_way(&server, &id);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    Postgres::shared().sql(name, cut).unwrap();
    until("the job is over", || {
        let reply = server.get(&format!("/jobs/{id}?limit=1"));
        // Whoever asks at that moment hears to come again.
        assert!([200, 503].contains(&reply.status), "{}", reply.body);
        (reply.json()["status"] == "completed").then_some(())
    });
    holds(&server, &id, &all);
}
