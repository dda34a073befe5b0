//! `unsafe` has two rooms, and each use says why it is sound.

use trireme_tests::rust_source::words;

use crate::tree::{Source, Tree, Violation, finds};

const ROOMS: &[&str] = &["crates/kernels/", "crates/server/src/mmap.rs"];

/// `unsafe` outside its rooms, and `unsafe` without its reason.
pub fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in ["crates", "tests", "worker", "xtask"].into_iter().flat_map(|f| tree.rust(f)) {
        let room = ROOMS.iter().any(|room| source.path.starts_with(room));
        for at in words(&source.code, "unsafe").filter(|&at| !is_type(&source.code[at..])) {
            if !room {
                found.push(source.violation(at, "unsafe outside kernels and the mmap module"));
            } else if !is_explained(&source, at) {
                found.push(source.violation(at, "unsafe without a SAFETY comment above it"));
            }
        }
    }
    found
}

/// `unsafe fn(…)` as the type of a pointer promises nothing; calling it does. `#[unsafe(…)]` is
/// an attribute's own word.
fn is_type(code: &str) -> bool {
    let rest = code["unsafe".len()..].trim_start();
    rest.starts_with('(')
        || rest.strip_prefix("fn").is_some_and(|r| r.trim_start().starts_with('('))
}

/// Looks upward from the `unsafe` at `offset` through its statement and the comment above that.
fn is_explained(source: &Source<'_>, offset: usize) -> bool {
    let line = source.code[..offset].matches('\n').count();
    let text: Vec<&str> = source.text.lines().take(line + 1).map(str::trim).collect();
    let code: Vec<&str> = source.code.lines().take(line + 1).map(str::trim).collect();
    for at in (0..=line).rev() {
        if text[at].contains("SAFETY:") || text[at].contains("# Safety") {
            return true;
        }
        let comment = text[at].starts_with("//");
        let attribute = text[at].starts_with("#[");
        let ends = text[at].is_empty() || code[at].ends_with([';', '{', '}']);
        if at < line && !comment && !attribute && ends {
            return false;
        }
    }
    false
}

#[test]
fn unsafe_without_room_or_reason_is_found() {
    let broken = Tree::of([
        ("crates/model/src/lib.rs", "// SAFETY: none\nfn f() { unsafe { g() } }"),
        ("crates/kernels/src/a.rs", "fn f() {\n    unsafe { g() }\n}"),
        (
            "crates/kernels/src/b.rs",
            "fn f() {\n    // SAFETY: `g` has no condition.\n    unsafe { g() }\n}",
        ),
        (
            "crates/kernels/src/c.rs",
            "// SAFETY: this is about `x`\nlet x = 1;\nlet y = unsafe { g() };",
        ),
        (
            "crates/kernels/src/d.rs",
            "/// # Safety\n/// AVX2 is there.\n#[inline]\nunsafe fn g() {}",
        ),
        (
            "crates/kernels/src/e.rs",
            "// SAFETY: the lane was probed.\nlet y =\n    unsafe { g() };",
        ),
        ("crates/kernels/src/f.rs", "#![deny(unsafe_code)]\ntype F = unsafe fn(u8); // unsafe"),
    ]);
    finds(
        &violations(&broken),
        &[
            "crates/model/src/lib.rs:2: unsafe outside",
            "crates/kernels/src/a.rs:2: unsafe without",
            "crates/kernels/src/c.rs:3: unsafe without",
        ],
    );
}
