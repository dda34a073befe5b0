//! `ARCHITECTURE.md` tells the truth: every crate, every decision, every invariant with its test.

use crate::tree::{Tree, Violation, finds};

const MAP: &str = "ARCHITECTURE.md";
const DECISIONS: &str = "docs/adr/";

/// The heading under which each list item or table row is an invariant. It names its check as
/// `` `path/to/file.rs::test_name` ``.
const INVARIANTS: &str = "## Invariants";

/// Crates that the map does not name.
pub fn crates(tree: &Tree) -> Vec<Violation> {
    let map = tree.text(MAP).unwrap_or_default();
    let unnamed = tree.crates().into_iter().filter(|folder| !map.contains(*folder));
    unnamed.map(|folder| Violation::new(folder, format!("{MAP} does not name it"))).collect()
}

/// Decision records without a number, with a gap before them, or missing from the map.
pub fn decisions(tree: &Tree) -> Vec<Violation> {
    let map = tree.text(MAP).unwrap_or_default();
    let mut found = Vec::new();
    let mut expected = 1;
    let records = tree.files().filter_map(|(path, _)| path.strip_prefix(DECISIONS));
    for name in records.filter(|name| name.ends_with(".md")) {
        let number = name.split_once('-').filter(|(digits, _)| digits.len() == 4);
        if number.and_then(|(digits, _)| digits.parse::<u32>().ok()) == Some(expected) {
            expected += 1;
        } else {
            found.push(Violation::new(name, format!("the next record is {expected:04}-title.md")));
        }
        if !map.contains(name) {
            found.push(Violation::new(name, format!("{MAP} does not list it")));
        }
    }
    if expected == 1 {
        found.push(Violation::new(DECISIONS, "there is no decision record"));
    }
    found
}

/// Invariants without a check, or with a check that does not exist.
pub fn invariants(tree: &Tree) -> Vec<Violation> {
    let map = tree.text(MAP).unwrap_or_default();
    let mut found = Vec::new();
    let items = items(map);
    if items.is_empty() {
        found.push(Violation::new(MAP, format!("no invariant under \"{INVARIANTS}\"")));
    }
    for item in items {
        let checks: Vec<(&str, &str)> = item
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|code| code.split_once(".rs::"))
            .collect();
        if checks.is_empty() {
            found.push(Violation::new(MAP, format!("names no `file.rs::test`: {item}")));
        }
        for (file, test) in checks {
            let name = test.rsplit("::").next().unwrap_or(test);
            let source = tree.text(&format!("{file}.rs")).unwrap_or_default();
            if !is_test(source, name) {
                found.push(Violation::new(MAP, format!("there is no test {file}.rs::{test}")));
            }
        }
    }
    found
}

/// The list items and table rows of the invariants' section, each joined with its continuations.
fn items(map: &str) -> Vec<String> {
    let section = map.lines().skip_while(|line| line.trim() != INVARIANTS).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    let mut items: Vec<String> = Vec::new();
    for line in section {
        let rule = line.chars().all(|c| "|-: ".contains(c));
        if line.starts_with("- ") || (line.starts_with('|') && !rule) {
            items.push(line.to_owned());
        } else if rule && line.contains('|') {
            // What stands above the rule is the table's head.
            items.pop();
        } else if let Some(item) = items.last_mut().filter(|_| line.starts_with("  ")) {
            item.push_str(line);
        }
    }
    items
}

/// Whether `source` holds the function `name` with a test attribute above it.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let signature = format!("fn {name}(");
    lines.iter().enumerate().filter(|(_, line)| line.contains(&signature)).any(|(at, _)| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        above.into_iter().any(|line| line.contains("test"))
    })
}

#[test]
fn a_map_that_lies_is_found() {
    let broken = Tree::of([
        (
            MAP,
            "`crates/text`\n0001-first.md\n## Invariants\n- none\n- one `a.rs::yes`\n  and `a.rs::no`\n\n## End\n- x",
        ),
        ("crates/text/Cargo.toml", ""),
        ("crates/model/Cargo.toml", ""),
        ("docs/adr/0001-first.md", ""),
        ("docs/adr/0003-third.md", ""),
        ("a.rs", "#[test]\nfn yes() {}\nfn no() {}"),
    ]);
    finds(&crates(&broken), &["crates/model: ARCHITECTURE.md does not name it"]);
    finds(
        &decisions(&broken),
        &[
            "0003-third.md: ARCHITECTURE.md does not list it",
            "0003-third.md: the next record is 0002",
        ],
    );
    finds(
        &invariants(&broken),
        &[
            "ARCHITECTURE.md: names no `file.rs::test`: - none",
            "ARCHITECTURE.md: there is no test a.rs::no",
        ],
    );
}

#[test]
fn a_table_of_invariants_is_read() {
    let map = "## Invariants\n| what | check |\n|---|---|\n| one | `a.rs::yes` |\n";
    assert_eq!(items(map), ["| one | `a.rs::yes` |"]);
    finds(&invariants(&Tree::of([(MAP, "")])), &["ARCHITECTURE.md: no invariant"]);
}
