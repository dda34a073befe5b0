//! What comes from outside, and what leaks in from a machine.

use toml::{Table, Value};

use crate::tree::{Tree, Violation, finds};

/// Packages that must not be anywhere in the lock file: C libraries with pure-Rust counterparts.
const BANNED: &[&str] = &["onig", "onig_sys", "openssl", "openssl-sys"];

/// Metadata that every member takes from the workspace: copied, it would drift.
const INHERITED: &[&str] = &["edition", "license", "publish", "rust-version", "version"];

/// Folders that exist on somebody's machine. Spelt in two halves, for this file is read too.
const MACHINE_PATHS: &[&str] =
    &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// Banned packages in the lock files.
pub fn banned(tree: &Tree) -> Vec<Violation> {
    let locks = tree.files().filter(|(path, _)| path.ends_with("Cargo.lock"));
    let banned = |lock: &str| {
        BANNED
            .iter()
            .filter(|name| lock.contains(&format!("name = \"{name}\"")))
            .collect::<Vec<_>>()
    };
    locks
        .flat_map(|(path, lock)| {
            banned(lock).into_iter().map(move |name| Violation::new(path, *name))
        })
        .collect()
}

/// Members that keep their own version, licence or lints.
pub fn inherited(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in [tree.crates(), vec!["tests", "xtask"]].concat() {
        let manifest = tree.text(&format!("{folder}/Cargo.toml")).unwrap_or_default();
        let manifest: Table = manifest.parse().unwrap_or_else(|error| panic!("{folder}: {error}"));
        let from_workspace = |value: Option<&Value>| {
            value.and_then(|v| v.get("workspace")) == Some(&Value::Boolean(true))
        };
        let package = manifest.get("package");
        for key in INHERITED {
            if !from_workspace(package.and_then(|package| package.get(key))) {
                found.push(Violation::new(folder, format!("{key} is not the workspace's")));
            }
        }
        if !from_workspace(manifest.get("lints")) {
            found.push(Violation::new(folder, "lints are not the workspace's"));
        }
    }
    found
}

/// Absolute paths of some machine in a file that everyone gets.
pub fn machine_paths(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        for (number, line) in text.lines().enumerate() {
            // After a word it is part of a longer path or of an address, not a root.
            let rooted = |at: usize| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-~}$".contains(c))
            };
            let hit =
                MACHINE_PATHS.iter().find(|p| line.match_indices(**p).any(|(at, _)| rooted(at)));
            found.extend(hit.map(|hit| Violation::new(format!("{path}:{}", number + 1), *hit)));
        }
    }
    found
}

#[test]
fn what_leaks_in_is_found() {
    let own = concat!("see /ho", "me/me/x\nhttps://example.org/ho", "me/x");
    let broken = Tree::of([
        ("Cargo.lock", "[[package]]\nname = \"onig\"\n[[package]]\nname = \"conig\""),
        ("README.md", own),
    ]);
    finds(&banned(&broken), &["Cargo.lock: onig"]);
    finds(&machine_paths(&broken), &["README.md:1: /"]);
}

#[test]
fn own_metadata_is_found() {
    let good = "[package]\nedition.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\
                rust-version.workspace = true\nversion.workspace = true\n\
                [lints]\nworkspace = true";
    let broken = Tree::of([
        ("tests/Cargo.toml", good),
        ("xtask/Cargo.toml", &good.replace("version.workspace = true\n[", "version = '1'\n[")),
        ("crates/text/Cargo.toml", &good.replace("[lints]\nworkspace = true", "")),
    ]);
    finds(&inherited(&broken), &["crates/text: lints", "xtask: version"]);
}
