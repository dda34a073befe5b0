//! Hosts are thin, and none ships the accidents that tests rehearse.

use crate::tree::{Tree, Violation, finds};

/// The hosts that only wire adapters to the service.
const THIN: &[&str] = &["crates/spin", "crates/web", "worker"];

/// Lines of Rust that such a host may have, beside its comments.
const MOST: usize = 400;

/// The feature that makes accidents happen, and where the modules behind it are declared.
const DRILL: &str = "drill";
const DECLARED: &[&str] = &["crates/pool/src/lib.rs", "crates/service/src/lib.rs"];

/// Hosts that have grown.
pub fn thick(tree: &Tree) -> Vec<Violation> {
    let written = |code: &str| code.lines().filter(|line| !line.trim().is_empty()).count();
    let lines = |folder: &str| tree.shipped(folder).map(|source| written(&source.code)).sum();
    let all = THIN.iter().map(|folder| (*folder, lines(folder)));
    let thick = all.filter(|&(_, lines): &(_, usize)| lines > MOST);
    thick.map(|(folder, lines)| Violation::new(folder, format!("{lines} lines of Rust"))).collect()
}

/// Drills that are on by default, or are compiled without being asked for.
pub fn drills(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in tree.crates() {
        let manifest = tree.text(&format!("{folder}/Cargo.toml")).unwrap_or_default();
        let asks = |line: &&str| line.contains(&format!("\"{DRILL}\"")) && !line.starts_with(DRILL);
        if manifest.lines().any(|line| asks(&line)) {
            found.push(Violation::new(folder, "asks for drills in every build"));
        }
    }
    for &file in DECLARED {
        let declares = tree.text(file).unwrap_or_default();
        let guarded = declares.contains("#[cfg(feature = \"drill\")]\nmod drill;")
            || declares.contains("#[cfg(feature = \"drill\")]\npub mod drill;");
        if declares.contains("mod drill;") && !guarded {
            found.push(Violation::new(file, "holds drills in every build"));
        }
    }
    found
}

#[test]
fn a_host_that_grows_is_found() {
    let long = "x\n".repeat(MOST);
    finds(&thick(&Tree::of([("worker/src/lib.rs", &long)])), &[]);
    let more = [("worker/src/lib.rs", long.as_str()), ("worker/src/more.rs", "fn f() {}")];
    finds(&thick(&Tree::of(more)), &[&format!("worker: {}", MOST + 1)]);
}

#[test]
fn a_drill_that_would_ship_is_found() {
    let fine = "[features]\ndrill = [\"trireme-service/drill\"]";
    finds(&drills(&Tree::of([("crates/web/Cargo.toml", fine)])), &[]);
    let default = "[features]\ndefault = [\"drill\"]";
    let asked = "trireme-service = { workspace = true, features = [\"drill\"] }";
    let broken = Tree::of([
        ("crates/web/Cargo.toml", default),
        ("worker/Cargo.toml", asked),
        (DECLARED[0], "mod drill;"),
        (DECLARED[1], "pub mod drill;"),
    ]);
    finds(&drills(&broken), &["crates/web: asks", "worker: asks", DECLARED[0], DECLARED[1]]);
}
