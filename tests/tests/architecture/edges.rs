//! Arrows between our crates go down only.

use crate::manifest::{Kind, dependencies};
use crate::tree::{Tree, Violation, finds};

/// Each crate, its layer, and the crates of ours that it is built on.
const EDGES: &[(&str, u8, &[&str])] = &[
    ("default-model", 0, &[]),
    ("text", 0, &[]),
    ("kernels", 1, &[]),
    ("backend", 1, &[]),
    ("candle", 1, &["backend"]),
    ("cpu", 1, &["backend", "kernels"]),
    ("gpu", 1, &["backend"]),
    ("domain", 2, &[]),
    ("model", 2, &["backend", "text"]),
    ("service", 3, &["backend", "domain", "model", "text"]),
    ("http", 4, &["domain", "service"]),
    ("train", 3, &["backend", "candle", "domain", "model"]),
    ("pool", 4, &["cpu", "domain", "service"]),
    ("device", 4, &["backend", "cpu", "domain", "gpu", "model", "service"]),
    ("store", 5, &["domain", "service"]),
    (
        "server",
        5,
        &[
            "backend",
            "cpu",
            "default-model",
            "device",
            "domain",
            "http",
            "model",
            "pool",
            "service",
            "store",
        ],
    ),
    ("web", 5, &["cpu", "device", "domain", "model", "pool", "service"]),
    ("spin", 5, &["cpu", "default-model", "domain", "http", "model", "service"]),
    ("worker", 5, &["cpu", "default-model", "domain", "http", "model", "service"]),
    ("cli", 5, &["domain", "model", "server", "service", "text", "train"]),
];

/// Tests may stand on anything of a lower layer, and on these of their own.
const DEV_EDGES: &[(&str, &str)] = &[
    ("cli", "tests"),
    ("gpu", "cpu"),
    ("kernels", "backend"),
    ("store", "tests"),
    ("train", "cpu"),
    ("train", "tests"),
];

/// Compiled first on a bare machine, so they take nothing from a registry.
const BARE: &[(&str, &[&str])] = &[("tests", &[]), ("xtask", &["trireme-tests"])];

/// Every dependency between our crates that the tables do not allow.
pub fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in tree.crates() {
        let name = folder.trim_start_matches("crates/");
        let Some((_, layer, allowed)) = row(name) else {
            found.push(Violation::new(folder, "this crate has no row in the table of edges"));
            continue;
        };
        for dependency in dependencies(manifest(tree, folder)) {
            let Some(on) = dependency.package.strip_prefix("trireme-") else { continue };
            let lower = row(on).is_some_and(|(_, below, _)| below < layer);
            let dev = dependency.kind == Kind::Dev && (lower || DEV_EDGES.contains(&(name, on)));
            if !allowed.contains(&on) && !dev {
                found.push(Violation::new(folder, format!("may not depend on {on}")));
            }
        }
    }
    for (folder, allowed) in BARE {
        for dependency in dependencies(manifest(tree, folder)) {
            let package = dependency.package.as_str();
            if dependency.kind == Kind::Normal && !allowed.contains(&package) {
                let what = format!("takes {package}; it must build on a bare machine");
                found.push(Violation::new(*folder, what));
            }
        }
    }
    found
}

/// The name that a crate of ours is published under follows from its folder.
pub fn misnamed(tree: &Tree) -> Vec<Violation> {
    let wrong = tree.crates().into_iter().filter(|folder| {
        let name = folder.trim_start_matches("crates/");
        !manifest(tree, folder).contains(&format!("name = \"trireme-{name}\""))
    });
    wrong.map(|folder| Violation::new(folder, "its package is not trireme-<folder>")).collect()
}

fn row(name: &str) -> Option<(&'static str, u8, &'static [&'static str])> {
    EDGES.iter().copied().find(|(known, ..)| *known == name)
}

fn manifest<'a>(tree: &'a Tree, folder: &str) -> &'a str {
    tree.text(&format!("{folder}/Cargo.toml")).unwrap_or_default()
}

#[test]
fn the_table_itself_points_down() {
    for (name, layer, allowed) in EDGES {
        for on in *allowed {
            let (_, below, _) = row(on).unwrap_or_else(|| panic!("{on} has no row"));
            assert!(below <= *layer, "{name} → {on} points up");
        }
    }
}

#[test]
fn upward_and_unknown_edges_are_found() {
    let broken = Tree::of([
        ("crates/text/Cargo.toml", "[dependencies]\ntrireme-model.workspace = true"),
        ("crates/kernels/Cargo.toml", "[dev-dependencies]\ntrireme-backend.workspace = true"),
        ("crates/domain/Cargo.toml", "[dev-dependencies]\ntrireme-http.workspace = true"),
        ("crates/model/Cargo.toml", "[dev-dependencies]\ntrireme-cpu.workspace = true"),
        ("crates/extra/Cargo.toml", "[package]\nname = 'extra'"),
        ("xtask/Cargo.toml", "[dependencies]\nclap = '4'"),
    ]);
    finds(
        &violations(&broken),
        &[
            "crates/text: may not depend on model",
            "crates/domain: may not depend on http",
            "crates/extra: this crate has no row",
            "xtask: takes clap",
        ],
    );
    finds(&misnamed(&Tree::of([("crates/text/Cargo.toml", "name = \"text\"")])), &["crates/text"]);
}
