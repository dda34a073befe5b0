//! What depends on the machine's kind stands in few rooms.

use trireme_tests::rust_source::words;

use crate::manifest::dependencies;
use crate::tree::{Tree, Violation, finds};

/// The rooms: lanes of the kernels, the GPU's marker module, and the hosts.
const ROOMS: &[&str] = &[
    "crates/kernels/src/arch/",
    "crates/kernels/src/arch.rs",
    "crates/gpu/src/marker.rs",
    "crates/cli/",
    "crates/server/",
    "crates/spin/",
    "crates/web/",
    "worker/",
];

/// The words that ask about the target, in a `cfg` or beside a function.
const TARGET_WORDS: &[&str] = &[
    "target_abi",
    "target_arch",
    "target_endian",
    "target_env",
    "target_family",
    "target_feature",
    "target_has_atomic",
    "target_os",
    "target_pointer_width",
    "target_vendor",
    "is_aarch64_feature_detected",
    "is_x86_feature_detected",
];

/// Shorthands that are such a question only inside a `cfg`.
const SHORTHANDS: &[&str] = &["cfg(unix)", "cfg(windows)", "cfg!(unix)", "cfg!(windows)"];

/// Target questions outside the rooms, in sources and in manifests.
pub fn violations(tree: &Tree) -> Vec<Violation> {
    let outside = |path: &str| !ROOMS.iter().any(|room| path.starts_with(room));
    let mut found = Vec::new();
    for source in tree.rust("crates").filter(|source| outside(source.path)) {
        for word in TARGET_WORDS {
            let uses = words(&source.code, word);
            found.extend(uses.map(|at| source.violation(at, format!("{word} outside its rooms"))));
        }
        for word in SHORTHANDS {
            let uses = source.code.match_indices(word);
            found.extend(
                uses.map(|(at, _)| source.violation(at, format!("{word} outside its rooms"))),
            );
        }
    }
    for folder in tree.crates().into_iter().filter(|folder| outside(&format!("{folder}/"))) {
        let manifest = tree.text(&format!("{folder}/Cargo.toml")).unwrap_or_default();
        found.extend(dependencies(manifest).into_iter().filter_map(|dependency| {
            let what =
                format!("{} depends on the target {}", dependency.package, dependency.target?);
            Some(Violation::new(folder, what))
        }));
    }
    found
}

#[test]
fn a_cfg_in_the_wrong_room_is_found() {
    let broken = Tree::of([
        ("crates/kernels/src/arch/x86.rs", "#[target_feature(enable = \"avx2\")] fn f() {}"),
        (
            "crates/kernels/src/lib.rs",
            "// cfg(target_os)\n#[cfg(target_arch = \"x86_64\")]\nmod x;",
        ),
        ("crates/server/src/lib.rs", "#[cfg(unix)] fn f() {}"),
        ("crates/model/src/lib.rs", "fn f() { if cfg!(windows) {} }"),
        ("crates/text/Cargo.toml", "[target.'cfg(windows)'.dependencies]\na = '1'"),
    ]);
    finds(
        &violations(&broken),
        &[
            "crates/kernels/src/lib.rs:2: target_arch",
            "crates/model/src/lib.rs:1: cfg!(windows)",
            "crates/text: a depends on the target",
        ],
    );
}
