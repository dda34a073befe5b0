//! The mutations: one broken line each, and the test that must notice.
//!
//! `cargo xtask mutants` applies them; `mutation` says how. A row whose `find` is [`FILL`] waits
//! for its code and fails the run until it is filled in.

/// One way to be wrong.
#[derive(Clone, Copy)]
pub struct Mutant {
    /// What a reader would call the mistake.
    pub name: &'static str,
    /// The file to break, from the checkout's root.
    pub file: &'static str,
    /// The text to break; it must stand there exactly once.
    pub find: &'static str,
    /// What to put in its place.
    pub replace: &'static str,
    /// Arguments of the `cargo test` that must turn red.
    pub test: &'static [&'static str],
}

/// Stands where the code to break does not exist yet.
pub const FILL: &str = "FILL";

/// The suite that holds the engine against the reference.
const ENGINE: &[&str] = &["-p", "trireme-tests", "--test", "engine"];

/// The suite that holds the source against the design.
const ARCHITECTURE: &[&str] = &["-p", "trireme-tests", "--test", "architecture"];

/// Every mutation, the engine's first.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "GELU by its tanh approximation",
        file: "crates/kernels/src/activation.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "another LayerNorm epsilon",
        file: "crates/kernels/src/norm.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "RoBERTa positions from zero",
        file: "crates/model/src/FILL.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "relative bias dropped",
        file: "crates/model/src/FILL.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "token types dropped",
        file: "crates/model/src/FILL.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "wrong pooling",
        file: "crates/kernels/src/pool.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "padding averaged in",
        file: "crates/kernels/src/pool.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "truncation off by one",
        file: "crates/text/src/FILL.rs",
        find: FILL,
        replace: FILL,
        test: ENGINE,
    },
    Mutant {
        name: "the model depends on a runtime",
        file: "crates/model/Cargo.toml",
        find: "[dependencies]\n",
        replace: "[dependencies]\ntokio.workspace = true\n",
        test: ARCHITECTURE,
    },
    Mutant {
        name: "a lower layer depends on a higher one",
        file: "crates/text/Cargo.toml",
        find: "[dependencies]\n",
        replace: "[dependencies]\ntrireme-backend.workspace = true\n",
        test: ARCHITECTURE,
    },
    Mutant {
        name: "a rule reads the clock",
        file: "crates/domain/src/lib.rs",
        find: FILL,
        replace: FILL,
        test: ARCHITECTURE,
    },
    Mutant {
        name: "an error is a string",
        file: "crates/service/src/lib.rs",
        find: FILL,
        replace: FILL,
        test: ARCHITECTURE,
    },
    Mutant {
        name: "a target cfg outside its room",
        file: "crates/kernels/src/lib.rs",
        find: FILL,
        replace: FILL,
        test: ARCHITECTURE,
    },
];
