//! Runs that are killed at any moment.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant};

use super::*;
use crate::chance::{Chance, kills};

/// What does not come true in this time does not come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// A table of short texts, every eleventh row of which gets no answer.
fn table(folder: &tempfile::TempDir, rows: u64) -> PathBuf {
    let line = |id: u64| match id % 11 {
        5 => format!("{{\"id\":{id},\"text\":\"\"}}\n"),
        _ => format!("{{\"id\":{id},\"text\":\"text {id} of a harbour\"}}\n"),
    };
    file(folder, "in.jsonl", (0..rows).map(line).collect::<String>().as_bytes())
}

/// How many parts a run has recorded.
fn parts(to: &Path) -> usize {
    let path = PathBuf::from(format!("{}.parts/manifest.json", to.display()));
    let manifest =
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    manifest.map_or(0, |manifest| manifest["parts"].as_array().unwrap().len())
}

/// Waits until so many parts are recorded, and a moment more; says whether the run still goes on.
fn until_parts(child: &mut Child, to: &Path, count: usize, moment: u64) -> bool {
    let begun = Instant::now();
    while parts(to) < count {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(begun.elapsed() < PATIENCE, "part {count} was never recorded");
        std::thread::yield_now();
    }
    for _ in 0..moment {
        std::thread::yield_now();
    }
    child.try_wait().unwrap().is_none()
}

/// Kills a run until it was caught at work so often. One that was done before is begun anew.
fn kill_at_random(args: &[&str], to: &Path, kills: u64, random: &mut Chance) {
    let (mut caught, mut tries) = (0, 0);
    while caught < kills {
        tries += 1;
        assert!(tries <= 20 * kills, "{} was caught {caught} times only", to.display());
        let mut child = trireme(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let goal = parts(to) + random.below(3) as usize;
        // Just when a part is recorded, or a while later: while it starts, computes or joins.
        let moment = random.below(2) * random.below(20_000);
        let at_work = until_parts(&mut child, to, goal, moment);
        // On Unix this is SIGKILL: nothing is put in order.
        let _ended = child.kill();
        child.wait().unwrap();
        caught += u64::from(at_work);
        if !at_work && caught < kills {
            fs::remove_file(to).unwrap();
        }
    }
}

#[test]
fn killed_at_any_moment_no_row_is_lost_and_none_is_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let kills = kills(6);
    let count = 2000 + 300 * kills;
    let table = table(&folder, count);
    let model = tiny("bert-classify");
    let whole = folder.path().join("whole.jsonl");
    out(&["batch", text(&table), text(&whole), "-m", &model]);
    for format in ["jsonl", "csv", "parquet"] {
        let to = folder.path().join(format!("out.{format}"));
        let mut random = Chance::of(0x5eed + format.len() as u64);
        let args = ["batch", text(&table), text(&to), "-m", &model, "--part-rows", "100"];
        kill_at_random(&args, &to, kills.div_ceil(3), &mut random);
        println!("{format}: {count} rows, killed {} times", kills.div_ceil(3));
        let done = json(&[&args[..], &["--json"]].concat());
        assert_eq!(done["rows"], count, "{format}: {done}");
        reconcile(&to, count);
        let (got, expected) = (rows(&to), rows(&whole));
        for (got, expected) in got.iter().zip(&expected) {
            assert_eq!(got["label"], expected["label"], "{format}: {got:?}");
            let [got, expected] = [got, expected].map(|row| single(&row["confidence"]));
            assert_eq!(got, expected, "{format}");
        }
        assert_eq!(parts(&to), 0, "{format}: {:?}", names(folder.path()));
    }
    let [whole, again] = ["whole.jsonl", "out.jsonl"].map(|name| folder.path().join(name));
    assert_eq!(fs::read(whole).unwrap(), fs::read(again).unwrap(), "the same bytes");
}

/// Every row of the input is in one of the two files, once, in order.
fn reconcile(to: &Path, count: u64) {
    let mut ledger: BTreeMap<u64, usize> = (0..count).map(|id| (id, 0)).collect();
    let answered: Vec<u64> =
        rows(to).iter().map(|row| said(&row["id"]).as_u64().unwrap()).collect();
    let side = PathBuf::from(format!("{}.rejected.jsonl", to.display()));
    let rejected: Vec<u64> =
        rows(&side).iter().map(|row| row["row"].as_u64().unwrap() - 1).collect();
    for ids in [&answered, &rejected] {
        assert!(ids.is_sorted(), "{}: rows are out of order", to.display());
    }
    for id in answered.iter().chain(&rejected) {
        *ledger.get_mut(id).unwrap_or_else(|| panic!("there is no row {id}")) += 1;
    }
    let wrong: Vec<_> = ledger.iter().filter(|(_, times)| **times != 1).collect();
    assert!(wrong.is_empty(), "{}: rows and how often they are there: {wrong:?}", to.display());
    assert!(rejected.iter().all(|id| id % 11 == 5), "{rejected:?}");
}

#[test]
fn a_run_goes_on_where_it_was_and_one_that_is_done_stays_done() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder, 3000);
    let to = folder.path().join("out.jsonl");
    let model = tiny("bert-classify");
    let args = ["batch", text(&table), text(&to), "-m", &model, "--part-rows", "50"];
    let mut child = trireme(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let at_work = until_parts(&mut child, &to, 2, 0);
    let _ended = child.kill();
    child.wait().unwrap();
    assert!(at_work, "the run was over before it was killed");
    let done = run(&args);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && error.contains("rows are done already"), "{error}");
    reconcile(&to, 3000);
    let before = fs::metadata(&to).unwrap().modified().unwrap();
    let done = run(&args);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && error.contains("out.jsonl is done already"), "{error}");
    assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), before, "it was written again");
    let left = ["in.jsonl", "out.jsonl", "out.jsonl.manifest.json", "out.jsonl.rejected.jsonl"];
    assert_eq!(names(folder.path()), left);
}

#[test]
fn what_a_killed_run_left_half_done_is_swept_away() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder, 20);
    let to = folder.path().join("out.jsonl");
    let parts = folder.path().join("out.jsonl.parts");
    fs::create_dir(&parts).unwrap();
    // A part that was renamed and not recorded, and one that was not even renamed.
    for name in ["part-000000000000.jsonl", "part-000000000000.jsonl.1-0.tmp"] {
        fs::write(parts.join(name), "{\"id\":").unwrap();
    }
    out(&["batch", text(&table), text(&to)]);
    reconcile(&to, 20);
    assert!(!parts.exists());
}

#[test]
fn two_runs_do_not_write_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder, 5000);
    let to = folder.path().join("out.jsonl");
    let args = ["batch", text(&table), text(&to), "--part-rows", "50"];
    let mut child = trireme(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(until_parts(&mut child, &to, 1, 0), "the first run was over at once");
    let (code, error) = fault(&args);
    let _ended = child.kill();
    child.wait().unwrap();
    assert_eq!(code, 5, "{error}");
    assert!(error.contains("another run is at work on"), "{error}");
}
