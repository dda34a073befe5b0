//! A file is about one subject, and short enough to read.

use crate::tree::{Tree, Violation, finds};

/// No file of ours is longer.
const MOST: usize = 800;

/// Nineteen files in twenty are at most as long.
const USUAL: usize = 500;

const WRITTEN_BY_HAND: &[&str] = &[".js", ".mjs", ".py", ".rs", ".sh", ".ts", ".wgsl"];

/// Files that are too long, and too many long files.
pub fn violations(tree: &Tree) -> Vec<Violation> {
    let ours =
        tree.files().filter(|(path, _)| WRITTEN_BY_HAND.iter().any(|end| path.ends_with(end)));
    let mut lengths: Vec<(usize, &str)> =
        ours.map(|(path, text)| (text.lines().count(), path)).collect();
    lengths.sort_unstable();
    let long = lengths.iter().filter(|(lines, _)| *lines > MOST);
    let mut found: Vec<Violation> =
        long.map(|(lines, path)| Violation::new(*path, format!("{lines} lines"))).collect();
    // The 95th percentile by nearest rank: the smallest length that covers 95 % of the files.
    if let Some((lines, path)) = lengths.get((lengths.len() * 95).div_ceil(100).saturating_sub(1))
        && *lines > USUAL
    {
        let what = format!("{lines} lines; 95 % of the files must have at most {USUAL}");
        found.push(Violation::new(*path, what));
    }
    found
}

#[test]
fn long_files_are_found() {
    let (long, longish) = ("x\n".repeat(MOST + 1), "x\n".repeat(USUAL + 1));
    finds(&violations(&Tree::of([("a.rs", &long)])), &["a.rs: 801", "a.rs: 801"]);
    finds(&violations(&Tree::of([("a.rs", &longish), ("b.rs", "")])), &["a.rs: 501"]);
    finds(&violations(&Tree::of([("model.json", &long)])), &[]);
}
