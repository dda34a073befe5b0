//! Tables in an object store: the same answers as from files, and the same care.

use std::process::Child;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use trireme_tests::{objects, repo_root};

use super::*;

/// A program that answers as S3 does, with a bucket called `shop`, for all tests here.
struct Store {
    _process: Process,
    url: String,
}

impl Store {
    fn shared() -> &'static Self {
        static SHARED: LazyLock<Store> = LazyLock::new(|| {
            let mut serve = Command::new(objects().join("bin/python"));
            serve.arg(repo_root().join("tests/objects/serve.py")).stderr(Stdio::null());
            let started = Process::start(&mut serve);
            let (process, url) = started.expect("no S3 is here; run `cargo xtask setup`");
            Store { _process: process, url }
        });
        &SHARED
    }

    /// It believes whoever names anybody; what is written there is not everyone's to read.
    const NAMED: (&str, &str) =
        ("authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/s3/aws4_request");

    /// What is in an object, if it is there.
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let address = format!("{}/shop/{key}", self.url);
        let mut answer = ureq::get(address).header(Self::NAMED.0, Self::NAMED.1).call().ok()?;
        Some(answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap())
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        let put = ureq::put(format!("{}/shop/{key}", self.url));
        put.header(Self::NAMED.0, Self::NAMED.1).send(bytes).unwrap();
    }
}

/// The command, as one who may use the store would call it, in a folder of its own.
fn batch(work: &Path, args: &[&str]) -> Command {
    let mut command = trireme(&[&["batch"], args, &["--work", text(work)]].concat());
    let variables = [
        ("AWS_ENDPOINT", Store::shared().url.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "planted"),
        ("AWS_SECRET_ACCESS_KEY", "planted"),
    ];
    command.envs(variables);
    command
}

/// Exit code, and all that it said, in which there is no secret.
fn ran(command: &mut Command) -> (i32, String) {
    let done = command.output().unwrap();
    let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    assert!(!said.contains("planted"), "{said}");
    (done.status.code().unwrap_or(-1), said)
}

fn succeeds(work: &Path, args: &[&str]) -> String {
    let (code, said) = ran(&mut batch(work, args));
    assert_eq!(code, 0, "{args:?}: {said}");
    said
}

fn table(rows: usize) -> String {
    let line = |row: usize| match row % 11 {
        5 => format!("{{\"id\":{row},\"text\":\"\"}}\n"),
        _ => format!("{{\"id\":{row},\"text\":\"text {row} of a harbour\"}}\n"),
    };
    (0..rows).map(line).collect()
}

#[test]
fn a_table_in_a_bucket_is_answered_as_a_file_is_and_once() {
    let (store, folder, work) =
        (Store::shared(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let input = table(300);
    let (from, to) = (file(&folder, "in.jsonl", input.as_bytes()), folder.path().join("out.csv"));
    store.put("a/in.jsonl", input.as_bytes());
    let model = tiny("bert-classify");
    out(&["batch", text(&from), text(&to), "-m", &model]);
    let args = ["s3://shop/a/in.jsonl", "s3://shop/a/out.csv", "-m", &model];
    let said = succeeds(work.path(), &args);
    assert!(
        said.contains("s3://shop/a/out.csv: 300 rows")
            && said.contains("s3://shop/a/out.csv.rejected.jsonl"),
        "{said}"
    );
    for name in ["out.csv", "out.csv.rejected.jsonl"] {
        let (got, expected) = (store.get(&format!("a/{name}")), fs::read(folder.path().join(name)));
        assert!(got == Some(expected.unwrap()), "{name} is not what was written as a file");
    }
    let left = fs::read_dir(work.path()).unwrap().count();
    assert_eq!(left, 0, "nothing is left on this machine");
    let said = succeeds(work.path(), &args);
    assert!(said.contains("is done already"), "{said}");
    let (code, said) = ran(&mut batch(work.path(), &[&args[..], &["--prefix", "new_"]].concat()));
    assert!(code == 2 && said.contains("--restart begins anew"), "{code}: {said}");
    succeeds(work.path(), &[&args[..], &["--prefix", "new_", "--restart"]].concat());
    let head = String::from_utf8(store.get("a/out.csv").unwrap()).unwrap();
    assert!(head.starts_with("id,text,new_prediction"), "{}", &head[..60]);
    // A file may become an object, and an object a file.
    let back = folder.path().join("back.jsonl");
    succeeds(work.path(), &["s3://shop/a/in.jsonl", text(&back), "-m", &model]);
    succeeds(work.path(), &[text(&from), "s3://shop/a/sent.jsonl", "-m", &model]);
    assert!(store.get("a/sent.jsonl") == Some(fs::read(back).unwrap()), "the same bytes");
}

#[test]
fn a_large_table_comes_and_goes_in_pieces() {
    let (store, folder, work) =
        (Store::shared(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let carried = "x".repeat(20_000);
    let line =
        |row: usize| format!("{{\"id\":{row},\"text\":\"a harbour\",\"more\":\"{carried}\"}}\n");
    let input: String = (0..1500).map(line).collect();
    let (from, to) = (file(&folder, "in.jsonl", input.as_bytes()), folder.path().join("out.jsonl"));
    let model = tiny("bert-classify");
    out(&["batch", text(&from), text(&to), "-m", &model]);
    store.put("large/in.jsonl", input.as_bytes());
    succeeds(work.path(), &["s3://shop/large/in.jsonl", "s3://shop/large/out.jsonl", "-m", &model]);
    let (got, expected) = (store.get("large/out.jsonl").unwrap(), fs::read(to).unwrap());
    assert_eq!(got.len(), expected.len(), "more than the ten megabytes that go in one piece");
    assert!(got == expected, "the bytes differ");
}

#[test]
fn shards_in_a_bucket_become_one_there() {
    let (store, work) = (Store::shared(), tempfile::tempdir().unwrap());
    store.put("b/in.jsonl", table(100).as_bytes());
    let model = tiny("bert-classify");
    let args = |to| ["s3://shop/b/in.jsonl", to, "-m", &model];
    succeeds(work.path(), &args("s3://shop/b/whole.jsonl"));
    for shard in ["0/3", "1/3", "2/3"] {
        succeeds(work.path(), &[&args("s3://shop/b/out.jsonl")[..], &["--shard", shard]].concat());
    }
    let shards = [0, 1, 2].map(|at| format!("s3://shop/b/out.{at}-of-3.jsonl"));
    let mut merge = vec!["merge", "s3://shop/b/out.jsonl"];
    merge.extend(shards.iter().map(String::as_str));
    let (code, said) = ran(&mut batch(work.path(), &merge[..merge.len() - 1]));
    assert!(code == 2 && said.contains("2/3"), "{code}: {said}");
    succeeds(work.path(), &merge);
    for name in ["", ".rejected.jsonl"] {
        let [whole, out] = ["whole", "out"].map(|of| store.get(&format!("b/{of}.jsonl{name}")));
        assert!(whole.is_some() && whole == out, "{name:?}");
    }
}

#[test]
fn shards_on_one_machine_do_not_get_in_each_others_way() {
    let (store, work) = (Store::shared(), tempfile::tempdir().unwrap());
    store.put("e/in.jsonl", table(400).as_bytes());
    let model = tiny("bert-classify");
    let run = |shard: &'static str| {
        let (work, model) = (work.path().to_owned(), model.clone());
        std::thread::spawn(move || {
            let tables = ["s3://shop/e/in.jsonl", "s3://shop/e/out.jsonl"];
            succeeds(&work, &[&tables[..], &["-m", &model, "--shard", shard]].concat());
        })
    };
    for running in ["0/2", "1/2"].map(run) {
        running.join().unwrap();
    }
    let rows = |at: usize| store.get(&format!("e/out.{at}-of-2.jsonl")).unwrap();
    let answered = [rows(0), rows(1)].concat().iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(answered, 364, "every eleventh of four hundred rows has no text");
}

#[test]
fn a_delivery_that_was_cut_short_is_made_again() {
    let (store, work) = (Store::shared(), tempfile::tempdir().unwrap());
    store.put("f/in.jsonl", table(50).as_bytes());
    let model = tiny("bert-classify");
    let args = ["s3://shop/f/in.jsonl", "s3://shop/f/out.jsonl", "-m", &model];
    succeeds(work.path(), &args);
    let whole = store.get("f/out.jsonl").unwrap();
    let key = "f/out.jsonl.manifest.json";
    let mut record: Value = serde_json::from_slice(&store.get(key).unwrap()).unwrap();
    // As a run leaves it that is killed between its output and its record, on a machine that is gone.
    record["output"] = Value::Null;
    store.put(key, record.to_string().as_bytes());
    store.put("f/out.jsonl", b"half");
    succeeds(work.path(), &args);
    assert!(store.get("f/out.jsonl").unwrap() == whole, "the same bytes");
    let record: Value = serde_json::from_slice(&store.get(key).unwrap()).unwrap();
    assert!(record["output"].is_object(), "{record}");
}

/// Parts that are recorded in whichever folder a run works in.
fn parts(work: &Path) -> usize {
    let folders = fs::read_dir(work).unwrap().map(|entry| entry.unwrap().path());
    let manifests = folders.map(|folder| folder.join("out.jsonl.parts/manifest.json"));
    let read = |path: PathBuf| serde_json::from_slice::<Value>(&fs::read(path).ok()?).ok();
    manifests.filter_map(read).map(|manifest| manifest["parts"].as_array().unwrap().len()).sum()
}

/// Waits until so many parts are recorded, or all is done.
fn until_parts(child: &mut Child, work: &Path, count: usize) {
    let begun = Instant::now();
    while parts(work) < count {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "part {count} was never recorded");
        std::thread::yield_now();
    }
}

#[test]
fn a_run_that_is_killed_goes_on_where_it_was() {
    let (store, work) = (Store::shared(), tempfile::tempdir().unwrap());
    store.put("c/in.jsonl", table(3000).as_bytes());
    let model = tiny("bert-classify");
    let args = ["s3://shop/c/in.jsonl", "s3://shop/c/out.jsonl", "-m", &model, "--part-rows", "50"];
    let mut interrupted = false;
    for round in 0..10 {
        let again = if round == 0 { &[][..] } else { &["--restart"] };
        let mut command = batch(work.path(), &[&args[..], again].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until_parts(&mut child, work.path(), 2);
        interrupted = child.try_wait().unwrap().is_none();
        let _ended = child.kill();
        child.wait().unwrap();
        if interrupted && parts(work.path()) > 0 {
            break;
        }
    }
    assert!(interrupted, "ten runs were done before they could be killed");
    let said = succeeds(work.path(), &args);
    assert!(said.contains("rows are done already"), "{said}");
    let whole = ["s3://shop/c/in.jsonl", "s3://shop/c/whole.jsonl", "-m", &model];
    succeeds(work.path(), &whole);
    let [out, whole] = ["c/out.jsonl", "c/whole.jsonl"].map(|key| store.get(key).unwrap());
    assert!(out == whole, "the same bytes");
}

#[test]
fn what_can_t_be_had_or_left_there_is_said_by_its_code() {
    let (store, work) = (Store::shared(), tempfile::tempdir().unwrap());
    store.put("d/in.jsonl", table(3).as_bytes());
    let model = tiny("bert-classify");
    for (from, to, code, said) in [
        ("s3://shop/d/nothing.jsonl", "s3://shop/d/out.jsonl", 2, "[unreadable]"),
        ("s3://shop/d/in.jsonl", "s3://nowhere/out.jsonl", 4, "[source_unavailable]"),
        ("s3://shop/", "s3://shop/d/out.jsonl", 2, "[invalid_request]"),
        ("s3://shop/d/in.txt", "s3://shop/d/out.jsonl", 2, "[unreadable]"),
    ] {
        let (got, message) = ran(&mut batch(work.path(), &[from, to, "-m", &model]));
        assert!(got == code && message.contains(said), "{from} {to}: {got}: {message}");
    }
    let mut astray =
        batch(work.path(), &["s3://shop/d/in.jsonl", "s3://shop/d/out.jsonl", "-m", &model]);
    let (code, said) = ran(astray.env("AWS_ENDPOINT", "http://127.0.0.1:1"));
    assert!(code == 4 && said.contains("[source_unavailable]"), "{code}: {said}");
}
