//! Errors are typed, and a request cannot panic.

use trireme_tests::rust_source::words;

use crate::tree::{Source, Tree, Violation, finds};

/// The hosts may wrap what they cannot name; nothing below them may.
const HOSTS: &[&str] = &["crates/cli", "crates/server", "crates/spin", "crates/web", "worker"];

/// The crates that a request passes through.
const REQUEST_PATH: &[&str] = &["backend", "domain", "http", "model", "service", "text"];

/// A suite for the tests of backends: it ships, and reports as tests do.
const SUITE: &str = "crates/backend/src/conformance";

/// Accidents for tests; no build that ships holds it, which a rule of `hosts.rs` sees to.
const DRILL: &str = "crates/service/src/drill.rs";

const PANICS: &[&str] = &[".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!"];

/// `Result<_, String>`, `anyhow` and boxed errors below the hosts.
pub fn untyped(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in tree.crates().into_iter().filter(|folder| !HOSTS.contains(folder)) {
        for source in tree.shipped(folder) {
            for at in words(&source.code, "Result") {
                let error = error_type(&source.code[at + "Result".len()..]);
                if let Some(error @ ("String" | "&str" | "&'static str")) = error {
                    found.push(source.violation(at, format!("an error that is a {error}")));
                }
            }
            for at in words(&source.code, "Box") {
                if boxes_error(&source.code[at + "Box".len()..]) {
                    found.push(source.violation(at, "an error without a type"));
                }
            }
            for at in words(&source.code, "anyhow") {
                found.push(source.violation(at, "anyhow below the hosts"));
            }
        }
    }
    found
}

/// What would panic on a request path.
pub fn panics(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for name in REQUEST_PATH {
        let sources = tree.shipped(&format!("crates/{name}"));
        let ships = |source: &Source<'_>| !source.path.starts_with(SUITE) && source.path != DRILL;
        for source in sources.filter(ships) {
            for call in PANICS {
                let calls = source.code.match_indices(call).map(|(at, _)| at);
                // `debug_panic!` would be another macro; `.unwrap()` needs no such care.
                let calls = calls.filter(|&at| {
                    let before = source.code[..at].chars().next_back();
                    call.starts_with('.')
                        || !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                });
                found.extend(
                    calls.map(|at| source.violation(at, format!("{call} on a request path"))),
                );
            }
        }
    }
    found
}

/// The second argument of the generics that `text` opens with.
fn error_type(text: &str) -> Option<&str> {
    let inside = generics(text)?;
    let mut depth = 0i32;
    let comma = inside.char_indices().find(|&(_, c)| {
        depth += match c {
            '<' | '(' | '[' => 1,
            '>' | ')' | ']' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    });
    Some(inside[comma?.0 + 1..].trim().trim_end_matches(',').trim())
}

/// Whether `text` opens with `<dyn …Error…>`.
fn boxes_error(text: &str) -> bool {
    let bounds = generics(text).and_then(|inside| inside.trim().strip_prefix("dyn "));
    bounds.is_some_and(|bounds| {
        bounds.split('+').any(|bound| bound.trim().rsplit("::").next() == Some("Error"))
    })
}

/// What stands between `<` at the front of `text` and the `>` that closes it.
fn generics(text: &str) -> Option<&str> {
    let text = text.strip_prefix('<')?;
    let mut depth = 1i32;
    // The `>` of `->` closes nothing.
    let mut before = ' ';
    let end = text.char_indices().find(|&(_, c)| {
        depth += i32::from(c == '<') - i32::from(c == '>' && before != '-');
        before = c;
        depth == 0
    });
    Some(&text[..end?.0])
}

#[test]
fn untyped_errors_are_found() {
    let broken = Tree::of([
        ("crates/model/Cargo.toml", ""),
        ("crates/server/Cargo.toml", ""),
        ("crates/server/src/lib.rs", "fn f() -> Result<(), Box<dyn Error>> {}"),
        (
            "crates/model/src/lib.rs",
            "fn a() -> Result<Vec<(u8, u8)>, String> {}\n\
             fn b() -> Result<(), Box<dyn std::error::Error + Send>> {}\n\
             fn c() -> anyhow::Result<()> {}\n\
             fn d() -> Result<String, Fault> {} // Result<(), String>\n\
             fn e(f: Box<dyn Fn() -> u8>) -> Result<BTreeMap<u8, String>, Fault> {}\n",
        ),
    ]);
    finds(
        &untyped(&broken),
        &[
            "crates/model/src/lib.rs:1: an error that is a String",
            "crates/model/src/lib.rs:2: an error without a type",
            "crates/model/src/lib.rs:3: anyhow",
        ],
    );
}

#[test]
fn panics_are_found_outside_tests() {
    let broken = Tree::of([
        ("crates/http/src/a.rs", "fn f() { x.unwrap(); y.unwrap_or(1); }\n// todo!()"),
        ("crates/text/src/b.rs", "fn f() { x.expect(\"panic!\"); std::panic::catch_unwind(g); }"),
        (
            "crates/domain/src/c.rs",
            "#[cfg(test)]\nmod tests { fn f() { x.unwrap() } }\nfn g() { todo!() }",
        ),
        ("crates/server/src/d.rs", "fn f() { x.unwrap(); }"),
    ]);
    finds(
        &panics(&broken),
        &[
            "crates/http/src/a.rs:1: .unwrap()",
            "crates/text/src/b.rs:1: .expect(",
            "crates/domain/src/c.rs:3: todo!",
        ],
    );
}
