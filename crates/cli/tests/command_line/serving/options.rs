//! Options by flag, by variable and by file are the same options.

use std::collections::BTreeSet;

use super::keys::Secret;
use super::*;

/// Every option: its name, its variable, a value as it is written in both, and as the file has it.
const OPTIONS: &[(&str, &str, &str, &str)] = &[
    ("model", "TRIREME_MODEL", "owner/name", "\"owner/name\""),
    ("threads", "TRIREME_THREADS", "3", "3"),
    ("device", "TRIREME_DEVICE", "wgpu", "\"wgpu\""),
    ("precision", "TRIREME_PRECISION", "int8", "\"int8\""),
    ("offline", "HF_HUB_OFFLINE", "true", "true"),
    // As secrets are shown; another one would be no value of an option that comes back.
    ("token", "HF_TOKEN", "…", "\"…\""),
    ("endpoint", "HF_ENDPOINT", "https://hub.example", "\"https://hub.example\""),
    ("cache", "TRIREME_CACHE", "/var/cache", "\"/var/cache\""),
    ("name", "TRIREME_NAME", "moods", "\"moods\""),
    ("with", "TRIREME_WITH", "a=one,b=two", "[\"a=one\", \"b=two\"]"),
    ("memory", "TRIREME_MEMORY", "900", "900"),
    ("host", "TRIREME_HOST", "127.0.0.2", "\"127.0.0.2\""),
    ("port", "PORT", "9001", "9001"),
    ("keys", "TRIREME_KEYS", "/etc/keys", "\"/etc/keys\""),
    ("rate", "TRIREME_RATE", "2.5", "2.5"),
    ("burst", "TRIREME_BURST", "40", "40"),
    (
        "origins",
        "TRIREME_ORIGINS",
        "https://a.example,https://b.example",
        "[\"https://a.example\", \"https://b.example\"]",
    ),
    ("forwarded", "TRIREME_FORWARDED", "true", "true"),
    ("timeout", "TRIREME_TIMEOUT", "7", "7"),
    ("queue", "TRIREME_QUEUE", "70", "70"),
    ("max-batch", "TRIREME_MAX_BATCH", "8", "8"),
    ("max-batch-tokens", "TRIREME_MAX_BATCH_TOKENS", "800", "800"),
    ("max-wait", "TRIREME_MAX_WAIT", "3", "3"),
    ("max-texts", "TRIREME_MAX_TEXTS", "12", "12"),
    ("max-text-bytes", "TRIREME_MAX_TEXT_BYTES", "1200", "1200"),
    ("max-body-bytes", "TRIREME_MAX_BODY_BYTES", "12000", "12000"),
    ("connections", "TRIREME_CONNECTIONS", "99", "99"),
    ("patience", "TRIREME_PATIENCE", "5", "5"),
    ("notice", "TRIREME_NOTICE", "6", "6"),
    ("grace", "TRIREME_GRACE", "8", "8"),
    ("remember", "TRIREME_REMEMBER", "16", "16"),
    ("token-ids", "TRIREME_TOKEN_IDS", "true", "true"),
    ("traces", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", "\"http://c:4318\""),
    ("trace-share", "TRIREME_TRACE_SHARE", "0.25", "0.25"),
    ("state", "TRIREME_STATE", "/var/state", "\"/var/state\""),
    (
        "database-url",
        "TRIREME_DATABASE_URL",
        "postgresql://db.example/shop",
        "\"postgresql://db.example/shop\"",
    ),
    ("job-workers", "TRIREME_JOB_WORKERS", "3", "3"),
    ("max-job-texts", "TRIREME_MAX_JOB_TEXTS", "1000", "1000"),
    ("max-job-bytes", "TRIREME_MAX_JOB_BYTES", "100000", "100000"),
    ("max-jobs", "TRIREME_MAX_JOBS", "9", "9"),
    ("keep-jobs", "TRIREME_KEEP_JOBS", "48", "48"),
    ("job-lease", "TRIREME_JOB_LEASE", "20", "20"),
    (
        "webhook-hosts",
        "TRIREME_WEBHOOK_HOSTS",
        "a.example,b.example",
        "[\"a.example\", \"b.example\"]",
    ),
    ("webhook-secret", "TRIREME_WEBHOOK_SECRET", "…", "\"…\""),
    ("predictions", "TRIREME_PREDICTIONS", "true", "true"),
    ("keep-predictions", "TRIREME_KEEP_PREDICTIONS", "7", "7"),
    ("prediction-texts", "TRIREME_PREDICTION_TEXTS", "true", "true"),
    ("prediction-log", "TRIREME_PREDICTION_LOG", "/var/log/p", "\"/var/log/p\""),
    ("prediction-log-mb", "TRIREME_PREDICTION_LOG_MB", "8", "8"),
    ("backups", "TRIREME_BACKUPS", "/var/copies", "\"/var/copies\""),
    ("round", "TRIREME_ROUND", "4", "4"),
    ("strip-markup", "TRIREME_STRIP_MARKUP", "true", "true"),
    ("collapse-space", "TRIREME_COLLAPSE_SPACE", "false", "false"),
    ("refuse-control", "TRIREME_REFUSE_CONTROL", "true", "true"),
    ("max-chars", "TRIREME_MAX_CHARS", "500", "500"),
    ("log", "TRIREME_LOG", "info,hyper=debug", "\"info,hyper=debug\""),
    ("log-format", "TRIREME_LOG_FORMAT", "json", "\"json\""),
];

/// What is not of the server: where the file is, and how the command itself speaks.
const OTHERS: [&str; 4] = ["config", "help", "json", "quiet"];

/// What only a file can say.
const DENY: &str = "[[deny]]\nname = \"cards\"\nregex = '\\d{16}'\n";

/// What `trireme config show` prints, as a table.
fn shown(command: &mut Command) -> toml::Table {
    let done = command.output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {error}");
    String::from_utf8(done.stdout).unwrap().parse().unwrap()
}

/// The command that shows options, whatever variables are set around the tests.
fn show(args: &[&str]) -> Command {
    let mut command = trireme(&[&["config", "show"], args].concat());
    for (_, variable, ..) in OPTIONS {
        command.env_remove(variable);
    }
    command
}

fn in_file(folder: &tempfile::TempDir, content: &str) -> PathBuf {
    file(folder, "trireme.toml", content.as_bytes())
}

/// All options as lines of a file.
fn lines() -> String {
    OPTIONS.iter().map(|(name, _, _, value)| format!("{name} = {value}\n")).collect()
}

#[test]
fn flags_variables_and_files_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let expected: toml::Table = lines().parse().unwrap();
    let flags: Vec<String> =
        OPTIONS.iter().map(|(name, _, value, _)| format!("--{name}={value}")).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let by_variable = || {
        let mut command = show(&[]);
        command.envs(OPTIONS.iter().map(|(_, variable, value, _)| (variable, value)));
        command
    };
    let path = in_file(&folder, &lines());
    let mut named = show(&[]);
    named.env("TRIREME_CONFIG", &path);
    for (way, command) in [
        ("flags", &mut show(&flags)),
        ("variables", &mut by_variable()),
        ("a file", &mut show(&["--config", text(&path)])),
        ("a file that a variable names", &mut named),
    ] {
        let got = shown(command);
        for (name, value) in &expected {
            let got = got.get(name);
            let same = got == Some(value)
                || got.and_then(toml::Value::as_float) == value.as_integer().map(|n| n as f64)
                    && value.is_integer();
            assert!(same, "{name} by {way}: expected {value}, got {got:?}");
        }
        assert_eq!(got.len(), expected.len(), "by {way}: {got}");
    }
}

/// The option that a line of a help begins with.
fn listed(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let long = match line.split_once(", ") {
        Some((short, long)) if short.len() == 2 && short.starts_with('-') => long,
        _ => line,
    };
    long.strip_prefix("--")?.split([' ', '=', '[', '<']).next()
}

/// Together with the test of what flags, variables and files say: nobody can add an option that one
/// of them lacks.
#[test]
fn the_help_knows_no_option_that_this_table_lacks() {
    let help = out(&["serve", "--help"]);
    let names: BTreeSet<&str> = help.lines().filter_map(listed).collect();
    let known: BTreeSet<&str> = OPTIONS.iter().map(|(name, ..)| *name).chain(OTHERS).collect();
    assert_eq!(names, known);
    let variables: BTreeSet<&str> =
        help.split("[env: ").skip(1).filter_map(|part| part.split(['=', ']']).next()).collect();
    let known = OPTIONS.iter().map(|(_, variable, ..)| *variable).chain(["TRIREME_CONFIG"]);
    assert_eq!(variables, known.collect::<BTreeSet<&str>>());
}

#[test]
fn a_line_of_a_help_begins_with_its_option() {
    for (line, expected) in [
        ("  -m, --model <MODEL>", Some("model")),
        ("      --threads <N>", Some("threads")),
        ("      --offline[=<OFFLINE>]  Open no socket", Some("offline")),
        ("      --json", Some("json")),
        ("          Folder, bundle, or hub id", None),
        ("Usage: trireme serve [OPTIONS]", None),
    ] {
        assert_eq!(listed(line), expected, "{line:?}");
    }
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let mut command = show(&[]);
    command.envs(OPTIONS.iter().map(|(_, variable, _, _)| (variable, "")));
    assert_eq!(shown(&mut command), toml::Table::new());
}

#[test]
fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_file(&folder, &lines());
    let cases = [
        ("file", [None, None], "info,hyper=debug"),
        ("variable over file", [None, Some("warn")], "warn"),
        ("flag over file", [Some("error"), None], "error"),
        ("flag over both", [Some("error"), Some("warn")], "error"),
    ];
    trireme_tests::check_cases(cases, |[flag, variable]: [Option<&str>; 2]| {
        let flags: Vec<&str> = flag.into_iter().flat_map(|flag| ["--log", flag]).collect();
        let mut command = show(&[&["--config", text(&path)], &flags[..]].concat());
        command.envs(variable.map(|variable| ("TRIREME_LOG", variable)));
        shown(&mut command)["log"].as_str().unwrap().to_owned()
    });
    let model = shown(show(&["--config", text(&path), "-m", "mine"]).env("TRIREME_MODEL", "yours"));
    assert_eq!(model["model"].as_str(), Some("mine"));
    assert_eq!(model["name"].as_str(), Some("moods"), "what only the file says stays");
    let off = shown(&mut show(&["--config", text(&path), "--strip-markup", "false"]));
    assert_eq!(off["strip-markup"].as_bool(), Some(false), "what the file turns on is turned off");
}

#[test]
fn what_is_shown_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let first = out(&["config", "show", "--config", text(&in_file(&folder, &(lines() + DENY)))]);
    let again = out(&["config", "show", "--config", text(&in_file(&folder, &first))]);
    assert_eq!(again, first);
    let table: toml::Table = first.parse().unwrap();
    assert_eq!(table["deny"][0]["regex"].as_str(), Some(r"\d{16}"));
    assert_eq!(table.len(), OPTIONS.len() + 1, "{first}");
    let nothing = shown(&mut show(&[]));
    assert_eq!(nothing, toml::Table::new(), "what is not said is not shown");
    let secret = "https://me:secret@host.example/model?signature=secret";
    let with = format!("b={secret}");
    let hub = ["--endpoint", secret, "--token", "hf_secret"];
    let args = [&["config", "show", "--model", secret, "--with", &with], &hub[..]].concat();
    let shown = out(&args);
    assert!(!shown.contains("secret") && shown.matches("host.example").count() == 3, "{shown}");
    assert!(shown.contains("token = \"…\""), "{shown}");
    let again = out(&["config", "show", "--config", text(&in_file(&folder, &shown))]);
    assert_eq!(again, shown);
}

#[test]
fn nonsense_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("an unknown key", "modle = 'x'", "modle"),
        ("a key of another spelling", "max_texts = 3", "max_texts"),
        ("a word for a number", "rate = 'much'", "rate"),
        ("a number for a word", "name = 3", "name"),
        ("a fraction of a text", "queue = 1.5", "queue"),
        ("less than nothing", "max-texts = -1", "max-texts"),
        ("one of a list", "with = 'a=b'", "with"),
        ("no such format", "log-format = 'xml'", "xml"),
        ("no address", "host = 'here'", "host"),
        ("no port", "port = 70000", "port"),
        ("no pattern", "[[deny]]\nname = 'cards'\nregex = '('", "regex"),
        ("no name of a pattern", "[[deny]]\nregex = 'x'", "name"),
        ("twice the same", "rate = 1\nrate = 2", "rate"),
        ("no TOML", "rate =", "rate"),
        ("a file in a file", "config = 'x'", "config"),
        ("no threads", "threads = 0", "threads"),
        ("more threads than there may be", "threads = 513", "threads"),
        ("no such device", "device = 'tpu'", "tpu"),
        ("a device that only trains", "device = 'cuda'", "cuda"),
        ("no such precision", "precision = 'f8'", "f8"),
        ("neither on nor off", "offline = 'perhaps'", "offline"),
        ("an origin with a path", "origins = ['https://page.example/x']", "page.example/x"),
        ("no key file", "keys = '/not/there'", "/not/there"),
    ];
    let flags = [
        ("an unknown flag", "--modle=x", "--modle"),
        ("a word for a number", "--rate=much", "--rate"),
        ("a rate of nothing", "--rate=0", "rate"),
        ("a rate backwards", "--rate=-1", "rate"),
        ("a rate that is none", "--rate=NaN", "rate"),
        ("no such level", "--log=loud", "loud"),
        ("no such level of a module", "--log=hyper=loud", "hyper=loud"),
        ("no such format", "--log-format=xml", "--log-format"),
        ("no address", "--host=here", "--host"),
        ("no port", "--port=70000", "--port"),
        ("no name", "--with=model", "NAME=MODEL"),
        ("an empty name", "--with==model", "NAME=MODEL"),
        ("no origin", "--origins=https://page.example,other.example", "\"other.example\""),
        ("no threads", "--threads=0", "--threads"),
        ("a device that only trains", "--device=cuda", "cuda"),
        ("no model", "--with=name=", "NAME=MODEL"),
        ("neither yes nor no", "--forwarded=perhaps", "--forwarded"),
        ("no connections", "--connections=0", "connections"),
        ("no patience", "--patience=0", "patience"),
        ("no time", "--timeout=0", "timeout"),
        ("no queue", "--queue=0", "queue"),
        ("no texts", "--max-texts=0", "max-texts"),
        ("no bytes of a text", "--max-text-bytes=0", "max-text-bytes"),
        ("no bytes", "--max-body-bytes=0", "max-body-bytes"),
        ("no characters", "--max-chars=0", "max-chars"),
        ("no jobs", "--max-jobs=0", "max-jobs"),
        ("no time to hold a job", "--job-lease=0", "job-lease"),
        ("no time to keep one", "--keep-jobs=0", "keep-jobs"),
        ("no file", "--config=/not/there", "/not/there"),
    ];
    let by_file = files.map(|(name, content, word)| (name, format!("\n{content}\n"), word));
    let by_flag = flags.map(|(name, flag, word)| (name, flag.to_owned(), word));
    let check = |what: String| {
        let (code, error) = match what.strip_prefix('\n') {
            None => fault(&["config", "check", &what]),
            Some(content) => {
                let path = in_file(&folder, content);
                fault(&["config", "check", "--config", text(&path)])
            }
        };
        (code, error)
    };
    let cases = by_file.into_iter().chain(by_flag);
    trireme_tests::check_cases(
        cases.map(|(name, what, word)| (name, (what, word), (2, true))),
        |(what, word)| {
            let (code, error) = check(what);
            let named = error.contains(word);
            if !named {
                println!("{error}");
            }
            (code, named)
        },
    );
    let mut variable = trireme(&["config", "check"]);
    let done = variable.env("TRIREME_QUEUE", "many").output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(2) && error.contains("--queue"), "{error}");
}

#[test]
fn what_makes_sense_is_said_to() {
    let folder = tempfile::tempdir().unwrap();
    let keys = file(&folder, "keys", Secret::new("shop", "infer").lines().as_bytes());
    for args in [
        &["--origins", "*"][..],
        &["--origins", "https://page.example,http://localhost:3000"],
        &["--keys", text(&keys)],
        &["--threads", "512", "--device", "auto", "--precision", "auto"],
    ] {
        let said = out(&[&["config", "check"], args].concat());
        assert!(said.contains("make sense"), "{args:?}: {said}");
    }
}

#[test]
fn a_line_that_can_t_be_read_tells_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "token = 'planted",
        "webhook-secret= \"planted",
        "\"token\" = 'planted'x",
        "webhook_secret = 'planted'",
        "HF_TOKEN = 'planted'",
    ] {
        let path = in_file(&folder, &format!("name = 'a'\n{line}\n"));
        let (code, error) = fault(&["config", "check", "--config", text(&path)]);
        assert_eq!(code, 2, "{error}");
        assert!(!error.contains("planted") && error.contains("TOML"), "{error}");
    }
}

#[test]
fn a_server_is_started_with_the_largest_numbers() {
    // Those that are waited for on purpose are left out.
    let flags = [
        "connections",
        "patience",
        "grace",
        "timeout",
        "queue",
        "max-batch",
        "max-batch-tokens",
        "max-texts",
        "max-text-bytes",
        "max-body-bytes",
        "max-chars",
        "max-job-texts",
        "max-job-bytes",
        "max-jobs",
        "keep-jobs",
        "job-lease",
        "memory",
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut args: Vec<String> = flags.iter().map(|flag| format!("--{flag}={}", u64::MAX)).collect();
    args.push(format!("--state={}", text(folder.path())));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let server = Server::start(&args);
    let reply = server.post("/predict", &serde_json::json!({"text": "fine"}));
    assert_eq!(reply.status, 200, "{}", reply.body);
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn answers_that_are_remembered_are_not_the_folder_of_downloads() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_str().unwrap();
    let shown = trireme(&["config", "show", "--cache", cache, "--remember", "8"]).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && text.lines().any(|line| line == "remember = 8"), "{text}");
}
