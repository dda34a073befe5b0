//! What is kept, as a person looks after it, and who may read where.

use trireme_tests::Postgres;

use super::*;

#[test]
fn a_copy_is_made_while_a_server_runs_and_brought_back() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (place, copy) = (text(folder.path()), other.path().join("copy.sqlite"));
    let server = Server::start(&["--state", place]);
    let all = texts("kept", 20);
    let id = bring(&server, &all);
    until_over(&server, &id);
    out(&["state", "backup", text(&copy), "--state", place]);
    let (code, said) = fault(&["state", "backup", text(&copy), "--state", place]);
    assert_eq!(code, 1, "it writes over nothing: {said}");
    drop(server);
    let back = other.path().join("back");
    out(&["state", "restore", text(&copy), "--state", text(&back)]);
    assert!(out(&["state", "check", "--state", text(&back)]).contains("sound"));
    let (code, said) = fault(&["state", "restore", text(&copy), "--state", text(&back)]);
    assert_eq!(code, 1, "nor does this: {said}");
    let server = Server::start(&["--state", text(&back)]);
    holds(&server, &id, &all);
}

#[test]
fn what_was_left_of_another_state_is_not_written_into_a_copy_that_is_brought_back() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (place, copy) = (text(folder.path()), other.path().join("copy.sqlite"));
    drop(Server::start(&["--state", place]));
    out(&["state", "backup", text(&copy), "--state", place]);
    for left in ["state.sqlite-wal", "state.sqlite-shm", "state.sqlite-journal"] {
        let back = other.path().join(left);
        std::fs::create_dir(&back).unwrap();
        std::fs::write(back.join(left), "of another").unwrap();
        let (code, said) = fault(&["state", "restore", text(&copy), "--state", text(&back)]);
        let named = text(&back.join(left)).to_owned();
        assert!(code == 1 && said.contains(&named), "{code}: {said}");
        assert!(!back.join("state.sqlite").exists(), "beside {left}");
        std::fs::remove_file(back.join(left)).unwrap();
        out(&["state", "restore", text(&copy), "--state", text(&back)]);
        assert!(out(&["state", "check", "--state", text(&back)]).contains("sound"));
    }
}

#[test]
fn whoever_looks_at_a_database_lays_nothing_out_and_hears_of_damage() {
    let url = Postgres::shared().database();
    let name = url.split(['/', '?']).nth(3).unwrap();
    let check = ["state", "check", "--database-url", &url];
    for looks in [check, ["state", "notices", "--database-url", &url]] {
        let (code, said) = fault(&looks);
        assert!(code == 1 && said.contains("[invalid_state]"), "{looks:?}: {code}: {said}");
        assert!(said.contains("a server that is started on it"), "{looks:?}: {said}");
    }
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'trireme'";
    assert_eq!(Postgres::shared().sql(name, schemas).unwrap(), "0");
    let server = Server::start(&["--database-url", &url]);
    let id = bring(&server, &texts("kept", 20));
    assert!(out(&check).contains("sound"), "while a server works");
    until_over(&server, &id);
    assert!(out(&check).contains("sound"));
    let lost = format!("DELETE FROM trireme.job_results WHERE job_id = '{id}' AND place = 3");
    Postgres::shared().sql(name, &lost).unwrap();
    let (code, said) = fault(&check);
    assert!(code == 1 && said.contains("[invalid_state]"), "{code}: {said}");
    assert!(said.contains(&format!("job {id}: ")), "{said}");
}

#[test]
fn what_is_no_state_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let place = text(folder.path());
    let (code, said) = fault(&["state", "check", "--state", place]);
    assert!(code == 2 && said.contains("[unreadable]"), "{code}: {said}");
    let (code, said) = fault(&["state", "check"]);
    assert!(code == 2 && said.contains("--state"), "{code}: {said}");
    let both = ["config", "check", "--state", place, "--database-url", "postgresql://h/x"];
    let (code, said) = fault(&both);
    assert!(code == 2 && said.contains("one place"), "{code}: {said}");
    std::fs::write(folder.path().join("state.sqlite"), "nothing of ours ".repeat(500)).unwrap();
    for args in [
        ["state", "check", "--state", place],
        ["state", "notices", "--state", place],
        ["serve", "--port=0", "--state", place],
    ] {
        let (code, said) = fault(&args);
        assert!(code == 1 && said.contains("[invalid_state]"), "{args:?}: {code}: {said}");
    }
}

#[test]
fn no_password_of_a_database_and_no_secret_of_notices_is_shown() {
    let url = "postgresql://me:planted@/shop?host=/nowhere";
    let secret = "planted";
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("database-url = \"{url}\"\nwebhook-secret = \"{secret}\"\n");
    let sound = file(&folder, "sound.toml", lines.as_bytes());
    let broken = file(&folder, "broken.toml", lines.replace("base-url", "base").as_bytes());
    for args in [
        &["config", "show", "--config", text(&sound)][..],
        &["config", "show", "--database-url", url, "--webhook-secret", secret],
        &["config", "check", "--config", text(&broken)],
        &["serve", "--port", "0", "--log", "trace", "--config", text(&sound)],
        &["state", "check", "--database-url", url],
    ] {
        let done = run(args);
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.is_empty() && !said.contains("planted"), "{args:?}: {said}");
    }
    let mut help = trireme(&["serve", "--help"]);
    help.env("TRIREME_DATABASE_URL", url).env("TRIREME_WEBHOOK_SECRET", secret);
    let said = help.output().unwrap().stdout;
    assert!(!String::from_utf8_lossy(&said).contains("planted"));
}
