//! Keys as their files and their callers have them.

use proptest::prelude::*;

use super::*;

fn key(name: &str, secret: &str, expires: Option<u64>) -> Key {
    Key {
        name: name.to_owned(),
        tenant: "shop".to_owned(),
        sha256: hash(secret),
        scopes: vec![Scope::Infer],
        rate: None,
        expires,
    }
}

#[test]
fn a_key_is_replaced_without_a_gap() {
    let keys = Keys { keys: vec![key("old", "one", Some(200)), key("new", "two", None)] };
    let cases = [
        ("one", 100, Some("old")),
        ("two", 100, Some("new")),
        ("one", 199, Some("old")),
        ("one", 200, None),
        ("two", 200, Some("new")),
        ("three", 100, None),
        ("", 100, None),
        (&hash("one"), 100, None),
    ];
    for (secret, now, expected) in cases {
        let got = keys.find(secret, now).map(|key| key.name.as_str());
        assert_eq!(got, expected, "{secret:?} at {now}");
    }
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    let good = key("a", "one", None);
    let bad_rate = Rate { per_second: 0.0, burst: 1.0 };
    let cases = [
        ("none", vec![], Some("there is no key in it; make one by `trireme key`")),
        ("good ones", vec![good.clone(), key("b", "two", None)], None),
        (
            "two of one name",
            vec![good.clone(), key("a", "two", None)],
            Some("two keys are named \"a\""),
        ),
        (
            "two of one secret",
            vec![good.clone(), Key { sha256: hash("one").to_uppercase(), ..key("b", "", None) }],
            Some("the keys \"a\" and \"b\" have one secret"),
        ),
        (
            "a secret for a hash",
            vec![Key { sha256: "hunter2".to_owned(), ..good.clone() }],
            Some("the sha256 of key \"a\" is not 64 hexadecimal digits"),
        ),
        (
            "no hash to speak of",
            vec![Key { sha256: "z".repeat(64), ..good.clone() }],
            Some("the sha256 of key \"a\" is not 64 hexadecimal digits"),
        ),
        (
            "no scopes",
            vec![Key { scopes: vec![], ..good.clone() }],
            Some("key \"a\" has no scopes"),
        ),
        (
            "a rate of nothing",
            vec![Key { rate: Some(bad_rate), ..good }],
            Some("the rate of key \"a\" needs per_second and burst above 0"),
        ),
    ];
    for (case, keys, expected) in cases {
        let got = Keys { keys }.check().err().map(|error| error.to_string());
        assert_eq!(got.as_deref(), expected, "{case}");
    }
}

#[test]
fn what_is_shown_holds_neither_secret_nor_hash() {
    let keys = Keys { keys: vec![key("a", "one", None)] };
    let shown = format!("{keys:?} {keys:#?} {:?}", keys.keys[0]);
    assert!(shown.contains("\"a\""), "{shown}");
    assert!(!shown.contains(&hash("one")[..8]) && !shown.contains("sha256"), "{shown}");
}

#[test]
fn unknown_fields_and_scopes_are_refused() {
    let good = "name = 'a'\ntenant = 'b'\nsha256 = 'c'\nscopes = ['metrics', 'admin']\n";
    let read = |more: &str| toml::from_str::<Keys>(&format!("[[keys]]\n{good}{more}"));
    assert_eq!(read("").unwrap().keys[0].scopes, [Scope::Metrics, Scope::Admin]);
    for more in ["scope = 1", "rate = { per_second = 1.0 }", "expires = -1", "[other]"] {
        assert!(read(more).is_err(), "{more}");
    }
    assert!(toml::from_str::<Keys>("").unwrap().keys.is_empty());
}

#[test]
fn a_hash_that_is_none_matches_nothing() {
    let damaged = Key { sha256: String::new(), ..key("a", "one", None) };
    assert!(Keys { keys: vec![damaged] }.find("one", 0).is_none());
}

proptest! {
    #[test]
    fn each_secret_finds_its_own_key(secrets in prop::collection::hash_set("[ -~]{1,20}", 1..8)) {
        let keys = secrets.iter().map(|secret| key(secret, secret, None)).collect();
        let keys = Keys { keys };
        for secret in &secrets {
            prop_assert_eq!(keys.find(secret, 0).map(|key| &key.name), Some(secret));
            let other = format!("{secret}\0");
            prop_assert_eq!(keys.find(&other, 0), None);
        }
    }
}
