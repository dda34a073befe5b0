//! The inner crates name no runtime, and reach the machine only through ports.

use trireme_tests::rust_source::words;

use crate::manifest::{Kind, dependencies, matches};
use crate::tree::{Source, Tree, Violation, finds};

/// The crates that compile unchanged for every host.
const INNER: &[&str] = &["backend", "cpu", "domain", "http", "kernels", "model", "service", "text"];

/// Their tests may still need an executor, where the crate speaks a framework's futures.
const DEV_EXEMPT: &[&str] = &["http"];

/// `http` is written against a framework, whose types may well mention the clock.
const PURE: &[&str] = &["backend", "cpu", "domain", "kernels", "model", "service", "text"];

/// What ties a crate to one host. Each is a package; with `_` for `-` it is a crate's name.
const RUNTIMES: &[&str] = &[
    "candle-*",
    "futures-executor",
    "getrandom",
    "hyper",
    "hyper-*",
    "js-sys",
    "rayon",
    "rayon-*",
    "reqwest",
    "smol",
    "spin-sdk",
    "tokio",
    "tokio-*",
    "ureq",
    "wasm-bindgen",
    "wasm-bindgen-*",
    "web-sys",
    "wgpu",
    "worker",
    "worker-*",
];

/// What a pure crate may not call: each has a port.
const MACHINE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "Instant::now",
    "SystemTime::now",
];

/// What a library may not print.
const PRINTING: &[&str] = &["dbg", "eprint", "eprintln", "print", "println"];

/// Runtimes in the manifests and in the sources of the inner crates.
pub fn named(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for name in INNER {
        let folder = format!("crates/{name}");
        let manifest = tree.text(&format!("{folder}/Cargo.toml")).unwrap_or_default();
        for dependency in dependencies(manifest) {
            let exempt = dependency.kind == Kind::Dev && DEV_EXEMPT.contains(name);
            let runtime = RUNTIMES.iter().any(|pattern| matches(&dependency.package, pattern));
            if runtime && !exempt {
                let what = format!("depends on {}, a runtime", dependency.package);
                found.push(Violation::new(folder.clone(), what));
            }
        }
        for source in tree.shipped(&folder) {
            found.extend(extern_names(&source).filter_map(|(at, root)| {
                let package = root.replace('_', "-");
                let runtime = RUNTIMES.iter().any(|pattern| matches(&package, pattern));
                runtime.then(|| source.violation(at, format!("names {root}, a runtime")))
            }));
        }
    }
    found
}

/// Files, sockets, threads, clocks, environment and terminal in the pure crates.
pub fn machine(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for name in PURE {
        for source in tree.shipped(&format!("crates/{name}")) {
            for (at, path) in paths(&source.code) {
                let reached = MACHINE.iter().find(|known| {
                    path == **known
                        || path.strip_prefix(**known).is_some_and(|rest| rest.starts_with("::"))
                });
                found.extend(reached.map(|known| {
                    source.violation(at, format!("uses {known}; it belongs behind a port"))
                }));
            }
            for macro_name in PRINTING {
                let calls = words(&source.code, macro_name)
                    .filter(|at| source.code[at + macro_name.len()..].starts_with('!'));
                found.extend(calls.map(|at| source.violation(at, format!("calls {macro_name}!"))));
            }
        }
    }
    found
}

/// The first segment of every path that could begin with a crate's name.
fn extern_names<'a>(source: &'a Source<'_>) -> impl Iterator<Item = (usize, String)> + 'a {
    paths(&source.code).into_iter().filter_map(|(at, path)| {
        let (root, _) = path.split_once("::").unwrap_or((&path, ""));
        let used = path.contains("::") || source.code[..at].trim_end().ends_with("use");
        used.then(|| (at, root.to_owned()))
    })
}

/// Every `a::b::c` in the code with its offset; groups are spelt out, so that
/// `std::{fs, io::Read}` yields `std::fs` and `std::io::Read`.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let length = path_length(rest);
        if length == 0 {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let path = rest[..length].trim_end_matches("::");
        // A path that continues another one, `x.y::z` or `>::z`, has its root elsewhere.
        if !code[..at].ends_with("::") {
            if rest[..length].ends_with("::") && rest[length..].starts_with('{') {
                group(&rest[length + 1..], path, at + length + 1, &mut found);
            } else {
                found.push((at, path.to_owned()));
            }
        }
        at += length;
    }
    found
}

/// The members of a brace group, up to its closing brace; returns how much it read.
fn group(text: &str, prefix: &str, start: usize, found: &mut Vec<(usize, String)>) -> usize {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with('}') {
            return at + 1;
        }
        let length = path_length(rest);
        if length == 0 {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let path = format!("{prefix}::{}", rest[..length].trim_end_matches("::"));
        if rest[length..].starts_with('{') {
            at += length + 1;
            at += group(&text[at..], &path, start + at, found);
        } else {
            found.push((start + at, path));
            at += length;
        }
    }
    at
}

/// How many bytes at the front of `text` are a path.
fn path_length(text: &str) -> usize {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut length = 0;
    loop {
        let rest = &text[length..];
        let segment = rest.find(|c| !word(c)).unwrap_or(rest.len());
        length += segment;
        if segment == 0 || !text[length..].starts_with("::") {
            return length;
        }
        length += 2;
    }
}

#[test]
fn paths_are_spelt_out() {
    let all = paths("use std::{fs, io::{self, Read as R}}; x.y::<T>(); a::b(c);");
    let all: Vec<&str> = all.iter().map(|(_, path)| path.as_str()).collect();
    for path in ["std::fs", "std::io::self", "std::io::Read", "a::b"] {
        assert!(all.contains(&path), "{path} is not among {all:?}");
    }
}

#[test]
fn runtimes_are_found_in_manifests_and_sources() {
    let broken = Tree::of([
        ("crates/model/Cargo.toml", "[dependencies]\ntokio.workspace = true"),
        ("crates/text/Cargo.toml", "[dev-dependencies]\nr = { package = 'rayon' }"),
        ("crates/http/Cargo.toml", "[dev-dependencies]\ntokio = '1'"),
        (
            "crates/service/src/lib.rs",
            "// tokio::spawn\nuse tokio::spawn;\nfn f() { rayon::join(); }",
        ),
        ("crates/cpu/src/lib.rs", "use candle_core;\nlet s = \"wgpu::x\";\nself.worker::<T>();"),
        ("crates/domain/src/lib.rs", "#[cfg(test)]\nmod tests { use tokio::test; }"),
        ("crates/server/src/lib.rs", "use tokio::net;"),
    ]);
    finds(
        &named(&broken),
        &[
            "crates/model: depends on tokio",
            "crates/text: depends on rayon",
            "crates/service/src/lib.rs:2: names tokio",
            "crates/service/src/lib.rs:3: names rayon",
            "crates/cpu/src/lib.rs:1: names candle_core",
        ],
    );
}

#[test]
fn reaching_for_the_machine_is_found() {
    let broken = Tree::of([
        ("crates/domain/src/a.rs", "use std::{fs, sync::Arc};\nuse std::time::Duration;"),
        ("crates/model/src/b.rs", "fn f() { let now = Instant::now(); println!(); }"),
        ("crates/text/src/c.rs", "// std::env\nfn f() { std::env::var(\"X\"); env!(\"Y\"); }"),
        ("crates/cpu/src/d.rs", "#[cfg(test)]\nmod tests { use std::thread; }"),
        ("crates/cpu/src/tests.rs", "use std::thread;"),
        ("crates/server/src/e.rs", "use std::net;"),
    ]);
    finds(
        &machine(&broken),
        &[
            "crates/domain/src/a.rs:1: uses std::fs",
            "crates/model/src/b.rs:1: calls println!",
            "crates/model/src/b.rs:1: uses Instant::now",
            "crates/text/src/c.rs:2: uses std::env",
        ],
    );
}
