//! The files that the rules read, as plain text.
//!
//! A rule is a function of a tree, so each can be shown failing on a few lines in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use trireme_tests::rust_source;

/// Folders that hold no source of ours.
const SKIPPED: &[&str] = &[".git", ".cache", "build", "target", "node_modules", "__pycache__"];

/// Files by their path from the checkout's root, with forward slashes.
pub struct Tree {
    files: BTreeMap<String, String>,
}

/// Something that breaks a rule, and where.
#[derive(Debug)]
pub struct Violation {
    place: String,
    what: String,
}

/// A Rust file, as a rule wants to see it.
pub struct Source<'a> {
    /// Its path.
    pub path: &'a str,
    /// What is in it.
    pub text: &'a str,
    /// The text without comments and literals; lines are where they were.
    pub code: String,
}

impl Tree {
    /// Every text file under `root`. Binary files are no subject of a rule.
    pub fn load(root: &Path) -> Self {
        let mut tree = Self { files: BTreeMap::new() };
        tree.add(root, "");
        tree
    }

    /// A small tree, for showing that a rule fails.
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        let own = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
        Self { files: files.into_iter().map(own).collect() }
    }

    fn add(&mut self, folder: &Path, prefix: &str) {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        for entry in entries {
            let entry = entry.unwrap_or_else(|error| panic!("{folder:?}: {error}"));
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.path().is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    self.add(&entry.path(), &format!("{path}/"));
                }
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                self.files.insert(path, text);
            }
        }
    }

    /// Every file: path and text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// One file's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The Rust files of a crate's folder, build script included.
    pub fn rust<'a>(&'a self, folder: &str) -> impl Iterator<Item = Source<'a>> + use<'a> {
        let prefix = format!("{folder}/");
        self.files().filter_map(move |(path, text)| {
            let rust = path.starts_with(&prefix) && path.ends_with(".rs");
            rust.then(|| Source { path, text, code: rust_source::code(text) })
        })
    }

    /// The Rust files that a crate ships, without what only test builds compile.
    pub fn shipped<'a>(&'a self, folder: &str) -> impl Iterator<Item = Source<'a>> + use<'a> {
        self.rust(&format!("{folder}/src")).filter(|source| !is_test(source.path)).map(
            |mut source| {
                source.code = rust_source::without_tests(&source.code);
                source
            },
        )
    }

    /// The folders of our crates: those under `crates/`, and the Worker's.
    pub fn crates(&self) -> Vec<&str> {
        let manifests = self.files().filter_map(|(path, _)| path.strip_suffix("/Cargo.toml"));
        manifests.filter(|folder| folder.starts_with("crates/") || *folder == "worker").collect()
    }
}

/// The files that `#[cfg(test)] mod …;` points to, by our naming.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

impl Source<'_> {
    /// A violation at byte `offset` of this file's code.
    pub fn violation(&self, offset: usize, what: impl Into<String>) -> Violation {
        let line = rust_source::line_of(&self.code, offset);
        Violation { place: format!("{}:{line}", self.path), what: what.into() }
    }
}

impl Violation {
    /// A violation that has no line.
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Fails with every violation, so that one run shows all there is to mend.
#[track_caller]
pub fn none(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "violations ({}):\n  {}", lines.len(), lines.join("\n  "));
}

/// For a rule's own tests: exactly these violations are found, in any order.
#[track_caller]
pub fn finds(violations: &[Violation], expected: &[&str]) {
    let mut got: Vec<String> = violations.iter().map(ToString::to_string).collect();
    got.sort();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let matches = got.len() == expected.len()
        && got.iter().zip(&expected).all(|(got, part)| got.starts_with(part));
    assert!(matches, "expected violations that start with {expected:#?}, got {got:#?}");
}
