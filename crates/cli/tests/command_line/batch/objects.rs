//! Tables in an object store: the same answers as from files, and the same care.

use std::process::Child;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use trireme_tests::{objects, repo_root};

use super::*;

/// A bucket, in a program that answers as an object store does.
struct Store {
    /// Its address.
    root: &'static str,
    /// Where it answers.
    url: String,
    /// What a test puts behind a URL to be let in.
    token: String,
    /// What a test says besides.
    header: (&'static str, &'static str),
    /// The variable that says where the program is.
    endpoint: &'static str,
    /// All that the command is told of the program.
    variables: Vec<(&'static str, String)>,
    /// What the command must not repeat.
    secrets: Vec<String>,
}

/// Everyone whose objects are read and written.
fn stores() -> [&'static Store; 3] {
    [amazon(), google(), azure()]
}

/// moto with a bucket for each who speaks to it, and its URL.
fn moto() -> &'static str {
    static MOTO: LazyLock<(Process, String)> = LazyLock::new(|| {
        let mut serve = Command::new(objects().python.join("bin/python"));
        serve.arg(repo_root().join("tests/objects/serve.py")).args(["shop", "stall"]);
        let started = Process::start(serve.stderr(Stdio::null()));
        started.expect("no moto is here; run `cargo xtask setup`")
    });
    &MOTO.1
}

/// moto believes whoever names anybody; what is written there is not everyone's to read.
const NAMED: (&str, &str) =
    ("authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/s3/aws4_request");

fn amazon() -> &'static Store {
    static AMAZON: LazyLock<Store> = LazyLock::new(|| Store {
        root: "s3://shop",
        url: format!("{}/shop", moto()),
        token: String::new(),
        header: NAMED,
        endpoint: "AWS_ENDPOINT",
        variables: vec![
            ("AWS_ENDPOINT", moto().to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "planted".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "planted".to_owned()),
        ],
        secrets: vec!["planted".to_owned()],
    });
    &AMAZON
}

/// Google is asked what S3 is, with a key of its own: moto answers. Of the programs that are made
/// to answer as Google does, none takes an object in pieces.
fn google() -> &'static Store {
    static GOOGLE: LazyLock<Store> = LazyLock::new(|| {
        let mut make = Command::new(objects().python.join("bin/python"));
        make.arg(repo_root().join("tests/objects/account.py")).arg(moto());
        let account = String::from_utf8(make.output().unwrap().stdout).unwrap();
        let known: Value = serde_json::from_str(&account).unwrap();
        let line = known["private_key"].as_str().unwrap().lines().nth(1).unwrap();
        Store {
            root: "gs://stall",
            url: format!("{}/stall", moto()),
            token: String::new(),
            header: NAMED,
            endpoint: "GOOGLE_BASE_URL",
            // The key signs `{"typ":"JWT"…`, which begins like this where it is sent.
            secrets: vec![line.to_owned(), "eyJ0eXAi".to_owned(), "planted".to_owned()],
            variables: vec![("GOOGLE_SERVICE_ACCOUNT_KEY", account)],
        }
    });
    &GOOGLE
}

const AZURE_ACCOUNT: &str = "harbour";

/// In base64, as Azure gives keys out.
const AZURE_KEY: &str = "plantedplantedplantedplantedplanted0";

fn azure() -> &'static Store {
    static AZURITE: LazyLock<(Process, Store)> = LazyLock::new(|| {
        let mut serve = Command::new("node");
        serve.arg(repo_root().join("tests/objects/azurite.mjs")).arg(objects().node_modules);
        serve.env("AZURITE_ACCOUNTS", format!("{AZURE_ACCOUNT}:{AZURE_KEY}"));
        let started = Process::start(&mut serve);
        let (process, url) = started.expect("no Azurite is here; run `cargo xtask setup`");
        let (url, token) = url.split_once('?').unwrap();
        let (_, signature) = token.split_once("sig=").unwrap();
        let store = Store {
            root: "az://shop",
            url: format!("{url}/shop"),
            token: format!("?{token}"),
            header: ("x-ms-blob-type", "BlockBlob"),
            endpoint: "AZURE_STORAGE_ENDPOINT",
            variables: vec![
                ("AZURE_STORAGE_ENDPOINT", url.to_owned()),
                ("AZURE_ALLOW_HTTP", "true".to_owned()),
                ("AZURE_STORAGE_ACCOUNT_NAME", AZURE_ACCOUNT.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY.to_owned()),
            ],
            secrets: vec!["planted".to_owned(), signature[..20].to_owned()],
        };
        (process, store)
    });
    &AZURITE.1
}

impl Store {
    /// The address of an object.
    fn at(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }

    /// What is in an object, if it is there.
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let get = ureq::get(format!("{}/{key}{}", self.url, self.token));
        let mut answer = get.header(self.header.0, self.header.1).call().ok()?;
        Some(answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap())
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        let put = ureq::put(format!("{}/{key}{}", self.url, self.token));
        put.header(self.header.0, self.header.1).send(bytes).unwrap();
    }

    /// The command, as one who may use the store would call it, in a folder of its own.
    fn batch(&self, work: &Path, args: &[&str]) -> Command {
        let mut command = trireme(&[&["batch"], args, &["--work", text(work)]].concat());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Exit code, and all that it said, in which there is no secret.
    fn ran(&self, command: &mut Command) -> (i32, String) {
        let done = command.output().unwrap();
        let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        for secret in &self.secrets {
            assert!(!said.contains(secret), "{said}");
        }
        (done.status.code().unwrap_or(-1), said)
    }

    fn succeeds(&self, work: &Path, args: &[&str]) -> String {
        let (code, said) = self.ran(&mut self.batch(work, args));
        assert_eq!(code, 0, "{args:?}: {said}");
        said
    }
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
    let folder = tempfile::tempdir().unwrap();
    let input = table(300);
    let (from, to) = (file(&folder, "in.jsonl", input.as_bytes()), folder.path().join("out.csv"));
    let model = tiny("bert-classify");
    out(&["batch", text(&from), text(&to), "-m", &model]);
    for store in stores() {
        let work = tempfile::tempdir().unwrap();
        store.put("a/in.jsonl", input.as_bytes());
        let [read, written] = ["a/in.jsonl", "a/out.csv"].map(|key| store.at(key));
        let args: [&str; 4] = [&read, &written, "-m", &model];
        let said = store.succeeds(work.path(), &args);
        assert!(
            said.contains(&format!("{written}: 300 rows"))
                && said.contains(&format!("{written}.rejected.jsonl")),
            "{said}"
        );
        for name in ["out.csv", "out.csv.rejected.jsonl"] {
            let got = store.get(&format!("a/{name}"));
            let expected = fs::read(folder.path().join(name)).unwrap();
            assert!(got == Some(expected), "{} {name} is not as the file is", store.root);
        }
        let left = fs::read_dir(work.path()).unwrap().count();
        assert_eq!(left, 0, "nothing is left on this machine");
        let said = store.succeeds(work.path(), &args);
        assert!(said.contains("is done already"), "{said}");
        let other = [&args[..], &["--prefix", "new_"]].concat();
        let (code, said) = store.ran(&mut store.batch(work.path(), &other));
        assert!(code == 2 && said.contains("--restart begins anew"), "{code}: {said}");
        store.succeeds(work.path(), &[&other[..], &["--restart"]].concat());
        let head = String::from_utf8(store.get("a/out.csv").unwrap()).unwrap();
        assert!(head.starts_with("id,text,new_prediction"), "{}", &head[..60]);
        // A file may become an object, and an object a file.
        let back = work.path().join("back.jsonl");
        store.succeeds(work.path(), &[&read, text(&back), "-m", &model]);
        let sent = store.at("a/sent.jsonl");
        store.succeeds(work.path(), &[text(&from), &sent, "-m", &model]);
        assert!(store.get("a/sent.jsonl") == Some(fs::read(back).unwrap()), "the same bytes");
    }
}

#[test]
fn a_large_table_comes_and_goes_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let carried = "x".repeat(20_000);
    let line =
        |row: usize| format!("{{\"id\":{row},\"text\":\"a harbour\",\"more\":\"{carried}\"}}\n");
    let input: String = (0..1500).map(line).collect();
    let (from, to) = (file(&folder, "in.jsonl", input.as_bytes()), folder.path().join("out.jsonl"));
    let model = tiny("bert-classify");
    out(&["batch", text(&from), text(&to), "-m", &model]);
    let expected = fs::read(to).unwrap();
    for store in stores() {
        let work = tempfile::tempdir().unwrap();
        store.put("large/in.jsonl", input.as_bytes());
        let [read, written] = ["large/in.jsonl", "large/out.jsonl"].map(|key| store.at(key));
        store.succeeds(work.path(), &[&read, &written, "-m", &model]);
        let got = store.get("large/out.jsonl").unwrap();
        assert_eq!(got.len(), expected.len(), "more than the ten megabytes that go in one piece");
        assert!(got == expected, "the bytes of {written} differ");
    }
}

#[test]
fn shards_in_a_bucket_become_one_there() {
    let model = tiny("bert-classify");
    for store in stores() {
        let work = tempfile::tempdir().unwrap();
        store.put("b/in.jsonl", table(100).as_bytes());
        let [read, whole, merged] =
            ["b/in.jsonl", "b/whole.jsonl", "b/out.jsonl"].map(|key| store.at(key));
        store.succeeds(work.path(), &[&read, &whole, "-m", &model]);
        for shard in ["0/3", "1/3", "2/3"] {
            store.succeeds(work.path(), &[&read, &merged, "-m", &model, "--shard", shard]);
        }
        let shards = [0, 1, 2].map(|at| store.at(&format!("b/out.{at}-of-3.jsonl")));
        let mut merge = vec!["merge", &merged];
        merge.extend(shards.iter().map(String::as_str));
        let (code, said) = store.ran(&mut store.batch(work.path(), &merge[..merge.len() - 1]));
        assert!(code == 2 && said.contains("2/3"), "{code}: {said}");
        store.succeeds(work.path(), &merge);
        for name in ["", ".rejected.jsonl"] {
            let [whole, out] = ["whole", "out"].map(|of| store.get(&format!("b/{of}.jsonl{name}")));
            assert!(whole.is_some() && whole == out, "{merged} {name:?}");
        }
    }
}

#[test]
fn shards_on_one_machine_do_not_get_in_each_others_way() {
    let (store, work) = (amazon(), tempfile::tempdir().unwrap());
    store.put("e/in.jsonl", table(400).as_bytes());
    let model = tiny("bert-classify");
    let run = |shard: &'static str| {
        let (work, model) = (work.path().to_owned(), model.clone());
        std::thread::spawn(move || {
            let tables = ["s3://shop/e/in.jsonl", "s3://shop/e/out.jsonl"];
            store.succeeds(&work, &[&tables[..], &["-m", &model, "--shard", shard]].concat());
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
    let (store, work) = (amazon(), tempfile::tempdir().unwrap());
    store.put("f/in.jsonl", table(50).as_bytes());
    let model = tiny("bert-classify");
    let args = ["s3://shop/f/in.jsonl", "s3://shop/f/out.jsonl", "-m", &model];
    store.succeeds(work.path(), &args);
    let whole = store.get("f/out.jsonl").unwrap();
    let key = "f/out.jsonl.manifest.json";
    let mut record: Value = serde_json::from_slice(&store.get(key).unwrap()).unwrap();
    // As a run leaves it that is killed between its output and its record, on a machine that is gone.
    record["output"] = Value::Null;
    store.put(key, record.to_string().as_bytes());
    store.put("f/out.jsonl", b"half");
    store.succeeds(work.path(), &args);
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
    let (store, work) = (amazon(), tempfile::tempdir().unwrap());
    store.put("c/in.jsonl", table(3000).as_bytes());
    let model = tiny("bert-classify");
    let args = ["s3://shop/c/in.jsonl", "s3://shop/c/out.jsonl", "-m", &model, "--part-rows", "50"];
    let mut interrupted = false;
    for round in 0..10 {
        let again = if round == 0 { &[][..] } else { &["--restart"] };
        let mut command = store.batch(work.path(), &[&args[..], again].concat());
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
    let said = store.succeeds(work.path(), &args);
    assert!(said.contains("rows are done already"), "{said}");
    let whole = ["s3://shop/c/in.jsonl", "s3://shop/c/whole.jsonl", "-m", &model];
    store.succeeds(work.path(), &whole);
    let [out, whole] = ["c/out.jsonl", "c/whole.jsonl"].map(|key| store.get(key).unwrap());
    assert!(out == whole, "the same bytes");
}

#[test]
fn what_can_t_be_had_or_left_there_is_said_by_its_code() {
    let model = tiny("bert-classify");
    for store in stores() {
        let work = tempfile::tempdir().unwrap();
        store.put("d/in.jsonl", table(3).as_bytes());
        let (scheme, _) = store.root.split_once("://").unwrap();
        let (elsewhere, no_key) = (format!("{scheme}://nowhere/out.jsonl"), store.at(""));
        let [there, nothing, other, out] =
            ["d/in.jsonl", "d/nothing.jsonl", "d/in.txt", "d/out.jsonl"].map(|key| store.at(key));
        for (from, to, code, said) in [
            (&nothing, &out, 2, "[unreadable]"),
            (&there, &elsewhere, 4, "[source_unavailable]"),
            (&no_key, &out, 2, "[invalid_request]"),
            (&other, &out, 2, "[unreadable]"),
        ] {
            let (got, message) =
                store.ran(&mut store.batch(work.path(), &[from, to, "-m", &model]));
            assert!(got == code && message.contains(said), "{from} {to}: {got}: {message}");
        }
        let mut astray = store.batch(work.path(), &[&there, &out, "-m", &model]);
        let (code, said) = store.ran(astray.env(store.endpoint, "http://127.0.0.1:1"));
        assert!(code == 4 && said.contains("[source_unavailable]"), "{code}: {said}");
    }
}

#[test]
fn who_may_not_is_refused_and_a_token_in_an_address_is_not_repeated() {
    let (store, work) = (azure(), tempfile::tempdir().unwrap());
    store.put("g/in.jsonl", table(20).as_bytes());
    let model = tiny("bert-classify");
    let [read, written] = ["g/in.jsonl", "g/out.jsonl"].map(|key| store.at(key));
    let args: [&str; 4] = [&read, &written, "-m", &model];
    let mut stranger = store.batch(work.path(), &args);
    stranger.env("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY.replace('0', "1"));
    let (code, said) = store.ran(&mut stranger);
    assert!(code == 4 && said.contains("[source_refused]"), "{code}: {said}");
    let holder = || {
        let mut command = store.batch(work.path(), &args);
        command.env_remove("AZURE_STORAGE_ACCOUNT_KEY");
        command.env("AZURE_STORAGE_SAS_TOKEN", &store.token);
        command
    };
    let (code, said) = store.ran(holder().env(store.endpoint, "http://127.0.0.1:1"));
    assert!(code == 4 && said.contains("[source_unavailable]"), "{code}: {said}");
    let forged = store.token.replace("sig=", "sig=planted");
    let (code, said) = store.ran(holder().env("AZURE_STORAGE_SAS_TOKEN", forged));
    assert!(code == 4 && said.contains("[source_refused]"), "{code}: {said}");
    let (code, said) = store.ran(&mut holder());
    assert!(code == 0 && store.get("g/out.jsonl").is_some(), "{code}: {said}");
}

#[test]
fn settings_that_make_no_sense_are_not_repeated() {
    let work = tempfile::tempdir().unwrap();
    let model = tiny("bert-classify");
    for (store, variable, value) in [
        (amazon(), "AWS_ACCESS_KEY_ID", "planted\n"),
        (amazon(), "AWS_SESSION_TOKEN", "planted\n"),
        (amazon(), "AWS_SESSION_TOKEN", "\u{feff}planted"),
        (google(), "GOOGLE_BEARER_TOKEN", "planted\n"),
        // JSON in JSON, as a template may write it.
        (google(), "GOOGLE_SERVICE_ACCOUNT_KEY", r#""{\"private_key\": \"planted\"}""#),
        (google(), "GOOGLE_SERVICE_ACCOUNT_KEY", r#""planted""#),
        (azure(), "AZURE_STORAGE_ACCOUNT_KEY", "planted"),
        (azure(), "AZURE_STORAGE_ACCOUNT_NAME", "planted\n"),
    ] {
        let [read, written] = ["in.jsonl", "out.jsonl"].map(|key| store.at(key));
        let mut command = store.batch(work.path(), &[&read, &written, "-m", &model]);
        let (code, said) = store.ran(command.env(variable, value));
        assert!(code == 4 && said.contains("[source_misconfigured]"), "{variable}: {code}: {said}");
    }
}
