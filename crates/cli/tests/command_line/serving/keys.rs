//! Who may ask: keys, their scopes, and a key file that changes.

use trireme_domain::access::hash;

use super::*;

/// A key, as the file has it and as a caller sends it.
pub struct Secret<'a> {
    pub name: &'a str,
    pub tenant: &'a str,
    pub scopes: &'a str,
    /// Further lines.
    pub more: &'a str,
    pub secret: String,
    /// As `authorization` has it.
    pub header: String,
}

impl<'a> Secret<'a> {
    pub fn new(name: &'a str, scopes: &'a str) -> Self {
        let secret = format!("tri_{name}_planted");
        let header = format!("Bearer {secret}");
        Self { name, tenant: name, scopes, more: "", secret, header }
    }

    pub fn bearer(&self) -> (&str, &str) {
        ("authorization", &self.header)
    }

    pub fn lines(&self) -> String {
        let Self { name, tenant, scopes, more, secret, .. } = self;
        let sha256 = hash(secret);
        format!(
            "[[keys]]\nname = \"{name}\"\ntenant = \"{tenant}\"\nsha256 = \"{sha256}\"\n\
             scopes = [\"{scopes}\"]\n{more}\n"
        )
    }
}

/// Writes a key file whole, so that nobody reads half of it.
pub fn key_file(folder: &tempfile::TempDir, keys: &[&Secret<'_>]) -> PathBuf {
    replace(folder, &keys.iter().map(|key| key.lines()).collect::<String>())
}

fn replace(folder: &tempfile::TempDir, content: &str) -> PathBuf {
    let (new, path) = (file(folder, "keys.new", content.as_bytes()), folder.path().join("keys"));
    std::fs::rename(new, &path).unwrap();
    path
}

const BODY: &str = r#"{"text": "fine"}"#;

fn asks(server: &Server, key: &Secret<'_>) -> u16 {
    server.ask("POST", "/predict", &[key.bearer()], BODY).status
}

#[test]
fn every_route_asks_for_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let [infer, metrics, admin] =
        ["infer", "metrics", "admin"].map(|scope| Secret::new(scope, scope));
    let expired = Secret { more: "expires = 1", ..Secret::new("expired", "infer") };
    let lasting = Secret { more: "expires = 99999999999", ..Secret::new("lasting", "infer") };
    let file = key_file(&folder, &[&infer, &metrics, &admin, &expired, &lasting]);
    let server = Server::start(&["--keys", text(&file)]);
    let wrong = Secret::new("wrong", "infer");
    let api_key = ("x-api-key", infer.secret.as_str());
    let basic = format!("Basic {}", infer.secret);
    let cases = [
        ("no key", "POST", "/predict", None, 401),
        ("a wrong key", "POST", "/predict", Some(wrong.bearer()), 401),
        ("an expired key", "POST", "/predict", Some(expired.bearer()), 401),
        ("a key that expires later", "POST", "/predict", Some(lasting.bearer()), 200),
        ("another scheme", "POST", "/predict", Some(("authorization", basic.as_str())), 401),
        ("another scope", "POST", "/predict", Some(metrics.bearer()), 403),
        ("the right key", "POST", "/predict", Some(infer.bearer()), 200),
        ("in the other header", "POST", "/predict", Some(api_key), 200),
        ("a text to the root", "POST", "/", None, 401),
        ("the same with a key", "POST", "/", Some(infer.bearer()), 200),
        ("a list of models", "GET", "/v1/models", None, 401),
        ("no path at all", "GET", "/nowhere", None, 404),
        ("the same with a key", "GET", "/nowhere", Some(infer.bearer()), 404),
        ("counts without a key", "GET", "/metrics", None, 401),
        ("counts with a key for answers", "GET", "/metrics", Some(infer.bearer()), 403),
        ("counts", "GET", "/metrics", Some(metrics.bearer()), 200),
        ("the log's level", "PUT", "/admin/log", Some(infer.bearer()), 403),
        ("the log's level with its key", "PUT", "/admin/log", Some(admin.bearer()), 200),
        ("who is there", "GET", "/", None, 200),
        ("health", "GET", "/health", None, 200),
        ("health of one kind", "GET", "/health/ready", None, 200),
        ("health by another name", "GET", "/v2/health/ready", None, 200),
        ("health with a wrong key", "GET", "/health", Some(wrong.bearer()), 200),
        ("a text to health", "POST", "/health", None, 405),
    ];
    trireme_tests::check_cases(
        cases.map(|(name, method, path, key, status)| (name, (method, path, key), status)),
        |(method, path, key)| {
            let body = match path {
                "/" => r#"{"inputs": "fine"}"#,
                "/admin/log" => "warn",
                _ => BODY,
            };
            let headers: Vec<_> = key.into_iter().collect();
            let reply = server.ask(method, path, &headers, if method == "GET" { "" } else { body });
            let challenged = reply.header("www-authenticate") == Some("Bearer");
            assert_eq!(challenged, reply.status == 401, "{reply:?}");
            reply.status
        },
    );
    let said = server.ask("PUT", "/admin/log", &[admin.bearer()], "loud");
    assert_eq!(said.status, 422, "a level that is none: {}", said.body);
}

#[test]
fn the_key_that_trireme_makes_opens_a_server() {
    let made = run(&["key", "shop", "--scopes", "infer,metrics", "--rate", "50"]);
    assert!(made.status.success());
    let secret = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let lines = String::from_utf8(made.stderr).unwrap();
    assert!(!lines.contains(&secret), "the lines for the file hold no secret: {lines}");
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--keys", text(&replace(&folder, &lines))]);
    for path in ["/v1/models", "/metrics"] {
        assert_eq!(server.get(path).status, 401, "{path}");
        let reply = server.ask("GET", path, &[("x-api-key", &secret)], "");
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    }
}

#[test]
fn a_key_file_that_changes_is_read_again_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, third] = ["old", "new", "third"].map(|name| Secret::new(name, "infer"));
    let path = key_file(&folder, &[&old]);
    let server = Server::start(&["--keys", text(&path)]);
    assert_eq!([asks(&server, &old), asks(&server, &new)], [200, 401]);

    key_file(&folder, &[&new]);
    until("the new key works", || (asks(&server, &new) == 200).then_some(()));
    assert_eq!(asks(&server, &old), 401, "the old key works no more");

    let stays = |times: usize| server.said().matches("the keys stay as they were").count() >= times;
    let broken = format!("{}[[keys]]\nname = \"half", third.lines());
    replace(&folder, &broken);
    until("a broken file is noticed", || stays(1).then_some(()));
    assert_eq!([asks(&server, &new), asks(&server, &third)], [200, 401]);

    // Two keys of one name could not be told apart in the log.
    replace(&folder, &third.lines().repeat(2));
    until("a file that makes no sense is noticed", || stays(2).then_some(()));
    assert_eq!([asks(&server, &new), asks(&server, &third)], [200, 401]);

    std::fs::remove_file(&path).unwrap();
    until("a file that is gone is noticed", || stays(3).then_some(()));
    assert_eq!([asks(&server, &new), asks(&server, &third)], [200, 401]);

    key_file(&folder, &[&third]);
    until("the third key works", || (asks(&server, &third) == 200).then_some(()));
    assert_eq!(asks(&server, &new), 401);
    let said = server.said();
    for key in [&old, &new, &third] {
        assert!(!said.contains(&hash(&key.secret)), "no line of the file is quoted: {said}");
    }
}

/// What reads a key file before anything is answered.
const COMMANDS: [&[&str]; 2] = [&["serve", "--port", "0"], &["config", "check"]];

#[test]
fn a_server_without_a_sound_key_file_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let key = Secret::new("shop", "infer");
    for (case, content, words) in [
        ("no TOML", "[[keys", "keys"),
        ("no hash", "[[keys]]\nname = 'a'\ntenant = 'a'\nsha256 = 'x'\nscopes = ['infer']", "64"),
        ("a wrong scope", &key.lines().replace("infer", "root"), "root"),
        ("the secret itself", &format!("{}secret = 'x'", key.lines()), "secret"),
    ] {
        let path = replace(&folder, content);
        for command in COMMANDS {
            let (code, said) = fault(&[command, &["--keys", text(&path)]].concat());
            assert_eq!(code, 2, "{case}: {said}");
            assert!(said.contains("key file") && said.contains(words), "{case}: {said}");
            let told = [&key.secret, &hash(&key.secret)].iter().any(|what| said.contains(*what));
            assert!(!told, "{case}: {said}");
        }
    }
    for command in COMMANDS {
        let (code, said) = fault(&[command, &["--keys", "/not/there"]].concat());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("/not/there"), "{said}");
    }
}
