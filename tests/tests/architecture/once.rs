//! Each idea is written once, and once for each backend where it is a kernel.

use trireme_tests::rust_source::words;

use crate::tree::{Tree, Violation, finds};

/// Names that give an idea away, and the crates that may define each of them, once: `kernels` and
/// its peers compute, `backend` says in `f64` what is meant, `cpu` and `device` hand down, and `model` finishes
/// a row of numbers on the host, for every backend alike.
const IDEAS: &[(&[&str], &[&str])] = &[
    (&["softmax"], &["backend", "candle", "gpu", "kernels", "model"]),
    (&["gelu", "gelu_erf", "gelu_tanh"], &["candle", "gpu", "kernels"]),
    (&["erf"], &["backend", "candle", "gpu", "kernels"]),
    (&["layer_norm"], &["backend", "candle", "cpu", "gpu", "kernels"]),
    (&["mean_pool", "mean_rows"], &["candle", "gpu", "kernels"]),
    (&["pool"], &["backend", "candle", "cpu", "device", "gpu"]),
    (&["l2_normalize", "normalize"], &["model"]),
    (&["sigmoid"], &["candle", "kernels", "model"]),
    (&["truncate"], &["text"]),
];

/// Second definitions, and definitions in a crate that should call another.
pub fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in tree.crates() {
        let krate = folder.trim_start_matches("crates/");
        for (names, homes) in IDEAS {
            for name in *names {
                let signature = format!("fn {name}");
                let mut seen = 0;
                for source in tree.shipped(folder) {
                    let defined = words(&source.code, &signature);
                    for at in defined.filter(|&at| has_body(&source.code[at..])) {
                        seen += 1;
                        if !homes.contains(&krate) {
                            let what = format!("{signature} belongs to {}", homes.join(", "));
                            found.push(source.violation(at, what));
                        } else if seen > 1 {
                            found.push(source.violation(at, format!("{signature} once more")));
                        }
                    }
                }
            }
        }
    }
    found
}

/// A declaration in a trait ends in `;` and writes no idea down.
fn has_body(code: &str) -> bool {
    let mut depth = 0i32;
    for c in code.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return true,
            ';' if depth == 0 => return false,
            _ => {}
        }
    }
    false
}

#[test]
fn a_second_softmax_is_found() {
    let broken = Tree::of([
        ("crates/kernels/Cargo.toml", ""),
        ("crates/kernels/src/a.rs", "pub fn softmax(x: &mut [f32; 4]) { }"),
        ("crates/kernels/src/b.rs", "fn softmax() {}\nfn softmax_row() {}"),
        ("crates/backend/Cargo.toml", ""),
        ("crates/backend/src/lib.rs", "trait B { fn truncate(&self, x: [u8; 2]); }"),
        ("crates/service/Cargo.toml", ""),
        ("crates/service/src/lib.rs", "fn mean_pool() {}\n#[cfg(test)]\nmod t { fn gelu() {} }"),
    ]);
    finds(
        &violations(&broken),
        &[
            "crates/kernels/src/b.rs:1: fn softmax once more",
            "crates/service/src/lib.rs:1: fn mean_pool",
        ],
    );
}
